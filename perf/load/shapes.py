"""How many users there are at each moment of a load test. `scripts/load --shape` picks one."""

from __future__ import annotations

from collections.abc import Callable

Users = Callable[[float, int, float], int]
"""The number of users at a second of the test, for the most users and the seconds that the test takes."""


def steady(second: float, users: int, seconds: float) -> int:  # noqa: ARG001 # as the others
    """All users from the beginning, as fast as `--spawn-rate` starts them."""
    return users


def ramp(second: float, users: int, seconds: float) -> int:
    """Ten even steps up in four fifths of the time, then all until the end: shows where it becomes slow."""
    step = int(second / (seconds * 0.8) * 10) + 1
    return max(1, users * min(10, step) // 10)


def spike(second: float, users: int, seconds: float) -> int:
    """A tenth of the users; for a tenth of the time, three times over, all of them at once."""
    part = int(second / seconds * 10)
    return users if part in (2, 5, 8) else max(1, users // 10)


def soak(second: float, users: int, seconds: float) -> int:
    """Up in a twentieth of the time, then the same load until the end: shows what grows."""
    return max(1, int(users * min(1.0, second / (seconds * 0.05))))


SHAPES: dict[str, Users] = {"steady": steady, "ramp": ramp, "spike": spike, "soak": soak}
