"""One HTTP/2 connection of the purerpc binding, driven by AnyIO, for both sides.

purerpc keeps its protocol apart from its driver, and this is another driver. Its own never learns that the peer died,
has no deadlines, buffers without a bound, and waits for ever for a window.

Rule 1: one task reads and one writes. A call changes the protocol's state without waiting, and wakes the writer.
Rule 2: whatever ends the connection ends each of its calls, with UNAVAILABLE.
Rule 3: a peer that is silent is asked with a PING, and counts as lost if nothing comes then.
Rule 4: what a call receives is bounded by its window, which opens again only when a message is taken; what all calls
send is bounded by `_HIGH`, above which senders wait for the writer.
"""

from __future__ import annotations

import logging
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any

import anyio
import h2.errors
import h2.events
import h2.exceptions
from anyio.abc import ByteStream, TaskGroup, TaskStatus

from chat.adapters.rpc.purerpc.patches import MessageReceived, RequestReceived, Status, StatusCode, WindowUpdated
from chat.adapters.rpc.purerpc.protocol import Failed, Finished, GrpcProtocol, Reset, Terminated
from chat.adapters.rpc.status import Code, Failure
from chat.concurrency import AutoResetEvent, Broadcast

logger = logging.getLogger(__name__)

RECEIVE_BYTES = 65_536
SILENCE_SECONDS = 20.0
ANSWER_SECONDS = 5.0
WRITE_SECONDS = 30.0
BROKEN = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError, ssl.SSLError)
_HIGH = 1024 * 1024
"""Bytes that wait for the network; above that, senders wait too."""


class CallStream:
    """One call. `failure` is set when it failed; `ended` when the peer will send nothing more.

    `messages` holds what was received, each with the bytes by which it counts in the window. `on_reset` is the
    server's: it cancels the work for a caller that has left.
    """

    __slots__ = ("arrived", "begun", "ended", "failure", "id", "messages", "on_reset", "window")

    def __init__(self, stream_id: int) -> None:
        self.id = stream_id
        self.messages: deque[tuple[bytes, int]] = deque()
        self.arrived = AutoResetEvent()
        self.window = AutoResetEvent()
        self.begun = False
        self.ended = False
        self.failure: Failure | None = None
        self.on_reset: Callable[[], object] | None = None

    def fail_with(self, failure: Failure) -> None:
        """The call failed; wake whoever waits for it. The first failure stands."""
        self.failure = self.failure or failure
        self.arrived.set()
        self.window.set()


