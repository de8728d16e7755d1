"""What moderators look at and what they did: cases, reports, appeals, removals, the audit log."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, structs

from chat.domain.moderation import Verdict

POLICY = "moderation"
"""Who acts when no person does: `by` in blocks and in the audit log, and the actor of a withdrawal."""


class CaseKind(StrEnum):
    """How a case began: a rule flagged a message, or removed it; someone reported it; a blocked user appealed."""

    FLAGGED = "flagged"
    REMOVED = "removed"
    REPORTED = "reported"
    BLOCKED = "blocked"


class CaseState(StrEnum):
    """Open cases wait for a moderator."""

    OPEN = "open"
    DECIDED = "decided"


class Report(Struct, frozen=True):
    """A user's report of a message. `at` in milliseconds since the epoch."""

    user: str
    reason: str
    at: int


class Case(Struct, frozen=True, kw_only=True):
    """One message, or one block, and what became of it. There is one case for a `subject`.

    `user` wrote the message, or is blocked. `revision` is that of the text that a rule judged last, -1 when none did.
    Times in milliseconds since the epoch. The text is not kept here: history has it, withdrawn or not.
    """

    id: str
    subject: str
    kind: CaseKind
    user: str
    opened: int
    state: CaseState = CaseState.OPEN
    conversation: str = ""
    seq: int = 0
    client_id: str = ""
    revision: int = -1
    rule: str = ""
    reason: str = ""
    verdict: Verdict | None = None
    decided_by: str = ""
    decided: int | None = None
    reports: tuple[Report, ...] = ()
    appeal: str | None = None


class Action(StrEnum):
    """What the audit log tells of."""

    FLAG = "flag"
    REMOVE = "remove"
    REPORT = "report"
    APPEAL = "appeal"
    DECIDE = "decide"
    BLOCK = "block"
    UNBLOCK = "unblock"
    SETTING = "setting"


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Who did what to whom, and why. `by` is a user's id, or `POLICY`; what there is none of is empty."""

    id: str
    at: int
    by: str
    action: Action
    user: str
    case: str = ""
    rule: str = ""
    reason: str = ""
    verdict: Verdict | None = None
    until: int | None = None


class Removal(Struct, frozen=True, kw_only=True):
    """A text that a rule removed; (`user`, `client_id`, `revision`) names it. `at` is when it was written; `blocking`,
    whether the rule asked for a block as well."""

    user: str
    client_id: str
    revision: int
    at: int
    blocking: bool = False


class Tally(Struct, frozen=True):
    """How many removals of a user count, and of how many the rule asked for a block."""

    removals: int = 0
    blocking: int = 0


def rejudged(known: Case, judged: Case) -> Case:
    """The known case with a newer judgement; its reports and its appeal stay, and an appeal that waits still waits."""
    waits = known.appeal is not None and known.state is CaseState.OPEN
    return structs.replace(
        judged,
        id=known.id,
        opened=known.opened,
        reports=known.reports,
        appeal=known.appeal,
        state=CaseState.OPEN if waits else judged.state,
    )


def message_subject(conversation: str, seq: int) -> str:
    """The subject of a message's case."""
    return f"message:{conversation}:{seq}"


def block_subject(user: str, since: int) -> str:
    """The subject of a block's case."""
    return f"block:{user}:{since}"
