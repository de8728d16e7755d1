"""Moderation in the domain's words: what is checked, what came of it, and who is kept out."""

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
    """How much a room bears; a rule names the least strictness at which it holds."""

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


class BlockChange(Struct, frozen=True, kw_only=True):
    """A block began or was changed (`block`), or ended (None)."""

    user: str
    block: Block | None
