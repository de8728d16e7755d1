"""The contract of `chat.ports.documents.Documents`, and of statuses and blocked users in `Accounts`."""

from __future__ import annotations

from contextlib import suppress

import anyio
import pytest

from chat.domain.ids import new_id
from chat.domain.models import UserStatus
from chat.errors import Conflict, NotFound
from chat.ports.documents import INSTANCE, RevisedDocument
from tests.support.builders import ANN, BEN, CAT, DAN, make_user
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio


async def test_a_document_has_the_revision_of_its_last_change(stores: Stores) -> None:
    documents = stores.documents
    assert await documents.get_document(ANN) == RevisedDocument(0, "")
    assert await documents.put_document(ANN, '{"theme": "ночь"}', 0) == 1
    assert await documents.put_document(ANN, "{}", 1) == 2
    assert await documents.get_document(ANN) == RevisedDocument(2, "{}")
    assert await documents.get_document(BEN) == RevisedDocument()
    assert await documents.put_document(INSTANCE, "[]", 0) == 1


@pytest.mark.parametrize("revision", [0, 1, 3])
async def test_another_revision_than_the_present_one_is_not_replaced(stores: Stores, revision: int) -> None:
    for known in (0, 1):
        await stores.documents.put_document(ANN, "1", known)
    with pytest.raises(Conflict) as refused:
        await stores.documents.put_document(ANN, "2", revision)
    assert refused.value.field == "revision"
    assert await stores.documents.get_document(ANN) == RevisedDocument(2, "1")
    with pytest.raises(Conflict):
        await stores.documents.put_document(BEN, "2", 1)


async def test_of_several_who_write_at_once_one_succeeds(stores: Stores) -> None:
    done: list[int] = []

    async def write(revision: int) -> None:
        with suppress(Conflict):
            done.append(await stores.documents.put_document(INSTANCE, "x", revision))

    for revision in (0, 1):
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(write, revision)
    assert done == [1, 2]


async def test_a_document_goes_with_the_account(stores: Stores) -> None:
    for user in (ANN, BEN):
        await stores.accounts.create_user(make_user(user), None)
    for owner in (ANN, BEN, INSTANCE):
        await stores.documents.put_document(owner, "1", 0)
    await stores.deletion.delete_account(ANN)
    found = [(await stores.documents.get_document(owner)).revision for owner in (ANN, BEN, INSTANCE)]
    assert found == [0, 1, 1]


async def test_a_status_stays_until_it_is_changed(stores: Stores) -> None:
    await stores.accounts.create_user(make_user(ANN), None)
    for status in (UserStatus("🌴", "до понедельника", 5), UserStatus(text="here"), UserStatus("🌴"), None):
        changed = await stores.accounts.set_status(ANN, status)
        assert changed == make_user(ANN, status=status) == await stores.accounts.get_user(ANN)
        assert await stores.accounts.get_users([ANN]) == {ANN: changed}
    with pytest.raises(NotFound):
        await stores.accounts.set_status(new_id(), None)


async def test_blocked_users_are_found_by_name_and_paged(stores: Stores) -> None:
    accounts = stores.accounts
    for user in (ANN, BEN, CAT, DAN):
        await accounts.create_user(make_user(user), None)
    await accounts.set_display_name(CAT, "Ann's friend")
    for user in (DAN, CAT, BEN):
        await accounts.set_blocked(user, blocked=True)
    everybody = [user.name for user in await accounts.search_users("", 9)]
    found = [user.name for user in await accounts.search_users("", 9, blocked_only=True)]
    assert found == everybody[1:]
    page = await accounts.search_users("", 2, after=found[0], blocked_only=True)
    assert [user.name for user in page] == found[1:]
    assert [user.id for user in await accounts.search_users("ann", 9, blocked_only=True)] == [CAT]
