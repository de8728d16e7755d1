"""What a changed case is called, and that a relay which fails does not undo what was stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from chat.case_announcements import CaseAnnouncer, name_change, name_verdict
from chat.domain.cases import Case, CaseKind, CaseState
from chat.domain.ids import new_id
from chat.domain.models import InstanceRole
from chat.errors import Unavailable
from tests.support.builders import ANN, NOW, make_user
from tests.support.engines import sqlite_memory
from tests.support.faults import FaultyRelay, first

NEW = Case(id=new_id(), subject="message:room:x:1", kind=CaseKind.FLAGGED, user=ANN, opened=NOW)
KNOWN = replace(NEW, id=new_id())


def test_a_case_is_opened_by_the_first_who_reports_it_and_changed_by_the_next() -> None:
    assert [name_change(NEW, NEW), name_change(NEW, KNOWN)] == ["opened", "changed"]


def test_a_verdict_that_waits_for_nobody_decides_the_case() -> None:
    decided = replace(NEW, state=CaseState.DECIDED)
    assert [name_verdict(NEW, NEW), name_verdict(NEW, KNOWN), name_verdict(NEW, decided)] == [
        "opened",
        "changed",
        "decided",
    ]


@pytest.mark.anyio
async def test_a_relay_that_fails_does_not_fail_the_decision(tmp_path: Path) -> None:
    relay = FaultyRelay()
    async with sqlite_memory(tmp_path) as stores:
        await stores.accounts.create_user(make_user(ANN, instance_role=InstanceRole.OWNER), None)
        announcer = CaseAnnouncer(stores.accounts, relay, [])
        relay.before_publish = first(Unavailable("away"))
        await announcer.announce_case(NEW, "opened")
        assert relay.published == []
        await announcer.announce_case(NEW, "changed")
        assert [len(batch) for batch in relay.published] == [1]
