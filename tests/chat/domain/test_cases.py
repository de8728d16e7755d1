"""What a verdict, a report, an appeal and a decision make of a case."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chat.domain.cases import (
    REPORTS_KEPT,
    Case,
    CaseKind,
    CaseState,
    Report,
    appeal_case,
    decide_case,
    judge_case,
    message_subject,
    needs_restoration,
    needs_withdrawal,
    report_case,
    require_appealable,
    require_decision,
    require_reportable,
)
from chat.domain.models import Message
from chat.domain.moderation import Verdict
from chat.errors import Conflict, Forbidden, Invalid, NotFound
from tests.support.builders import ANN, BEN, CAT, HALL

SUBJECT = message_subject(HALL, 1)
CASE = Case(id="first", subject=SUBJECT, kind=CaseKind.FLAGGED, user=ANN, opened=1, revision=3, rule="slurs")
NEWER = replace(CASE, id="second", kind=CaseKind.REMOVED, opened=2, revision=4, state=CaseState.DECIDED, rule="links")
DECIDED = decide_case(CASE, Verdict.ALLOW, CAT, 9)
RUDE = Report(BEN, "rude", 5)


def test_a_verdict_begins_a_case_and_a_newer_one_takes_its_place() -> None:
    assert judge_case(None, CASE) == (CASE, True)
    assert judge_case(CASE, NEWER) == (replace(NEWER, id="first", opened=1), True)


@pytest.mark.parametrize("revision", [2, 3])
def test_a_verdict_that_is_not_newer_changes_nothing(revision: int) -> None:
    assert judge_case(CASE, replace(NEWER, revision=revision)) == (CASE, False)


def test_a_newer_judgement_keeps_the_reports_and_an_appeal_that_waits() -> None:
    known = replace(CASE, reports=(RUDE,), appeal="it was a quotation")
    judged, _ = judge_case(known, NEWER)
    assert (judged.reports, judged.appeal, judged.state) == ((RUDE,), known.appeal, CaseState.OPEN)
    answered, _ = judge_case(replace(known, state=CaseState.DECIDED), NEWER)
    assert (answered.appeal, answered.state) == (known.appeal, CaseState.DECIDED)


def test_a_report_begins_a_case_or_joins_it_and_leaves_a_decision() -> None:
    assert report_case(None, CASE, RUDE) == (replace(CASE, reports=(RUDE,)), True)
    assert report_case(DECIDED, CASE, RUDE) == (replace(DECIDED, reports=(RUDE,)), True)


def test_a_user_reports_once_and_reports_are_bounded() -> None:
    reported, _ = report_case(CASE, CASE, RUDE)
    assert report_case(reported, CASE, replace(RUDE, reason="again")) == (reported, False)
    full = replace(CASE, reports=tuple(Report(str(number), "", 1) for number in range(REPORTS_KEPT)))
    assert report_case(full, CASE, RUDE) == (full, False)


def test_an_appeal_opens_a_case_again_once() -> None:
    appealed, changed = appeal_case(DECIDED, CASE, "it was a quotation")
    assert changed
    assert appealed == replace(DECIDED, appeal="it was a quotation", state=CaseState.OPEN)
    assert appeal_case(None, CASE, "why?") == (replace(CASE, appeal="why?"), True)
    with pytest.raises(Conflict):
        appeal_case(appealed, CASE, "and again")


def test_a_decision_says_who_made_it_and_when_and_needs_a_case() -> None:
    assert (DECIDED.state, DECIDED.verdict, DECIDED.decided_by, DECIDED.decided) == (
        CaseState.DECIDED,
        Verdict.ALLOW,
        CAT,
        9,
    )
    with pytest.raises(NotFound):
        decide_case(None, Verdict.ALLOW, CAT, 9)


def said(text: str | None = "hello", *, moderated: bool = False, deleted: bool = False) -> Message:
    """A message of Ann's."""
    return Message(
        conversation=HALL,
        seq=1,
        sender=ANN,
        sender_name="ann",
        text=text,
        ts=1,
        client_id="c",
        moderated=moderated,
        deleted=deleted,
    )


def test_others_messages_are_reported_while_they_have_a_text() -> None:
    require_reportable(said(), BEN)
    with pytest.raises(Conflict, match="report yourself"):
        require_reportable(said(), ANN)
    with pytest.raises(Conflict, match="withdrawn already"):
        require_reportable(said(None, deleted=True), BEN)


def test_only_the_author_appeals_and_only_against_moderation() -> None:
    require_appealable(said(None, moderated=True), ANN)
    with pytest.raises(Forbidden, match="only the author"):
        require_appealable(said(None, moderated=True), BEN)
    with pytest.raises(Conflict, match="not withdrawn by moderation"):
        require_appealable(said(None, deleted=True), ANN)


def test_a_moderator_decides_and_does_not_flag() -> None:
    for verdict in (Verdict.ALLOW, Verdict.REMOVE, Verdict.BLOCK):
        require_decision(verdict)
    with pytest.raises(Invalid, match="`allow`, `remove` or `block`"):
        require_decision(Verdict.FLAG)


@pytest.mark.parametrize(
    ("message", "withdrawn", "restored"),
    [
        (None, False, False),
        (said(), True, False),
        (said(None, moderated=True), False, True),
        (said(None, deleted=True), True, False),
        (said(None, moderated=True, deleted=True), False, False),
    ],
)
def test_a_decision_withdraws_and_restores_what_there_is(
    message: Message | None, withdrawn: bool, restored: bool
) -> None:
    assert needs_withdrawal(message) is withdrawn
    assert needs_restoration(message) is restored
