"""HTTP/1.1: hypercorn's protocol, with a bound on the head of a request and errors that say what is wrong.

Rule 1: the request line and the headers have at most `HEADER_BYTES` together, however their bytes arrive. The parser
    itself looks at its bound only while a head is incomplete, so what came in one read could be five times as long.
Rule 2: a request that is refused here gets a problem document, and the connection closes: nobody knows where the next
    request begins.
Rule 3: the head of an answer goes out with the first bytes behind it, as ASGI asks. A write of its own for each part
    would cost more than all the rest of a short answer.
Rule 4: while HTTP/2 is off, an upgrade to it is ignored, and its preface is answered 505.
Rule 5: a body comes in at most `MOST_CHUNKS` chunks. Each costs the same however short it is: 1 MiB of single bytes
    would take ten seconds of the loop.
Rule 5a: a client that waits with its body (`Expect: 100-continue`) is told to send it when the application asks for it:
    one that is refused before, as too long or for its type, need not send it (RFC 9110, section 10.1.1).
Rule 6: a target in absolute-form, as proxies send it, means the same as one in origin-form (RFC 9112, section 3.2.2).
"""

from __future__ import annotations

import re
from typing import Any

import hypercorn.protocol.h11 as hypercorn_h11
from hypercorn.events import Closed, RawData
from hypercorn.protocol.h11 import H11Protocol

from services.common.problems import make_problem

HEADER_BYTES = 16 * 1024
MOST_CHUNKS = 5000
_BLANK_LINE = re.compile(rb"\n\r?\n")
_ABSOLUTE_FORM = re.compile(rb"https?://([^/?#]+)(.*)", re.IGNORECASE | re.DOTALL)

# The parser under hypercorn, by the name that hypercorn has for it: only hypercorn decides which version this is.
_library: Any = hypercorn_h11
_h11: Any = _library.h11

_LIMIT = f"{HEADER_BYTES // 1024} KiB"
_PROBLEMS = {
    400: (
        "bad_request",
        "the request is not valid HTTP/1.1; check its request line, its headers and its body's length",
    ),
    413: ("too_long", f"the body comes in more than {MOST_CHUNKS} chunks; send fewer and larger ones"),
    414: ("uri_too_long", f"the request line has more than {_LIMIT}; send long lists in the body of a POST"),
    431: ("headers_too_large", f"the request line and the headers have more than {_LIMIT}; send fewer or shorter ones"),
    501: ("not_implemented", "the server knows no transfer coding but `chunked`"),
    505: ("version_not_supported", "HTTP/2 is off; send the request as HTTP/1.1"),
}


class Http2IsOff(Exception):
    """A client began to speak HTTP/2 while it is off, and was answered 505."""


class _BoundedParser(_h11.Connection):  # type: ignore[misc] # a base of type Any
    """The parser, which raises for a head that is longer than `HEADER_BYTES`, complete or not (rule 1)."""

    chunks = 0  # of the present body

    @property
    def they_are_waiting_for_100_continue(self) -> bool:
        """No, for hypercorn, which would tell them at once; `Http1.accept_body` does (rule 5a)."""
        return False

    def next_event(self) -> Any:
        if self.their_state is _h11.IDLE:
            _check_head(self.trailing_data[0])
        event = super().next_event()
        if isinstance(event, _h11.Request):
            self.chunks = 0
            return _use_origin_form(event)
        if isinstance(event, _h11.Data):
            self.chunks += event.chunk_start
            if self.chunks > MOST_CHUNKS:  # rule 5
                self._process_error(self.their_role)
                raise _h11.RemoteProtocolError("too many chunks", error_status_hint=413)
        return event


def _use_origin_form(request: Any) -> Any:
    """The request with the target's host as its `Host` (rule 6)."""
    absolute = _ABSOLUTE_FORM.fullmatch(request.target)
    if absolute is None:
        return request
    host, target = absolute.groups()
    headers = [(name, host if name == b"host" else value) for name, value in request.headers]
    target = target if target.startswith(b"/") else b"/" + target
    return _h11.Request(method=request.method, headers=headers, target=target, http_version=request.http_version)


def _check_head(received: bytes) -> None:
    """`received` begins with the head of a request, and may end before it or behind it."""
    if len(received) <= HEADER_BYTES or _BLANK_LINE.search(received, 0, HEADER_BYTES):
        return
    status = 414 if received.find(b"\n", 0, HEADER_BYTES) == -1 else 431
    raise _h11.RemoteProtocolError("the head is too long", error_status_hint=status)


class Http1(H11Protocol):
    """Hypercorn's protocol by the rules above. `http2`: whether a client may change to HTTP/2."""

    def __init__(self, *args: Any, http2: bool) -> None:
        super().__init__(*args)
        self.connection = _BoundedParser(_h11.SERVER, max_incomplete_event_size=HEADER_BYTES)
        self._http2 = http2
        self._head = b""  # of an answer, until something follows it

    async def accept_body(self) -> None:
        """The application asks for the body of its request (rule 5a)."""
        if isinstance(self.connection, _BoundedParser) and self.connection.client_is_waiting_for_100_continue:
            await self._send_h11_event(_h11.InformationalResponse(status_code=100, headers=[]))

    async def _check_protocol(self, event: Any) -> None:
        if self._http2:
            await super()._check_protocol(event)
        elif event.method == b"PRI":  # rule 4
            await self._send_error_response(505)
            await self.send(Closed())
            raise Http2IsOff

    async def _send_h11_event(self, event: Any) -> None:
        try:
            data = self.connection.send(event)
        except _h11.LocalProtocolError:
            if self.connection.their_state != _h11.ERROR:
                raise
            return  # the client's request is broken, and so is what answers it
        if isinstance(event, _h11.Response):
            self._head = data  # rule 3
            return
        data, self._head = self._head + data, b""
        if data:
            await self.send(RawData(data=data))

    async def _send_error_response(self, status_code: int) -> None:
        code, detail = _PROBLEMS.get(status_code, _PROBLEMS[400])
        answer = make_problem(status_code, code, detail, {"Connection": "close"})  # rule 2
        await self._send_h11_event(_h11.Response(status_code=status_code, headers=answer.raw_headers))
        await self._send_h11_event(_h11.Data(data=bytes(answer.body)))
        await self._send_h11_event(_h11.EndOfMessage())
