"""Whether what a client knows is still history.

A backup that is restored takes messages back, and gives their seqs to other messages. So a seq alone does not tell
whether a client has everything up to it. Therefore history has an epoch, which begins anew with every restore.

Rule 1: who knows nothing (`since` is 0) misses nothing that was taken back.
Rule 2: who names the epoch was there in it, or was not.
Rule 3: who names none may be of an older version, and is believed as long as nothing was ever restored.
"""

from __future__ import annotations

from msgspec import Struct


class Epoch(Struct, frozen=True):
    """A time in which history took nothing back. `restored` tells whether there was another one before it."""

    id: str
    restored: bool = False


def is_still_history(epoch: Epoch, named: str | None, since: int) -> bool:
    """Whether the messages up to `since`, as a client knew them in the epoch that it named, are in history now."""
    if since == 0:  # rule 1
        return True
    return not epoch.restored if named is None else named == epoch.id  # rules 3 and 2
