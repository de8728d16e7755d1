"""Reads request bodies before the routes do, bounds them, and refuses what is not strict JSON.

Rule 1: at most `limit` bytes of a body are held, and reading stops where it passes the limit. Of all bodies together at
    most `HELD_BYTES` are held, and of those of one address at most an eighth; beyond that, requests get 503.
Rule 1a: a body comes at `LEAST_RATE` bytes a second at least, after `GRACE_SECONDS`, and within `READ_SECONDS`.
Rule 2: a body is one JSON text in UTF-8 (RFC 8259). Where mail programs post a form (RFC 8058), it is not looked at.
Rule 2a: nothing is decompressed, so a body never grows behind its limit. One with a `Content-Encoding` is refused.
Rule 2b: a client that asks before it sends (`Expect`) is refused by its headers alone, without reading the body.
Rule 2c: the calls of `PICTURES` take a picture instead, within a limit of their own. Their routes look into it.
Rule 3: it keeps to I-JSON (RFC 7493): no key twice, no NaN, no lone surrogate. Two parsers could read such a text
    differently, and a check would see another value than the route behind it.
Rule 4: it is nested at most 32 deep, so no parser behind this layer runs out of stack.
Rule 5: it has at most `MOST_VALUES` commas and brackets, which is seen before it is parsed. A value costs a parser the
    same however short it is: 1 MiB of empty lists would hold the loop for half a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import orjson
from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chat.domain.logo import LOGO_BYTES
from chat.domain.pictures import PictureType
from chat.errors import Overloaded, Refused, RookeryError, TooLong
from chat.wire.json_keys import find_repeated_key
from services.common.problems import BODY_METHODS, answer_error

DEPTH = 32
MOST_VALUES = 5000
READ_SECONDS = 30.0
GRACE_SECONDS = 5.0
LEAST_RATE = 1024.0
FORM_PATHS = frozenset({"/api/notifications/unsubscribe"})
HELD_BYTES = 64 * 1024 * 1024
PICTURE_TYPES = tuple(str(kind) for kind in PictureType)
PICTURES = {("PUT", "/api/instance/logo"): ("logo", LOGO_BYTES)}
"""Calls whose body is a picture (rule 2c): method and path → what errors call it, and how many bytes it has at most."""


class BadJson(Refused):
    """The body is not the strict JSON of this module."""

    code = "bad_json"


class UnsupportedMediaType(Refused):
    """The body is of another type than the call takes: JSON, or a picture."""

    code = "unsupported_media_type"
    status = 415


class TooSlow(Refused):
    """The body did not arrive in time."""

    code = "timeout"
    status = 408


def check_json(body: bytes) -> None:
    """Raises `BadJson` or `TooLong`, which say what is wrong with the body; it raises no other error."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_VALUES:  # rule 5
        raise TooLong(f"the body has more than {MOST_VALUES} commas and brackets; send less at once")
    try:
        value = orjson.loads(body)  # rules 2 and 3: it refuses NaN, lone surrogates and what is not UTF-8
    except orjson.JSONDecodeError as error:
        raise BadJson(f"the body is not JSON in UTF-8: {error}") from None
    _check_depth(value)  # rule 4
    repeated = find_repeated_key(body)  # rule 3: parsers keep the last of two silently
    if repeated is not None:
        raise BadJson(f"the key {repeated[:64]!r} stands twice; send each field once")


def _check_type(headers: Mapping[bytes, bytes], *, is_picture: bool) -> None:
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise UnsupportedMediaType("send the body as it is, without `Content-Encoding`")  # rule 2a
    media = headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
    if is_picture and media not in PICTURE_TYPES:  # rule 2c
        raise UnsupportedMediaType(
            f"send a picture with its type, one of {', '.join(PICTURE_TYPES)}; SVG is not taken, because scripts can "
            "be in it",
            field="logo",
        )
    if not is_picture and media != "application/json":
        raise UnsupportedMediaType("send the body with `Content-Type: application/json`")  # rule 2


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH):
        level = [item for outer in level if isinstance(outer, dict | list) for item in _list_items(outer)]
        if not level:
            return
    raise BadJson(f"the body is nested more than {DEPTH} levels deep; make it flatter")


