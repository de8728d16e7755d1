"""The phases of a session's life."""

from __future__ import annotations

from enum import IntEnum


class Phase(IntEnum):
    """Where a session is in its life. It only moves forward: comparisons such as `phase < Phase.CLOSING` are meant."""

    NEW = 0
    AUTHENTICATING = 1
    LIVE = 2
    CLOSING = 3
    GONE = 4


NEW, AUTHENTICATING, LIVE, CLOSING, GONE = Phase
"""The phases by names of the module, for what every frame asks: looked up in their class, they take Python 3.11 seven
times as long."""
