"""The contract of `chat.ports.accounts.Accounts.create_user` with a role for the first account."""

from __future__ import annotations

from contextlib import suppress

import anyio
import pytest

from chat.domain.models import InstanceRole, User
from chat.errors import Conflict
from chat.ports.accounts import Accounts
from tests.support.builders import ANN, BEN, CAT, DAN, make_user
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio


@pytest.fixture
async def accounts(stores: Stores) -> Accounts:
    """Accounts without any."""
    return stores.accounts


async def test_the_first_account_gets_the_role_of_the_first_once(accounts: Accounts) -> None:
    owner = InstanceRole.OWNER
    ann = await accounts.create_user(make_user(ANN), "hash", role_of_first=owner)
    assert ann == make_user(ANN, instance_role=owner)
    assert await accounts.get_user(ANN) == ann
    assert await accounts.get_password_hash(ANN) == "hash"
    assert await accounts.create_user(make_user(BEN), None, role_of_first=owner) == make_user(BEN)
    assert await accounts.get_user(BEN) == make_user(BEN)


async def test_who_comes_after_others_gets_no_role(accounts: Accounts) -> None:
    assert await accounts.create_user(make_user(ANN), None) == make_user(ANN)
    assert await accounts.create_user(make_user(BEN), None, role_of_first=InstanceRole.OWNER) == make_user(BEN)


async def test_nobody_gets_the_role_after_the_first_is_deleted(stores: Stores) -> None:
    await stores.accounts.create_user(make_user(ANN), None, role_of_first=InstanceRole.OWNER)
    await stores.deletion.delete_account(ANN)
    assert await stores.accounts.get_user(ANN) is None
    ben = await stores.accounts.create_user(make_user(BEN), None, role_of_first=InstanceRole.OWNER)
    assert ben.instance_role is None


@pytest.mark.parametrize("name", ["", "same"])
async def test_of_many_who_come_first_at_once_one_gets_the_role(accounts: Accounts, name: str) -> None:
    """Each with a name of their own, or all with one name, which one of them gets."""
    made: list[User] = []

    async def register(user: str) -> None:
        wanted = make_user(user, name=name) if name else make_user(user)
        with suppress(Conflict):
            made.append(await accounts.create_user(wanted, None, role_of_first=InstanceRole.OWNER))

    async with anyio.create_task_group() as tasks:
        for user in (ANN, BEN, CAT, DAN):
            tasks.start_soon(register, user)
    assert len(made) == (1 if name else 4)
    stored = await accounts.get_users([ANN, BEN, CAT, DAN])
    assert stored == {user.id: user for user in made}
    assert [user.instance_role for user in made].count(InstanceRole.OWNER) == 1
