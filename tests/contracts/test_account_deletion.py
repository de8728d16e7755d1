"""The contract of `chat.ports.account_deletion.AccountDeletion`."""

from __future__ import annotations

import pytest

from chat.domain.invitations import Invite
from chat.domain.models import DELETED_NAME, Role, Room, Visibility
from chat.domain.records import Edited, Pinned, Reacted, Read
from chat.domain.terms import search_terms
from chat.errors import NotFound
from chat.ports.accounts import RefreshGrant
from chat.ports.history import Change, Query
from tests.support.builders import ANN, ANN_AND_BEN, BEN, HALL, NOW, OTHER_ROOM, ROOM, make_message, make_user
from tests.support.cancellation import each_suspension
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio
GRANT = RefreshGrant(digest=b"d" * 32, family="family", user=ANN, expires=NOW + 1000)


async def add_everything(stores: Stores) -> None:
    """Ann and Ben, who share a room and direct messages; Ann has something of everything."""
    await stores.accounts.create_user(make_user(ANN, email="ann@chat.example", email_verified=True), "hash")
    await stores.accounts.create_user(make_user(BEN), "hash")
    await stores.accounts.add_grant(GRANT)
    await stores.rooms.create_room(Room(id=ROOM, name="hall", visibility=Visibility.PUBLIC), BEN)
    await stores.rooms.set_member(ROOM, ANN, Role.MODERATOR, now=NOW)
    await stores.rooms.create_room(Room(id=OTHER_ROOM, name="attic", visibility=Visibility.PRIVATE), ANN)
    invite = Invite(id="invite", digest=b"i" * 32, room=OTHER_ROOM, role=Role.MEMBER, creator=ANN, expires=NOW + 1000)
    await stores.rooms.add_invite(invite)
    for conversation in (HALL, ANN_AND_BEN):
        of_ann = make_message(1, conversation, text="a secret of ann")
        of_ben = make_message(2, conversation, text="an answer", sender=BEN)
        changes: list[Change] = [
            Edited(conversation=conversation, actor=ANN, ts=NOW, seq=1, text="a secret of ann, edited"),
            Reacted(conversation=conversation, actor=ANN, ts=NOW, seq=2, emoji="👍"),
            Reacted(conversation=conversation, actor=BEN, ts=NOW, seq=2, emoji="👍"),
            Pinned(conversation=conversation, actor=ANN, ts=NOW, seq=1),
            Read(conversation=conversation, actor=ANN, ts=NOW, seq=2),
            Read(conversation=conversation, actor=BEN, ts=NOW, seq=2),
        ]
        assert all(await stores.history.apply_batch([of_ann, of_ben], changes))


async def assert_nothing_is_left(stores: Stores) -> None:
    for conversation in (HALL, ANN_AND_BEN):
        first = await stores.history.get_message(conversation, 1)
        second = await stores.history.get_message(conversation, 2)
        assert first is not None
        assert second is not None
        assert (first.sender, first.sender_name, first.text, first.deleted) == (ANN, DELETED_NAME, None, True)
        assert (second.sender_name, second.text, second.reactions) == ("Ben", "an answer", {"👍": [BEN]})
        assert list(await stores.history.earlier_texts(conversation, 1)) == []
        assert list(await stores.history.list_pinned(conversation)) == []
        assert await stores.history.read_marks(conversation) == {BEN: 2}
        found = await stores.history.search_messages(Query(terms=search_terms("secret"), conversations=[conversation]))
        assert list(found.messages) == []


async def test_an_account_is_deleted_with_all_that_leads_to_it(stores: Stores) -> None:
    await add_everything(stores)
    await stores.deletion.delete_account(ANN)
    assert await stores.accounts.get_user(ANN) is None
    assert await stores.accounts.find_by_name("ann") is None
    assert await stores.accounts.end_family(GRANT.digest) is None
    assert await stores.rooms.list_member_ids(ROOM) == [BEN]
    assert list(await stores.rooms.list_member_ids(OTHER_ROOM)) == []
    assert list(await stores.rooms.list_invites(OTHER_ROOM, NOW)) == []
    assert await stores.rooms.get_room(OTHER_ROOM) is not None
    await stores.accounts.create_user(make_user("another", name="Ann", email="ann@chat.example"), None)
    with pytest.raises(NotFound):
        await stores.deletion.delete_account(ANN)


async def test_what_the_user_wrote_is_erased(stores: Stores) -> None:
    await add_everything(stores)
    await stores.deletion.clear_deleted_users()
    kept = await stores.history.get_message(HALL, 1)
    assert kept is not None
    assert kept.text == "a secret of ann, edited"
    await stores.deletion.delete_account(ANN)
    await stores.deletion.clear_deleted_users()
    await assert_nothing_is_left(stores)
    await stores.deletion.clear_deleted_users()
    await assert_nothing_is_left(stores)


async def test_a_message_that_was_on_its_way_is_erased_by_a_later_call(stores: Stores) -> None:
    await add_everything(stores)
    await stores.deletion.delete_account(ANN)
    await stores.deletion.clear_deleted_users()
    await stores.history.apply_batch([make_message(3, text="too late")], [])
    await stores.deletion.clear_deleted_users()
    late = await stores.history.get_message(HALL, 3)
    assert late is not None
    assert (late.text, late.deleted) == (None, True)


async def test_a_change_that_comes_after_it_brings_no_text_back(stores: Stores) -> None:
    await add_everything(stores)
    await stores.deletion.delete_account(ANN)
    await stores.deletion.clear_deleted_users()
    edit = Edited(conversation=HALL, actor=ANN, ts=NOW + 1, seq=1, text="back again")
    assert list(await stores.history.apply_batch([], [edit])) == [False]
    await assert_nothing_is_left(stores)


async def test_many_messages_are_erased(stores: Stores) -> None:
    await stores.accounts.create_user(make_user(ANN), None)
    messages = [make_message(seq) for seq in range(1, 1101)]
    await stores.history.apply_batch(messages, [])
    await stores.deletion.delete_account(ANN)
    await stores.deletion.clear_deleted_users()
    page = await stores.history.read_page(HALL, before=None, after=0, limit=2000)
    assert len(page.messages) == 1100
    assert all(message.text is None for message in page.messages)


async def test_cancelled_at_any_await_it_is_finished_by_another_call(stores: Stores) -> None:
    await add_everything(stores)
    await stores.deletion.delete_account(ANN)
    async for completed in each_suspension(stores.deletion.clear_deleted_users):
        if completed:
            await assert_nothing_is_left(stores)
