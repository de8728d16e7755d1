"""A refresh token is used once, and may come again for a minute while no successor of it was used."""

from __future__ import annotations

import pytest

from chat.domain.token_families import (
    GRACE_MS,
    MOST_SUCCESSORS,
    PresentedToken,
    Rotation,
    RotationDecision,
    decide_rotation,
)

NOW = 1_000_000_000
LATER = NOW + 30 * 24 * 3600 * 1000


def token(*, expires: int = LATER, replaced: int = 0, newest: int | None = None, in_use: int = 1) -> PresentedToken:
    newest = replaced if newest is None else newest
    return PresentedToken(expires=expires, replaced=replaced, newest=newest, in_use=in_use)


@pytest.mark.parametrize(
    ("presented", "expected"),
    [
        (None, RotationDecision(Rotation.UNKNOWN)),
        (token(), RotationDecision(Rotation.ROTATED, NOW)),
        (token(expires=NOW + 1), RotationDecision(Rotation.ROTATED, NOW)),
        (token(expires=NOW), RotationDecision(Rotation.EXPIRED)),
        # In its grace, and just after it.
        (token(replaced=NOW), RotationDecision(Rotation.ROTATED)),
        (token(replaced=NOW - GRACE_MS), RotationDecision(Rotation.ROTATED)),
        (token(replaced=NOW - GRACE_MS - 1), RotationDecision(Rotation.REUSED)),
        # A successor was used since.
        (token(replaced=NOW - 10, newest=NOW - 9), RotationDecision(Rotation.REUSED)),
        # Stored before the time of the replacement was.
        (token(replaced=1), RotationDecision(Rotation.REUSED)),
        # Others share its place.
        (token(replaced=NOW, in_use=MOST_SUCCESSORS - 1), RotationDecision(Rotation.ROTATED)),
        (token(replaced=NOW, in_use=MOST_SUCCESSORS), RotationDecision(Rotation.REUSED)),
    ],
)
def test_what_becomes_of_a_token(presented: PresentedToken | None, expected: RotationDecision) -> None:
    assert decide_rotation(presented, NOW) == expected


def test_two_uses_in_a_millisecond_or_with_a_clock_that_goes_back_are_told_apart() -> None:
    first = decide_rotation(token(newest=NOW), NOW)
    assert first == RotationDecision(Rotation.ROTATED, NOW + 1)
    assert decide_rotation(token(newest=NOW), NOW - 5000) == RotationDecision(Rotation.ROTATED, NOW + 1)
    assert decide_rotation(token(replaced=NOW, newest=NOW + 1), NOW).outcome is Rotation.REUSED
