"""Moderation in the domain's words: what is checked, the findings, and who is blocked."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """What becomes of a message, from nothing to the worst."""

    ALLOW = "allow"
    FLAG = "flag"  # it stays, and a moderator looks at it
    REMOVE = "remove"  # its text is withdrawn
    BLOCK = "block"  # its text is withdrawn, and its sender is blocked


class Strictness(StrEnum):
    """How strictly a room is moderated; a rule names the least strictness at which it holds."""

    RELAXED = "relaxed"
    NORMAL = "normal"
    STRICT = "strict"


class Content(Struct, frozen=True, kw_only=True):
    """One text to check. `conversation` is `room:ID` or `dm:ID:ID`; `ts` in milliseconds since the epoch.

    (`sender`, `client_id`) names the message: checked again, it counts once towards floods and repetition. The edit of
    a message has the same pair and another `revision` (the time of the edit).
    """

    conversation: str
    sender: str
    client_id: str
    text: str
    ts: int
    revision: int = 0
    strictness: Strictness = Strictness.NORMAL


class Finding(Struct, frozen=True, kw_only=True):
    """The verdict on one content. `rule` is the name of the rule that decided, empty for `allow`; `reason` is what the
    sender and the room may read."""

    verdict: Verdict
    rule: str = ""
    reason: str = ""


class Block(Struct, frozen=True, kw_only=True):
    """A user who is kept out of the instance. Times in milliseconds since the epoch; `until` is None for ever.

    `by` is the id of the moderator, or `moderation` for the policy.
    """

    user: str
    by: str
    reason: str
    since: int
    until: int | None = None


def is_in_force(block: Block, now: int) -> bool:
    """Whether the block's time is not over."""
    return block.until is None or block.until > now


def longer_block(one: int | None, other: int | None) -> int | None:
    """The longer of two blocks in seconds, or the later of two ends; None is for ever."""
    return None if one is None or other is None else max(one, other)


def choose_block(known: Block | None, new: Block, now: int) -> Block:
    """The block that applies when the policy sets `new` and `known` was there: a block in force is never shortened."""
    if known is None or not is_in_force(known, now):
        return new
    return known if longer_block(known.until, new.until) == known.until else new


class BlockChange(Struct, frozen=True, kw_only=True):
    """A block began or was changed (`block`), or ended (None)."""

    user: str
    block: Block | None