def _list_items(outer: dict[str, Any] | list[Any]) -> list[Any]:
    return list(outer.values()) if isinstance(outer, dict) else outer


class ByteBudget:
    """The bytes of all bodies that are held now, and of those of each address."""

    def __init__(self, total: int, per_address: int) -> None:
        self._free = total
        self._per_address = per_address
        self._held: Counter[str] = Counter()

    def take_bytes(self, address: str, count: int) -> None:
        """Raises `Overloaded` when so many are not free."""
        if count > self._free or self._held[address] + count > self._per_address:
            raise Overloaded("too many bodies come at once; try again in a moment")
        self._free -= count
        self._held[address] += count

    def give_back(self, address: str, count: int) -> None:
        """They are held no longer."""
        self._free += count
        self._held[address] -= count
        if not self._held[address]:
            del self._held[address]


class _HeldBody(Struct):
    address: str
    data: bytearray
    limit: int
    field: str | None = None


def _read_no_address(_scope: Scope) -> str:
    return ""


class BodyLimit:
    """ASGI middleware: reads a body in full, within the rules above; the application gets it as one event."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit: int,
        held_bytes: int = HELD_BYTES,
        read_address: Callable[[Scope], str] = _read_no_address,
    ) -> None:
        self._app = app
        self._limit = limit
        self._read_address = read_address
        self._budget = ByteBudget(max(held_bytes, limit), max(held_bytes // 8, limit))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with a problem document when its body breaks a rule."""
        if scope["type"] != "http" or scope["method"] not in BODY_METHODS:
            await self._app(scope, receive, send)
            return
        body = _HeldBody(self._read_address(scope), bytearray(), self._limit)
        try:
            await self._answer_request(scope, receive, send, body)
        finally:
            self._budget.give_back(body.address, len(body.data))

    async def _answer_request(self, scope: Scope, receive: Receive, send: Send, body: _HeldBody) -> None:
        """`body` is filled with what is held."""
        try:
            is_there = await self._read_checked(scope, receive, body)
        except RookeryError as error:
            await answer_error(error)(scope, receive, send)
            return
        if is_there:
            await self._app(scope, _replay_body(bytes(body.data), receive), send)

    async def _read_checked(self, scope: Scope, receive: Receive, body: _HeldBody) -> bool:
        """Whether the body is complete; otherwise the client is gone."""
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        is_picture, is_form = (scope["method"], scope["path"]) in PICTURES, scope["path"] in FORM_PATHS
        if is_picture:
            body.field, body.limit = PICTURES[scope["method"], scope["path"]]
        if length.isdigit() and int(length[:20]) > body.limit:
            raise _too_long(body)  # rule 1: announced too long, so not a byte of it is read
        if not is_form and b"expect" in headers:
            _check_type(headers, is_picture=is_picture)  # rule 2b
        with anyio.move_on_after(GRACE_SECONDS) as deadline:
            if not await self._read_body(receive, body, deadline):
                return False
        if deadline.cancelled_caught:
            raise TooSlow("the body came too slowly; try again")
        if not is_form and body.data:
            _check_type(headers, is_picture=is_picture)
            if not is_picture:
                check_json(bytes(body.data))
        return True

    async def _read_body(self, receive: Receive, body: _HeldBody, deadline: anyio.CancelScope) -> bool:
        """Read all of the body into `body`; False when the client is gone."""
        begun = anyio.current_time()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            self._hold_bytes(body, message.get("body", b""))
            deadline.deadline = begun + min(READ_SECONDS, GRACE_SECONDS + len(body.data) / LEAST_RATE)  # rule 1a
            if not message.get("more_body", False):
                return True

    def _hold_bytes(self, body: _HeldBody, more: bytes) -> None:
        if len(body.data) + len(more) > body.limit:
            raise _too_long(body)
        self._budget.take_bytes(body.address, len(more))  # rule 1
        body.data += more


def _too_long(body: _HeldBody) -> TooLong:
    return TooLong(f"the body is too large; send at most {body.limit} bytes", field=body.field)


def _replay_body(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
