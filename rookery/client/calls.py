"""Commands that wait for their answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from rookery.client.errors import ClientError
from rookery.client.events import OkAnswer
from rookery.client.resume import Cursor

LATER = frozenset({"rate_limited", "unavailable", "overloaded", "internal"})
"""Codes of temporary refusals: the command is kept and sent again later."""

_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 8.0

Settle = Callable[[OkAnswer | ClientError], None]
"""Called once with the outcome of a command."""


def encode_command(fields: dict[str, Any]) -> bytes:
    """A command's frame. Raises `ValueError` for what JSON in UTF-8 cannot carry, such as half of a surrogate pair."""
    try:
        return orjson.dumps(fields)
    except TypeError as error:
        raise ValueError(f"the command cannot be sent: {error}") from None


class Call:
    """A command that is not answered yet. `cursor` is what a `subscribe` or `sync` moves, `since` what it said."""

    __slots__ = ("_fields", "_frame", "_refusals", "cursor", "id", "keep", "kind", "settle", "since")

    def __init__(self, id: int, kind: str, fields: dict[str, Any], settle: Settle | None, keep: bool) -> None:  # noqa: A002
        self.id = id
        self.kind = kind
        self.settle = settle
        self.keep = keep
        self.cursor: Cursor | None = None
        self.since: int | None = None
        self._fields = {"type": kind, "id": id, **fields}
        self._frame = encode_command(self._fields)
        self._refusals = 0

    def encode_frame(self) -> bytes:
        """What is sent now: a `subscribe` or `sync` asks from where its cursor stands."""
        self.since = self.cursor.seq if self.cursor is not None else None
        if self.cursor is None or self.since is None:
            return self._frame
        epoch = {} if self.cursor.epoch is None else {"epoch": self.cursor.epoch}
        return encode_command({**self._fields, "since": self.since, **epoch})

    def pause_after_refusal(self, retry_after_ms: int | None) -> float:
        """The seconds to wait after another temporary refusal."""
        self._refusals += 1
        return retry_after_ms / 1000 if retry_after_ms else min(_LONGEST_PAUSE_S, _PAUSE_S * self._refusals)
