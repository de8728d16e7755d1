"""How an edge ends without loss: it reads no more, answers what it has read, and sends every client away.

Rule 1: meanwhile new handshakes get 503, so a balancer takes them to another edge.
Rule 2: a session is sent away as soon as it is owed no answer, and at half-time in any case: a log that does not answer
        costs nobody the word when to come back.
Rule 3: what was acknowledged is in the log, so nothing that is cut off here is lost.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import anyio.lowlevel

from chat.wire.close import CloseCode
from gateway.hub import SLICE
from gateway.node import Node
from gateway.phase import CLOSING
from gateway.registry import RegisteredSession


async def drain_sessions(node: Node) -> None:
    """Answer the commands that were read, then send sessions `closing` and 1012, and wait until they are gone.

    Returns after `drain_seconds` at the latest; the caller cuts off the sessions that are left then.
    """
    registry, seconds = node.registry, node.settings.drain_seconds
    registry.draining = True  # rule 1
    with anyio.move_on_after(seconds):
        for session in registry.sessions:
            if session.phase < CLOSING:  # the others wait for the peer's Close frame
                session.connection.pause_reading()
        with anyio.move_on_after(seconds / 2):  # rule 2
            await _close_when_answered(node)
        await _close_sessions(node, list(registry.sessions))
        while registry.sessions:
            await registry.wait_for_progress()


async def _close_when_answered(node: Node) -> None:
    """Send each session away as soon as it is owed no answer. Nothing is read any more, so none is owed a new one."""
    sessions = node.registry.sessions
    waiting = list(sessions)
    while waiting:
        answered = [session for session in waiting if not session.busy]
        waiting = [session for session in waiting if session.busy and session in sessions]
        if answered:
            await _close_sessions(node, answered)
        elif waiting:  # looked at just now, with no await in between
            await node.registry.wait_for_progress()


async def _close_sessions(node: Node, sessions: Sequence[RegisteredSession]) -> None:
    """Send `closing` and 1012 to these, a slice at a time, so that the others' answers still go out between."""
    for start in range(0, len(sessions), SLICE):
        for session in sessions[start : start + SLICE]:
            session.close(CloseCode.SERVICE_RESTART, "the server restarts; come back", retry=True)
        node.mux.flush()
        await anyio.lowlevel.checkpoint()
