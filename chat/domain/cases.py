"""What moderators look at and what they did: cases, reports, appeals, removals, the audit log."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from chat.domain.audit_notes import AuditNote
from chat.domain.models import Message
from chat.domain.moderation import Verdict
from chat.errors import Conflict, Forbidden, Invalid, NotFound

REPORTS_KEPT = 100
"""Of one case; a moderator learns nothing new from more."""

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


class CaseAction(StrEnum):
    """The kinds of entries in the audit log."""

    FLAG = "flag"
    REMOVE = "remove"
    REPORT = "report"
    APPEAL = "appeal"
    DECIDE = "decide"
    BLOCK = "block"
    UNBLOCK = "unblock"
    SETTING = "setting"
    OWNER = "owner"
    OPERATOR = "operator"  # what somebody did with `rookery admin`; the reason says what


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Who did what to whom, and why. `by` is a user's id, `POLICY`, or `operator:` and an account of the system, for
    what was done with `rookery admin`; what there is none of is empty. `note` is what the operator did, by its code and
    its values (`chat.domain.audit_notes`); `reason` has it in English then."""

    id: str
    at: int
    by: str
    action: CaseAction
    user: str
    case: str = ""
    rule: str = ""
    reason: str = ""
    verdict: Verdict | None = None
    until: int | None = None
    note: AuditNote | None = None


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


def require_reportable(message: Message, reporter: str) -> None:
    """Raise `Conflict` unless this user may report the message."""
    if message.sender == reporter:
        raise Conflict("you cannot report yourself; delete the message instead", field="seq")
    if message.text is None:
        raise Conflict("this message was withdrawn already", field="seq")


def require_appealable(message: Message, user: str) -> None:
    """Raise `Forbidden` or `Conflict` unless this user may appeal against the withdrawal of the message."""
    if message.sender != user:
        raise Forbidden("only the author of a message may appeal")
    if not message.moderated:
        raise Conflict("this message was not withdrawn by moderation", field="seq")


def require_decision(verdict: Verdict) -> None:
    """Raise `Invalid` unless a moderator may decide so."""
    if verdict is Verdict.FLAG:
        raise Invalid("a decision is `allow`, `remove` or `block`", field="verdict")


def needs_withdrawal(message: Message | None) -> bool:
    """Whether a decision against the message has a text to withdraw."""
    return message is not None and not message.moderated


def needs_restoration(message: Message | None) -> bool:
    """Whether a decision for the message has a text to give back; what its author deleted stays deleted."""
    return message is not None and message.moderated and not message.deleted


CaseChange = tuple[Case, bool]
"""The case as it is now, and whether that is to be stored."""


def judge_case(known: Case | None, judged: Case) -> CaseChange:
    """A rule judged the subject. The verdict on a newer revision takes the place of the one before; the reports and the
    appeal stay, and an appeal that waits for a moderator still waits."""
    if known is None:
        return judged, True
    if known.revision >= judged.revision:
        return known, False
    waits = known.appeal is not None and known.state is CaseState.OPEN
    state = CaseState.OPEN if waits else judged.state
    kept = {"id": known.id, "opened": known.opened, "reports": known.reports, "appeal": known.appeal}
    return replace(judged, state=state, **kept), True


def report_case(known: Case | None, new: Case, report: Report) -> CaseChange:
    """A user reported the subject, whose case is `new` if there was none. A user's second report is not added, nor one
    beyond `REPORTS_KEPT`; a decided case stays decided."""
    case = known or new
    if len(case.reports) >= REPORTS_KEPT or any(each.user == report.user for each in case.reports):
        return case, False
    return replace(case, reports=(*case.reports, report)), True


def appeal_case(known: Case | None, new: Case, text: str) -> CaseChange:
    """The user appealed; a moderator has to look again. There is one appeal: `Conflict` for a second."""
    case = known or new
    if case.appeal is not None:
        raise Conflict("there was an appeal before; the moderators' answer to it stands")
    return replace(case, appeal=text, state=CaseState.OPEN), True


def decide_case(known: Case | None, verdict: Verdict, by: str, at: int) -> Case:
    """The case after a moderator's decision. Raises `NotFound` when there is no case."""
    if known is None:
        raise NotFound("there is no such case")
    return replace(known, state=CaseState.DECIDED, verdict=verdict, decided_by=by, decided=at)


def message_subject(conversation: str, seq: int) -> str:
    """The subject of a message's case."""
    return f"message:{conversation}:{seq}"


def block_subject(user: str, since: int) -> str:
    """The subject of a block's case."""
    return f"block:{user}:{since}"
