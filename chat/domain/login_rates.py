"""How the guessing of passwords is slowed down, without keeping the owner of a name out.

Rule 1: wrong guesses are counted by the name and the address of the client together, so what a stranger guesses from
    elsewhere does not count against the owner.
Rule 2: a device that was logged in as this user before is let through to the password, and counted by itself.
Rule 3: when a name is guessed from many addresses, log-ins from unknown devices are not refused but wait for each
    other: one begins every `SLOW_MS`, and at most `MOST_WAITING` wait. That bounds the guesses of all addresses.
"""

from __future__ import annotations

SLOW_MS = 2000
MOST_WAITING = 15


def plan_slow_log_in(last_begin: int, now: int) -> int | None:
    """When a log-in that is slowed down begins, after one that begins at `last_begin`; None when too many wait.

    Times in milliseconds since the epoch.
    """
    begin = max(now, last_begin + SLOW_MS)
    return begin if begin - now <= MOST_WAITING * SLOW_MS else None
