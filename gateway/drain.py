"""How an edge ends without loss: it reads no more, answers what it has read, and sends every client away.

Meanwhile new handshakes get 503.
"""

from __future__ import annotations

import anyio
import anyio.lowlevel

from chat.wire.close import CloseCode
from gateway.hub import SLICE
from gateway.node import Node
from gateway.phase import Phase


async def drain_sessions(node: Node) -> None:
    """Answer the commands that were read, then send sessions `closing` and 1012, and wait until they are gone.

    Returns after `drain_seconds` at the latest; the caller cuts off the sessions that are left then.
    """
    registry = node.registry
    registry.draining = True
    with anyio.move_on_after(node.settings.drain_seconds):
        for session in registry.sessions:
            if session.phase < Phase.CLOSING:  # the others wait for the peer's Close frame
                session.connection.pause_reading()
        while any(session.busy for session in registry.sessions):
            await registry.wait_for_progress()
        await _close_sessions(node)
        while registry.sessions:
            await registry.wait_for_progress()


async def _close_sessions(node: Node) -> None:
    """Send `closing` and 1012 to all, a slice at a time, so that the others' answers still go out between."""
    sessions = list(node.registry.sessions)
    for start in range(0, len(sessions), SLICE):
        for session in sessions[start : start + SLICE]:
            session.close(CloseCode.SERVICE_RESTART, "the server restarts; come back", retry=True)
        node.mux.flush()
        await anyio.lowlevel.checkpoint()
