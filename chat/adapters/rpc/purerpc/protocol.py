"""purerpc's gRPC protocol without I/O, for peers that make mistakes.

In purerpc 0.8, one stream with a malformed header, a compressed or an over-long message raises out of the whole
connection, and a reset is reported to nobody. Here

Rule 1: an error in one stream is an event of that stream (`Failed`), and the connection goes on. Only what breaks
HTTP/2 itself ends it (RFC 9113, section 5.4.1).
Rule 2: a compressed message is refused (UNIMPLEMENTED): nobody can fill the memory with a small one.
Rule 3: bytes of a stream that nobody reads any more are given back to the window of the connection.

The methods named `_…_received` are purerpc's: it calls them with h2's events, and gives on what they return.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import h2.errors
import h2.exceptions

from chat.adapters.rpc.purerpc.patches import (
    GRPCConfiguration,
    GRPCConnection,
    GRPCError,
    HeaderDict,
    MessageReadBuffer,
    MessageTooLargeError,
    RequestReceived,
    survive_goaway,
)
from chat.adapters.rpc.status import Code, Failure, Metadata

# Of a proxy that answers in the server's place (gRPC's mapping of HTTP statuses).
_HTTP = {
    "400": Code.INTERNAL,
    "401": Code.UNAUTHENTICATED,
    "403": Code.PERMISSION_DENIED,
    "404": Code.UNIMPLEMENTED,
    "429": Code.UNAVAILABLE,
    "502": Code.UNAVAILABLE,
    "503": Code.UNAVAILABLE,
    "504": Code.UNAVAILABLE,
}
_RESETS = {
    h2.errors.ErrorCodes.REFUSED_STREAM: Code.UNAVAILABLE,
    h2.errors.ErrorCodes.CANCEL: Code.CANCELLED,
    h2.errors.ErrorCodes.ENHANCE_YOUR_CALM: Code.RESOURCE_EXHAUSTED,
}


@dataclass(frozen=True, slots=True)
class Failed:
    """A stream is over with this status: the peer's, or the reason why the peer's bytes are refused."""

    stream_id: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Finished:
    """Client: a stream is over with OK, or (`status` False) without any status. Server: a request is complete."""

    stream_id: int
    status: bool = True


@dataclass(frozen=True, slots=True)
class Reset:
    """The peer does not want the stream any more."""

    stream_id: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Terminated:
    """The peer takes no more streams, and will not answer those after `last`."""

    last: int


class GrpcProtocol(GRPCConnection):  # type: ignore[misc]
    """One connection, of either side; `receive_data` gives purerpc's events and those of this module."""

    MAX_CONCURRENT_STREAMS = 4096
    MAX_INBOUND_FRAME_SIZE = 65_536
    MAX_HEADER_LIST_SIZE = 16_384

    def __init__(self, *, client_side: bool, max_bytes: int) -> None:
        super().__init__(GRPCConfiguration(client_side=client_side, max_message_length=max_bytes))
        survive_goaway(self.h2_connection)

    def forget_call(self, stream_id: int) -> None:
        """Nobody reads this stream any more: drop what came of its next message."""
        self.message_read_buffers.pop(stream_id, None)

    def _request_received(self, event: Any) -> list[Any]:
        stream_id = event.stream_id
        headers = dict(event.headers)
        if headers.get(":path", "").count("/") != 2:
            return [Failed(stream_id, Failure(Code.UNIMPLEMENTED, "there is no such method"))]
        if event.stream_ended:
            return [Failed(stream_id, Failure(Code.INVALID_ARGUMENT, "the call has no message"))]
        try:
            request = RequestReceived.parse_from_stream_id_and_headers_destructive(stream_id, HeaderDict(event.headers))
        except (GRPCError, LookupError, ValueError, TypeError, AttributeError, OverflowError):
            return [Failed(stream_id, Failure(Code.INVALID_ARGUMENT, "the headers are not those of a gRPC call"))]
        self._expect_messages(stream_id)
        return [request]

    def _response_received(self, event: Any) -> list[Any]:
        headers = dict(event.headers)
        status = headers.get(":status", "")
        if event.stream_ended:
            return [_read_status(event.stream_id, event.headers)]
        if status != "200":
            code = _HTTP.get(status, Code.UNKNOWN)
            return [Failed(event.stream_id, Failure(code, f"the peer answered with HTTP status {status}"))]
        self._expect_messages(event.stream_id)
        return [event]

    def _trailers_received(self, event: Any) -> list[Any]:
        if not self.config.client_side:
            return []  # a request has no status
        return [_read_status(event.stream_id, event.headers)]

    def _data_received(self, event: Any) -> list[Any]:
        stream_id = event.stream_id
        buffer = self.message_read_buffers.get(stream_id)
        if buffer is None:  # rule 3
            self.acknowledge_bytes(stream_id, event.flow_controlled_length)
            return []
        try:
            events: list[Any] = super()._data_received(event)
        except MessageTooLargeError:
            failure = Failure(Code.RESOURCE_EXHAUSTED, f"a message has at most {self.config.max_message_length} bytes")
        except GRPCError:  # rule 2
            failure = Failure(Code.UNIMPLEMENTED, "messages are not compressed here; send identity")
        else:
            return events
        self.forget_call(stream_id)
        self.acknowledge_bytes(stream_id, event.flow_controlled_length)
        return [Failed(stream_id, failure)]

    def _stream_ended(self, event: Any) -> list[Any]:
        self.forget_call(event.stream_id)
        return [Finished(event.stream_id, status=not self.config.client_side)]

    def _stream_reset(self, event: Any) -> list[Any]:
        self.forget_call(event.stream_id)
        code = _RESETS.get(event.error_code, Code.UNAVAILABLE)
        return [Reset(event.stream_id, Failure(code, "the peer reset the call"))]

    def _connection_terminated(self, event: Any) -> list[Any]:
        return [Terminated(event.last_stream_id)]

    def acknowledge_bytes(self, stream_id: int, length: int) -> None:
        """So many bytes were read: the peer may send as many again."""
        if length:
            try:
                self.acknowledge_received_data(stream_id, length)
            except (h2.exceptions.ProtocolError, KeyError):
                return  # the stream is closed, and h2 has given the bytes back itself

    def reset_call(self, stream_id: int, code: h2.errors.ErrorCodes) -> None:
        """RST_STREAM, unless the stream is closed already."""
        self.forget_call(stream_id)
        try:
            self.reset_stream(stream_id, code)
        except h2.exceptions.ProtocolError:
            return

    def _expect_messages(self, stream_id: int) -> None:
        self.message_read_buffers[stream_id] = MessageReadBuffer(None, self.config.max_message_length)


def _read_status(stream_id: int, headers: Iterable[tuple[str, str]]) -> Failed | Finished:
    """The status in the trailers of a response."""
    found = dict(headers)
    number = found.get("grpc-status", "")
    if number == "0":
        return Finished(stream_id)
    known = number.isascii() and number.isdigit() and int(number) in Code.__members__.values()
    message = urllib.parse.unquote(found.get("grpc-message", ""))
    trailers: Metadata = tuple((name, value) for name, value in headers if not name.startswith((":", "grpc-")))
    return Failed(stream_id, Failure(Code(int(number)) if known else Code.UNKNOWN, message, trailers))
