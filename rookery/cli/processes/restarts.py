"""When a process that ended is started again, when its supervisor gives up, and with which code that one exits.

All of it is pure, so every case can be tried without a process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

WINDOW_SECONDS = 600.0
MOST_DEATHS = 10
"""So many in the window are healed; one more ends the supervisor."""
LONGEST_SECONDS = 60.0


def decide_restart(deaths: Sequence[float], now: float) -> float | None:
    """After how many seconds a process is started again; None: never, the supervisor gives up.

    `deaths` says when the processes of this place ended without having been told to, in seconds by the clock of `now`.
    The first of the window is healed at once, later ones after 1, 2, 4, … seconds, at most `LONGEST_SECONDS`.
    """
    recent = sum(now - death < WINDOW_SECONDS for death in deaths)
    if recent > MOST_DEATHS:
        return None
    return 0.0 if recent <= 1 else min(LONGEST_SECONDS, 2.0 ** (recent - 2))


def find_exit_code(codes: Iterable[int]) -> int:
    """The worst of these codes, 0 for none. A process that a signal ended counts as in a shell: 128 and its number."""
    return max((128 - code if code < 0 else code for code in codes), default=0)
