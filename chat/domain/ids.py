"""Identifiers and times as they stand on the wire."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime
from functools import lru_cache

from chat.errors import Invalid


def new_id() -> str:
    """A random UUID (version 4) as a lower-case string."""
    drawn = os.urandom(16).hex()  # written out: the module `uuid` takes three times as long, and each session has one
    variant = "89ab"[int(drawn[16], 16) & 3]
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-{variant}{drawn[17:20]}-{drawn[20:]}"


def check_id(value: str, field: str = "id") -> str:
    """`value` as a canonical lower-case UUID, or `Invalid` naming `field`."""
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise Invalid(f"`{field}` is a UUID", field=field) from None


def now_ms() -> int:
    """The wall clock in milliseconds since the Unix epoch. Passed to constructors as `clock`, so tests own the time."""
    return time.time_ns() // 1_000_000


def rfc3339(ms: int) -> str:
    """A time as RFC 3339 in UTC with milliseconds: `2026-01-02T03:04:05.678Z`."""
    return f"{_format_second(ms // 1000)}.{ms % 1000:03d}Z"


@lru_cache(maxsize=256)  # live messages share their second; formatting one costs more than the rest of an event
def _format_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def from_rfc3339(text: str, field: str = "time") -> int:
    """Milliseconds since the epoch of an RFC 3339 time, or `Invalid` naming `field`."""
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"`{field}` is a time as in RFC 3339, such as 2026-01-02T03:04:05.678Z", field=field) from None
    if stamp.tzinfo is None:
        raise Invalid(f"`{field}` needs a time zone; add Z for UTC", field=field)
    return round(stamp.timestamp() * 1000)
