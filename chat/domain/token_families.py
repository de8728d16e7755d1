"""What becomes of a refresh token that is presented.

A log-in has a family of refresh tokens. Each is used once and replaced by a successor, so the second use of a token
means that somebody copied it, and the family ends. But the answer of a refresh may be lost, and two windows of a
browser may refresh at the same moment. So a token that was just replaced may be presented again.

Rule 1: a token that is in use and has not expired is replaced by a successor.
Rule 2: a replaced token is accepted for `GRACE_MS` while no successor of it was used. It then gets another successor in
    the same place: whichever of the two is used next replaces both.
Rule 3: a replaced token that comes later than that, or after a successor was used, was copied: the family ends.
Rule 4: at most `MOST_SUCCESSORS` share a place, so a client that asks in a loop cannot fill the store.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

GRACE_MS = 60_000
MOST_SUCCESSORS = 32


class Rotation(StrEnum):
    """What became of a refresh token that was presented."""

    ROTATED = "rotated"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REUSED = "reused"


class PresentedToken(Struct, frozen=True, kw_only=True):
    """A refresh token and its family, as stored. Times in milliseconds since the epoch.

    `replaced` is when it was replaced (0: it is in use), and `newest` the latest such time in its family (0: none).
    `in_use` is the number of tokens of the family that are in use.
    """

    expires: int
    replaced: int
    newest: int
    in_use: int


class RotationDecision(Struct, frozen=True):
    """When it is ROTATED, a successor is added; with `replaced`, all tokens in use were replaced at that time."""

    outcome: Rotation
    replaced: int | None = None


def decide_rotation(token: PresentedToken | None, now: int) -> RotationDecision:
    """By the rules above; None is a token that is not stored."""
    if token is None:
        return RotationDecision(Rotation.UNKNOWN)
    if token.replaced:
        may_come_again = _is_in_grace(token, now) and token.in_use < MOST_SUCCESSORS  # rules 2 and 4
        return RotationDecision(Rotation.ROTATED if may_come_again else Rotation.REUSED)
    if token.expires <= now:
        return RotationDecision(Rotation.EXPIRED)
    # Later than every time before it, even within a millisecond, so that the latest use of a family is known.
    return RotationDecision(Rotation.ROTATED, max(now, token.newest + 1))  # rule 1


def _is_in_grace(token: PresentedToken, now: int) -> bool:
    """When a successor is used, it gets a later time than its predecessor has."""
    return token.replaced == token.newest and now - token.replaced <= GRACE_MS