class Link:
    """A connection. `on_request` is the server's: it is called with each new stream, and must not wait."""

    def __init__(
        self,
        stream: ByteStream,
        protocol: GrpcProtocol,
        on_request: Callable[[Link, CallStream, RequestReceived], None] | None = None,
    ) -> None:
        self.stream = stream
        self.protocol = protocol
        self.tasks: TaskGroup
        self.usable = True
        self._on_request = on_request
        self._streams: dict[int, CallStream] = {}
        self._wake = AutoResetEvent()
        self._drained = Broadcast()
        self._waiting = 0
        self._heard = 0.0

    async def run_connection(self, *, task_status: TaskStatus[Link] = anyio.TASK_STATUS_IGNORED) -> None:
        """Drive the connection until it ends, and close it."""
        self._heard = anyio.current_time()
        try:
            async with anyio.create_task_group() as self.tasks:
                self.protocol.initiate_connection()
                self._wake.set()
                self.tasks.start_soon(self._write_bytes)
                self.tasks.start_soon(self._keep_alive)
                task_status.started(self)
                await self._read_bytes()
                self.tasks.cancel_scope.cancel()
        finally:
            self._fail_all_calls()  # rule 2
            await anyio.aclose_forcefully(self.stream)

    def close_connection(self) -> None:
        """End now, with all calls (rule 2)."""
        self.usable = False
        self.tasks.cancel_scope.cancel()

    def retire_when_idle(self) -> None:
        """Take no more calls, and end when those that are under way have ended."""
        self.usable = False
        self._wake.set()

    # Calls

    def open_call(self, path: str, metadata: Any, timeout: Any, authority: str, scheme: str) -> CallStream:
        """Client: begin a call. Raises `Failure`."""
        if not self.usable:
            raise Failure(Code.UNAVAILABLE, "the connection takes no more calls")
        service, method = path[1:].split("/")
        try:
            stream_id = self.protocol.get_next_available_stream_id()
            self.protocol.start_request(
                stream_id, scheme, service, method, None, authority, timeout, "+proto", metadata
            )
        except h2.exceptions.ProtocolError:
            self.usable = False  # it has no room for another stream, or is closing
            raise Failure(Code.UNAVAILABLE, "the connection takes no more calls") from None
        stream = self._streams[stream_id] = CallStream(stream_id)
        self._wake.set()
        return stream

    async def send_message(self, stream: CallStream, message: bytes, *, end: bool = False) -> None:
        """One message. Raises `Failure` when the peer cannot take it."""
        data = b"\0" + len(message).to_bytes(4, "big") + message
        sent = 0
        while sent < len(data):
            if stream.failure is not None:
                raise stream.failure
            chunk = data[sent : sent + max(0, self._send_window(stream))]
            if not chunk:
                # Flow control (RFC 9113, section 5.2): the peer opens the window when it has read, or resets the call.
                await stream.window.wait()
                continue
            sent += len(chunk)
            self._put_data(stream, chunk, end=end and sent == len(data))
            # Rule 4: the window bounds what the peer holds; this bounds what waits here, of all calls.
            if self._waiting + len(chunk) > _HIGH:
                await self._drained.wait()

    async def receive_message(self, stream: CallStream) -> bytes | None:
        """The next message, None after the last. Raises `Failure`."""
        while not stream.messages:
            if stream.failure is not None:
                raise stream.failure
            if stream.ended:
                return None
            await stream.arrived.wait()
        message, length = stream.messages.popleft()
        # Rule 4: only now may the peer send as much again.
        self.protocol.acknowledge_bytes(stream.id, length)
        self._wake.set()
        return message

    async def wait_begun(self, stream: CallStream) -> None:
        """Client: until the server has sent its headers. Raises `Failure`."""
        while not stream.begun:
            if stream.failure is not None:
                raise stream.failure
            await stream.arrived.wait()

    def finish_call(self, stream: CallStream, send: Callable[[], None]) -> None:
        """Server: end a call by `send`, which puts the status; what else the client would say is not wanted."""
        try:
            send()
            if not stream.ended:
                self.protocol.reset_call(stream.id, h2.errors.ErrorCodes.NO_ERROR)
        except h2.exceptions.ProtocolError:
            pass  # it was reset meanwhile
        self._wake.set()

    def leave_call(self, stream: CallStream) -> None:
        """A call is over here; if it is not for the peer, the peer is told (RST_STREAM)."""
        if self._streams.pop(stream.id, None) is not None and not stream.ended and stream.failure is None:
            self.protocol.reset_call(stream.id, h2.errors.ErrorCodes.CANCEL)
        self.protocol.forget_call(stream.id)
        self._wake.set()

    def wake_writer(self) -> None:
        """Have sent what the protocol holds."""
        self._wake.set()

    def _send_window(self, stream: CallStream) -> int:
        try:
            window: int = self.protocol.flow_control_window(stream.id)
        except h2.exceptions.ProtocolError:
            raise stream.failure or Failure(Code.CANCELLED, "the peer reset the call") from None
        return window

    def _put_data(self, stream: CallStream, chunk: bytes, *, end: bool) -> None:
        try:
            self.protocol.send_data(stream.id, chunk, end_stream=end)
        except h2.exceptions.ProtocolError:
            raise stream.failure or Failure(Code.CANCELLED, "the peer reset the call") from None
        self._wake.set()

    # The three tasks

    async def _write_bytes(self) -> None:
        while True:
            data = self.protocol.data_to_send()
            if not data:
                # All is written: senders may go on, and a connection that takes no more calls may end.
                self._waiting = 0
                self._drained.notify_all()
                if not self.usable and not self._streams:
                    self.close_connection()
                    return
                await self._wake.wait()
                continue
            self._waiting = len(data)
            try:
                with anyio.fail_after(WRITE_SECONDS):
                    await self.stream.send(data)
            except (TimeoutError, *BROKEN):
                self.close_connection()
                return

    async def _read_bytes(self) -> None:
        while True:
            try:
                data = await self.stream.receive(RECEIVE_BYTES)
            except BROKEN:
                return
            self._heard = anyio.current_time()
            try:
                events = self.protocol.receive_data(data)
            except (h2.exceptions.ProtocolError, UnicodeDecodeError) as error:
                logger.info("a peer broke HTTP/2 (%s); its connection ends", type(error).__name__)
                await self._say_goodbye()
                return
            for event in events:
                self._handle_event(event)
            self._wake.set()

    async def _keep_alive(self) -> None:
        while True:
            await anyio.sleep_until(self._heard + SILENCE_SECONDS)
            before = self._heard  # rule 3
            if anyio.current_time() - before < SILENCE_SECONDS:
                continue
            self.protocol.h2_connection.ping(b"rookery?")
            self._wake.set()
            await anyio.sleep(ANSWER_SECONDS)
            if self._heard == before:
                self.close_connection()
                return

    async def _say_goodbye(self) -> None:
        """Send the GOAWAY with which h2 answers the error, if the peer still takes it."""
        with anyio.move_on_after(1):
            try:
                await self.stream.send(self.protocol.data_to_send())
            except BROKEN:
                return

    # What the peer has said. An event of a call that is over here finds no call, and needs no more than a look.

    def _handle_event(self, event: Any) -> None:
        handle = _HANDLERS.get(type(event))
        if handle is not None:
            handle(self, event)

    def _handle_request(self, event: RequestReceived) -> None:
        stream = self._streams[event.stream_id] = CallStream(event.stream_id)
        if self._on_request is not None:
            self._on_request(self, stream, event)

    def _handle_response(self, event: h2.events.ResponseReceived) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            stream.begun = True
            stream.arrived.set()

    def _handle_message(self, event: MessageReceived) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is None:
            # Nobody will take it, so its bytes are given back to the window of the whole connection at once.
            self.protocol.acknowledge_bytes(event.stream_id, event.flow_controlled_length)
        else:
            stream.messages.append((event.data, event.flow_controlled_length))
            stream.arrived.set()

    def _handle_window(self, event: WindowUpdated) -> None:
        if event.stream_id == 0:
            # Stream 0 is the connection, whose window all calls share: any of them may go on now.
            for each in self._streams.values():
                each.window.set()
        elif event.stream_id in self._streams:
            self._streams[event.stream_id].window.set()

    def _handle_finished(self, event: Finished) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            if not event.status and not stream.ended:
                stream.fail_with(Failure(Code.INTERNAL, "the call ended without a status"))
            stream.ended = True
            stream.arrived.set()

    def _handle_failed(self, event: Failed) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            stream.ended = stream.ended or self._on_request is None
            stream.fail_with(event.failure)
        elif self._on_request is not None:
            # A server refuses what never was a call, such as a malformed header.
            refused = CallStream(event.stream_id)
            self.finish_call(refused, lambda: put_status(self.protocol, refused, event.failure))

    def _handle_reset(self, event: Reset) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            if not stream.ended:  # a server that has said all may reset what the client would still say
                stream.fail_with(event.failure)
            if stream.on_reset is not None:
                stream.on_reset()

    def _handle_terminated(self, event: Terminated) -> None:
        self._refuse_after(event.last)

    def _refuse_after(self, last: int) -> None:
        for stream in self._streams.values():
            if stream.id > last:  # the server has not taken it, so it may be called again elsewhere
                stream.fail_with(Failure(Code.UNAVAILABLE, "the server is stopping"))
        self.retire_when_idle()

    def _fail_all_calls(self) -> None:
        self.usable = False
        for stream in self._streams.values():
            stream.fail_with(Failure(Code.UNAVAILABLE, "the connection was lost"))
        self._streams.clear()
        self._drained.notify_all()


_HANDLERS: dict[type[Any], Callable[[Link, Any], None]] = {
    RequestReceived: Link._handle_request,
    h2.events.ResponseReceived: Link._handle_response,
    MessageReceived: Link._handle_message,
    WindowUpdated: Link._handle_window,
    Finished: Link._handle_finished,
    Failed: Link._handle_failed,
    Reset: Link._handle_reset,
    Terminated: Link._handle_terminated,
}
"""What each event does. All others need no answer."""


def put_status(protocol: GrpcProtocol, stream: CallStream, failure: Failure | None) -> None:
    """Server: put the status (None: OK) that ends a call. Raises h2's `ProtocolError` when it is over already."""
    code, message, trailers = (
        (Code.OK, "", ()) if failure is None else (failure.code, failure.message, failure.trailers)
    )
    status = Status(StatusCode(int(code)), message)
    if stream.begun:
        protocol.end_response(stream.id, status, trailers)
    else:
        protocol.respond_status(stream.id, status, "+proto", trailers)
