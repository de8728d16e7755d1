"""The contract of `chat.ports.attention.Attention`."""

from __future__ import annotations

from typing import Any

import pytest

from chat.domain.attention import AttentionNote
from chat.domain.cursors import AttentionPlace
from chat.domain.models import Room, Visibility
from chat.domain.records import Edited, Reacted
from tests.support.builders import (
    ANN,
    ANN_AND_BEN,
    ATTIC,
    BEN,
    CAT,
    HALL,
    NOW,
    ROOM,
    make_message,
    make_user,
)
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio

PLACES = (HALL, ATTIC, ANN_AND_BEN)
Short = tuple[str, str, str, int, str]


async def noted(stores: Stores, user: str, **fields: Any) -> list[Short]:
    page = await stores.attention.list_notes(user, fields.pop("conversations", PLACES), limit=50, **fields)
    assert (page.more, page.end) == (False, None)
    return [shorten(note) for note in page.notes]


def shorten(note: AttentionNote) -> Short:
    return note.kind.value, note.actor, note.conversation, note.seq, note.emoji


def react(user: str, seq: int, at: int, conversation: str = HALL, *, remove: bool = False) -> Reacted:
    return Reacted(conversation=conversation, actor=user, ts=NOW + at, seq=seq, emoji="👍", remove=remove)


async def test_mentions_replies_and_reactions_are_noted(stores: Stores) -> None:
    messages = [
        make_message(1, ts=NOW + 1),
        make_message(2, sender=BEN, mentions=(ANN, BEN), reply_to=1, ts=NOW + 2),
        make_message(3, sender=CAT, reply_to=1, ts=NOW + 3),
    ]
    direct = make_message(1, ANN_AND_BEN, ts=NOW + 4)
    await stores.history.apply_batch([*messages, direct], [react(CAT, 2, 5)])
    await stores.history.apply_batch([], [react(BEN, 1, 6, ANN_AND_BEN), react(ANN, 1, 7, ANN_AND_BEN)])
    assert await noted(stores, ANN) == [
        ("reaction", BEN, ANN_AND_BEN, 1, "👍"),
        ("reply", CAT, HALL, 3, ""),
        ("mention", BEN, HALL, 2, ""),
    ]
    assert await noted(stores, BEN) == [("reaction", CAT, HALL, 2, "👍")]
    assert await noted(stores, CAT) == []
    assert await noted(stores, ANN, conversations=(ANN_AND_BEN,)) == [("reaction", BEN, ANN_AND_BEN, 1, "👍")]
    assert await noted(stores, ANN, conversations=()) == []
    assert await noted(stores, ANN, since=NOW + 3) == [("reaction", BEN, ANN_AND_BEN, 1, "👍")]


async def test_an_edit_notes_whom_it_mentions_anew(stores: Stores) -> None:
    await stores.history.apply_batch(
        [make_message(1, ts=NOW, mentions=(BEN,)), make_message(2, ts=NOW + 1, mentions=(BEN,))], []
    )
    edits = [
        Edited(conversation=HALL, actor=ANN, ts=NOW + 5 + seq, seq=seq, text="other", mentions=(BEN, CAT))
        for seq in (1, 2)
    ]
    assert list(await stores.history.apply_batch([], edits)) == [True, True]
    assert await noted(stores, CAT) == [("mention", ANN, HALL, 2, ""), ("mention", ANN, HALL, 1, "")]
    assert await noted(stores, BEN) == [("mention", ANN, HALL, 2, ""), ("mention", ANN, HALL, 1, "")]
    assert await noted(stores, BEN, since=NOW + 2) == []


async def test_a_reaction_that_comes_back_is_noted_once_as_new(stores: Stores) -> None:
    await stores.history.apply_batch([make_message(1), make_message(2)], [react(BEN, 1, 1), react(BEN, 2, 2)])
    await stores.history.apply_batch([], [react(BEN, 1, 3, remove=True), react(BEN, 1, 4)])
    assert await noted(stores, ANN) == [("reaction", BEN, HALL, 1, "👍"), ("reaction", BEN, HALL, 2, "👍")]
    assert len(await noted(stores, ANN, since=NOW + 2)) == 1


@pytest.mark.parametrize("limit", [1, 3, 50])
async def test_pages_show_each_note_once(stores: Stores, limit: int) -> None:
    messages = [
        make_message(seq, place, sender=BEN, mentions=(ANN,), ts=NOW + seq // 4)
        for place in (HALL, ATTIC)
        for seq in range(1, 9)
    ]
    await stores.history.apply_batch(messages, [])
    everything = await noted(stores, ANN)
    assert len(everything) == 16
    seen: list[Short] = []
    after: AttentionPlace | None = None
    for _ in range(20):
        page = await stores.attention.list_notes(ANN, PLACES, limit=limit, after=after)
        seen += [shorten(note) for note in page.notes]
        after = page.end
        assert page.more is (after is not None)
        if after is None:
            break
    assert seen == everything


@pytest.mark.parametrize(
    "place", [AttentionPlace(0, ""), AttentionPlace(2**53, "x" * 4000), AttentionPlace(NOW, "9" * 30)]
)
async def test_a_cursor_that_somebody_made_up_does_no_harm(stores: Stores, place: AttentionPlace) -> None:
    await stores.history.apply_batch([make_message(1, sender=BEN, mentions=(ANN,), ts=NOW)], [])
    page = await stores.attention.list_notes(ANN, PLACES, limit=5, after=place)
    assert len(page.notes) <= 1


async def test_a_mark_never_moves_back(stores: Stores) -> None:
    attention = stores.attention
    assert await attention.get_seen(ANN) == 0
    assert await attention.move_seen(ANN, 50) == 50
    assert await attention.move_seen(ANN, 30) == 50
    assert await attention.move_seen(ANN, 60) == 60
    assert (await attention.get_seen(ANN), await attention.get_seen(BEN)) == (60, 0)


async def test_notes_go_with_the_room_and_with_the_account(stores: Stores) -> None:
    for user in (ANN, BEN):
        await stores.accounts.create_user(make_user(user), None)
    await stores.rooms.create_room(Room(id=ROOM, name="Hall", visibility=Visibility.PUBLIC), ANN)
    for place in (HALL, ATTIC):
        await stores.history.apply_batch([make_message(1, place, sender=BEN, mentions=(ANN, CAT))], [])
    await stores.rooms.delete_room(ROOM)
    assert await noted(stores, ANN) == [("mention", BEN, ATTIC, 1, "")]
    await stores.attention.move_seen(ANN, 5)
    await stores.deletion.delete_account(ANN)
    assert await noted(stores, ANN) == []
    assert await stores.attention.get_seen(ANN) == 0
    assert await noted(stores, CAT) == [("mention", BEN, ATTIC, 1, "")]
