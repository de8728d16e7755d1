"""When the keys that sign tokens are rotated, and which of them signs.

Rule 1: a new key is published `lead_ms` before it signs, so that every process can load it first.
Rule 2: when no key can sign, a new one signs at once.
Rule 3: a key that begins later than a rotation would let it was made while a clock was wrong. It counts as absent:
    otherwise nobody could log in until that time has come.
Rule 4: clocks of machines differ a little, so a key may begin `CLOCK_SKEW_MS` from now.
Rule 5: who sees the same keys gives the next one the same name, and a store keeps the first of a name. So of several
    processes that start together, all sign with one key: with one each, none would know the others' yet.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from msgspec import Struct

CLOCK_SKEW_MS = 30_000
_NAMES = uuid.UUID("6f1e0d0a-5b1c-4f7e-9a55-9d1f0c1f7c11")


class KeyTimes(Struct, frozen=True):
    """A key signs from `created` on and verifies until `expires`, in milliseconds since the epoch."""

    created: int
    expires: int


class KeyPlan(Struct, frozen=True):
    """In milliseconds: how often keys are rotated, how long before that the next one is published, and the life of an
    access token."""

    rotation_ms: int
    lead_ms: int
    ttl_ms: int


def can_sign(key: KeyTimes, now: int, ttl_ms: int) -> bool:
    """Whether a token that lives for `ttl_ms` from now can be signed with the key."""
    return key.created <= now + CLOCK_SKEW_MS and now + ttl_ms <= key.expires  # rule 4


def decide_new_key(keys: Sequence[KeyTimes], plan: KeyPlan, now: int) -> int | None:
    """When a key that is to be added begins to sign; None when none is due."""
    present = [key for key in keys if key.created <= now + plan.lead_ms + CLOCK_SKEW_MS]  # rule 3
    if not any(can_sign(key, now, plan.ttl_ms) for key in present):
        return now  # rule 2
    newest = max(key.created for key in present)
    return now + plan.lead_ms if now >= newest + plan.rotation_ms - plan.lead_ms else None  # rule 1


def name_next_key(kids: Iterable[str]) -> str:
    """The `kid` of the key that follows those of these names (rule 5)."""
    return str(uuid.uuid5(_NAMES, " ".join(sorted(kids))))
