"""Whom a changed case is announced to: on every engine that keeps users, and every relay."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest
from msgspec.structs import replace

from chat.case_announcements import CaseAnnouncer
from chat.domain.cases import Case, CaseKind, CaseState
from chat.domain.ids import new_id
from chat.domain.models import InstanceRole
from chat.ports.relay import Publication, Relay
from chat.wire.events import CaseEvent, encode
from chat.wire.relay import pack_event, user_channel
from tests.support.builders import ANN, BEN, CAT, DAN, NOW, make_user
from tests.support.engines import Stores
from tests.support.patience import patient
from tests.support.relays import RELAYS
from tests.support.servers import marked

pytestmark = pytest.mark.anyio
CASE = Case(id=new_id(), subject="message:room:x:1", kind=CaseKind.REPORTED, user=ANN, opened=NOW, reason="a secret")
LAST = b"the last"


@pytest.fixture(params=marked(RELAYS))
async def relay(request: pytest.FixtureRequest) -> AsyncIterator[Relay]:
    async with RELAYS[request.param](1000) as made:
        yield made


async def test_those_with_a_role_and_those_whom_the_operator_lists_learn_of_a_case(
    stores: Stores, relay: Relay
) -> None:
    for user, role in ((ANN, InstanceRole.OWNER), (BEN, InstanceRole.MODERATOR), (CAT, None), (DAN, None)):
        await stores.accounts.create_user(make_user(user, name=f"User-{user[-1]}", instance_role=role), None)
    announcer = CaseAnnouncer(stores.accounts, relay, [f"USER-{CAT[-1]}", "nobody"])
    channels = {user_channel(user): user for user in (ANN, BEN, CAT, DAN)}
    async with relay.open_listener() as listener:
        await listener.subscribe([*channels, "end"])
        await announcer.announce_case(CASE, "opened")
        await stores.accounts.set_instance_role(BEN, None)
        await announcer.announce_case(replace(CASE, state=CaseState.DECIDED), "decided")
        await relay.publish([Publication("end", LAST)])
        got: list[tuple[str, bytes | None]] = []
        with anyio.fail_after(patient(10)):
            while not got or got[-1][1] != LAST:
                got += [(channels.get(each.channel, ""), each.payload) for each in await listener.receive()]
    opened = pack_event(encode(CaseEvent(case=CASE.id, change="opened", state="open")))
    decided = pack_event(encode(CaseEvent(case=CASE.id, change="decided", state="decided")))
    told = [(ANN, opened), (BEN, opened), (CAT, opened), (ANN, decided), (CAT, decided), ("", LAST)]
    assert sorted(got, key=str) == sorted(told, key=str)
    assert not any(b"secret" in (payload or b"") for _, payload in got)
