"""The event of a changed case reaches every session of a moderator, on every edge, and nobody else."""

from __future__ import annotations

import pytest

from chat.case_announcements import CaseAnnouncer
from chat.domain.cases import Case, CaseKind
from chat.domain.ids import new_id
from chat.domain.models import InstanceRole
from tests.support.world import another_edge, world

pytestmark = pytest.mark.anyio


async def test_moderators_on_two_edges_learn_of_a_case_and_others_do_not() -> None:
    async with world() as here:
        mod, listed, bob = await here.user("mod"), await here.user("listed"), await here.user("bob")
        await here.accounts.set_instance_role(mod.id, InstanceRole.MODERATOR)
        one, other = await here.login(mod), await here.login(bob)
        async with another_edge(here):
            two, three = await here.login(mod), await here.login(listed)
            case = Case(id=new_id(), subject="message:room:x:1", kind=CaseKind.REPORTED, user=bob.id, opened=1)
            await CaseAnnouncer(here.accounts, here.relay, ["Listed"]).announce_case(case, "opened")
            for client in (one, two, three):
                assert await client.event("case") == {
                    "type": "case",
                    "case": case.id,
                    "change": "opened",
                    "state": "open",
                }
            await other.ask("unsubscribe", room=new_id())  # what was announced before has come by now
            assert not [frame for frame in other.frames if frame["type"] == "case"]
