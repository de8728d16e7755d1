"""Which session makes room when a user has as many as are allowed: one whose peer is gone, and nobody has noticed yet.

A phone that changes networks leaves its session behind; the edge notices that after two intervals of silence. Until
then such sessions must not keep the user's new one out, and live sessions must not be closed for it.

Rule 1: a session whose peer answers a ping is alive, and stays. If all are, the new session is refused.
Rule 2: of those that do not answer in time, the one that was silent for the longest is closed.
Rule 3: a session that has left an earlier ping unanswered for that long is not asked again.
Rule 4: a session that is not read from (it owes too many answers) cannot be heard, and counts as alive.
"""

from __future__ import annotations

import anyio

from chat.wire.close import CloseCode
from gateway.phase import LIVE
from gateway.registry import RegisteredSession
from gateway.session import Session

PROBE_SECONDS = 2.0
_ANSWER_SECONDS = 1.5
"""A session is dead after so long without an answer. Less than the wait, which rounding may make a little short."""


async def has_room(session: Session) -> bool:
    """Whether the user's new session may stay; a dead one may be closed for it. Takes `PROBE_SECONDS` at most."""
    if not has_too_many(session):
        return True
    others = _list_others(session)
    if not any(map(_is_dead, others)):  # rule 3
        for each in others:
            each.probe_peer()
        session.node.mux.flush()
        await anyio.sleep(PROBE_SECONDS)
    if session.phase is not LIVE or not has_too_many(session):
        return True
    dead = [each for each in others if each.phase is LIVE and _is_dead(each)]  # rule 1
    if not dead:
        return False
    dead[0].close(CloseCode.RATE_LIMITED, "too many sessions; this one was silent for the longest")  # rule 2
    return True


def has_too_many(session: Session) -> bool:
    """Whether the user has more sessions here than are allowed."""
    siblings, limits = session.siblings, session.node.limits
    if siblings is None or not limits.rate_limits:
        return False
    return len(siblings.sessions) > limits.sessions_per_user


def _list_others(session: Session) -> list[RegisteredSession]:
    """The user's other sessions, the one that was silent for the longest first."""
    others = [each for each in session.node.users.sessions_of(session.user) if each is not session]
    return sorted(others, key=lambda each: each.heard_at)


def _is_dead(session: RegisteredSession) -> bool:
    """Whether the peer has left a probe unanswered for long enough."""
    return session.probed_at is not None and anyio.current_time() - session.probed_at >= _ANSWER_SECONDS
