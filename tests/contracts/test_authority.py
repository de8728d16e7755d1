"""The authority over the engines: tokens, rights, and the word that a session ends."""

from __future__ import annotations

import anyio
import pytest

from chat.domain.ids import new_id
from chat.domain.models import Role
from chat.domain.rights import Right
from chat.engines.authority import LocalAuthority
from chat.engines.conversations import StoredConversations
from chat.errors import Blocked, Unauthorized, Unavailable
from chat.ports.authority import Revocation, TokenInfo, announcement
from chat.ports.relay import Publication
from chat.wire.relay import REVOCATIONS
from tests.support.patience import patient
from tests.support.world import World, world

pytestmark = pytest.mark.anyio


def authority(here: World) -> LocalAuthority:
    return LocalAuthority(here.keys, here.accounts, StoredConversations(here.rooms, here.history), here.relay)


async def test_a_good_token_tells_who_calls() -> None:
    async with world() as here:
        ada = await here.user("ada")
        family = new_id()
        info = await authority(here).check_token(here.token(ada, family=family, seconds=60))
        assert (info.user, info.name, info.family) == (ada.id, "ada", family)
        assert 0 < info.expires - here.clock() / 1000 <= 60


async def test_bad_tokens_and_accounts_that_are_gone_or_blocked_are_told_apart() -> None:
    async with world() as here:
        ada = await here.user("ada")
        checks = authority(here)
        token = here.token(ada)
        for bad in ("", "x.y.z", token[:-4] + "AAAA", "ä"):
            with pytest.raises(Unauthorized):
                await checks.check_token(bad)
        good = here.token(await here.user("bob"))
        found = await checks.check_tokens([token, "x.y.z", good, token])
        assert [type(each) for each in found] == [TokenInfo, Unauthorized, TokenInfo, TokenInfo]
        assert [each.name for each in found if isinstance(each, TokenInfo)] == ["ada", "bob", "ada"]
        ghost = here.keys.issue_token(new_id(), "ghost", new_id(), 60)
        with pytest.raises(Unauthorized, match="does not exist"):
            await checks.check_token(ghost)
        await here.accounts.set_blocked(ada.id, True)
        with pytest.raises(Blocked):
            await checks.check_token(token)
        assert [type(each) for each in await checks.check_tokens([ghost, good, token])] == [
            Unauthorized,
            TokenInfo,
            Blocked,
        ]


async def test_access_is_told_in_the_order_of_the_question() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada, bob, role=Role.READER)
        pairs = [(bob.id, room), (ada.id, room), (ada.id, new_id()), (bob.id, room)]
        found = await authority(here).room_access(pairs)
        assert [(each.user, each.room) for each in found] == pairs
        assert [each.role for each in found] == [Role.READER, Role.OWNER, None, Role.READER]
        assert Right.READ in found[0].actions
        assert Right.SEND not in found[0].actions
        assert Right.DELETE_ROOM in found[1].actions
        assert not found[2].actions


async def test_watchers_hear_of_each_revocation_and_of_an_interruption() -> None:
    async with world() as here:
        ada = Revocation(user=new_id(), family=None, code=4003, reason="blocked")
        bob = Revocation(user=new_id(), family=new_id(), code=4001, reason="logged out")
        async with authority(here).watch_revocations() as revocations:
            await here.relay.publish([*announcement(ada), Publication(REVOCATIONS, b"c{}"), *announcement(bob)])
            with anyio.fail_after(patient(5)):
                assert [await anext(revocations), await anext(revocations)] == [ada, bob]
            await here.relay.publish([Publication(REVOCATIONS, b"c" + b" " * 9000) for _ in range(3000)])
            with pytest.raises(Unavailable, match="missed"), anyio.fail_after(patient(5)):
                await anext(revocations)
