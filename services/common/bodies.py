"""Reads request bodies before the routes do, bounds them, and refuses what is not strict JSON.

Rule 1: at most `limit` bytes are held, and reading stops where a body passes the limit.
Rule 2: a body is one JSON text in UTF-8 (RFC 8259).
Rule 3: it keeps to I-JSON (RFC 7493): no key twice, no NaN, no lone surrogate. Two parsers could read such a text
    differently, and a check would see another value than the route behind it.
Rule 4: it is nested at most 32 deep, so no parser behind this layer runs out of stack.
"""

from __future__ import annotations

from typing import Any

import anyio
import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chat.errors import Refused, RookeryError, TooLong
from chat.wire.json_keys import find_repeated_key
from services.common.problems import BODY_METHODS, answer_error

DEPTH = 32
READ_SECONDS = 30.0


class BadJson(Refused):
    """The body is not the strict JSON of this module."""

    code = "bad_json"


class UnsupportedMediaType(Refused):
    """The body is of another type than JSON."""

    code = "unsupported_media_type"
    status = 415


class TooSlow(Refused):
    """The body did not arrive in time."""

    code = "timeout"
    status = 408


def check_json(body: bytes) -> None:
    """Raises `BadJson`, which says what is wrong with the body; it raises no other error."""
    try:
        value = orjson.loads(body)  # rules 2 and 3: it refuses NaN, lone surrogates and what is not UTF-8
    except orjson.JSONDecodeError as error:
        raise BadJson(f"the body is not JSON in UTF-8: {error}") from None
    _check_depth(value)  # rule 4
    repeated = find_repeated_key(body)  # rule 3: parsers keep the last of two silently
    if repeated is not None:
        raise BadJson(f"the key {repeated[:64]!r} stands twice; send each field once")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH):
        level = [item for outer in level if isinstance(outer, dict | list) for item in _list_items(outer)]
        if not level:
            return
    raise BadJson(f"the body is nested more than {DEPTH} levels deep; make it flatter")


def _list_items(outer: dict[str, Any] | list[Any]) -> list[Any]:
    return list(outer.values()) if isinstance(outer, dict) else outer


class BodyLimit:
    """ASGI middleware: reads a body in full, within the rules above; the application gets it as one event."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with a problem document when its body breaks a rule."""
        if scope["type"] != "http" or scope["method"] not in BODY_METHODS:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read_checked(scope, receive)
        except RookeryError as error:
            await answer_error(error)(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _replay_body(body, receive), send)

    async def _read_checked(self, scope: Scope, receive: Receive) -> bytes | None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length[:20]) > self._limit:
            raise self._too_long()  # rule 1: announced too long, so not a byte of it is read
        try:
            with anyio.fail_after(READ_SECONDS):
                body = await self._read_body(receive)
        except TimeoutError:
            raise TooSlow(f"the body did not arrive within {READ_SECONDS:.0f} s; try again") from None
        if body:
            media = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
            if media != b"application/json":
                raise UnsupportedMediaType("send the body with `Content-Type: application/json`")
            check_json(body)
        return body

    async def _read_body(self, receive: Receive) -> bytes | None:
        """The body; None when the client is gone."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self._limit:
                raise self._too_long()
            if not message.get("more_body", False):
                return bytes(body)

    def _too_long(self) -> TooLong:
        return TooLong(f"the body is too large; send at most {self._limit} bytes")


def _replay_body(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
