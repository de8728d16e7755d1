"""The W3C trace context (https://www.w3.org/TR/trace-context/) over RPC: one `traceparent` from role to role.

Nothing is exported here. A call that begins without a trace begins one; a server's log lines name it, so that the
lines of one request can be found in the logs of all roles.
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


def outgoing() -> str:
    """The header of a call: a new span of the present trace, or of a new one."""
    trace = current.get()
    if trace is None:
        return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
    return f"00-{trace.trace_id}-{secrets.token_hex(8)}-{trace.flags}"
