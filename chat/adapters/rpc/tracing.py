"""The W3C trace context (https://www.w3.org/TR/trace-context/) over RPC: one `traceparent` from role to role.

Nothing is exported here, and nothing begins a trace: one that a caller brought goes on with each call that is made for
it, and a server's log lines name it, so that the lines of one request can be found in the logs of all roles. A header
that differs with each call cannot be compressed, so a call without a trace does not pay for one.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from typing import NamedTuple

HEADER = "traceparent"
_FORM = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")


class Trace(NamedTuple):
    """The trace that this task works for: its id, the present span, and the sampling flags, in hexadecimal."""

    trace_id: str
    span_id: str
    flags: str


current: ContextVar[Trace | None] = ContextVar("rookery_trace", default=None)


def received(header: str) -> Trace | None:
    """The caller's trace; None where the header is missing or malformed, as the standard wants it (3.2.2)."""
    found = _FORM.fullmatch(header)
    if not found or header.startswith("ff") or not int(found[1], 16) or not int(found[2], 16):
        return None
    return Trace(found[1], found[2], found[3])


def outgoing() -> str | None:
    """The header of a call: a new span of the present trace, if there is one."""
    trace = current.get()
    return None if trace is None else f"00-{trace.trace_id}-{secrets.token_hex(8)}-{trace.flags}"
