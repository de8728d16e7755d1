"""The contract of `chat.ports.retention.Retention`."""

from __future__ import annotations

from typing import Any

import pytest

from chat.domain.records import Edited, Pinned, Reacted, Read
from chat.domain.terms import search_terms
from chat.ports.history import Change, Query
from tests.support.builders import ANN, ANN_AND_BEN, BEN, HALL, NOW, make_message
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio
DAY = 86_400_000
MANY = 1203


async def say(stores: Stores, conversation: str, *ages: int, first: int = 1) -> None:
    """Messages of so many days ago, each with an earlier text, a reaction and a pin."""
    messages = [
        make_message(first + number, conversation, text=f"secret {age}", ts=NOW - age * DAY, mentions=(BEN,))
        for number, age in enumerate(ages)
    ]
    changes: list[Change] = []
    for message in messages:
        facts: dict[str, Any] = {"conversation": conversation, "actor": ANN, "ts": message.ts, "seq": message.seq}
        changes += [
            Edited(**facts, text=f"{message.text} again"),
            Reacted(**facts, emoji="👍"),
            Pinned(**facts),
        ]
    assert all(await stores.history.apply_batch(messages, changes))


async def texts(stores: Stores, conversation: str) -> list[str | None]:
    found = await stores.history.messages_since(conversation, 0, limit=5000, max_bytes=10_000_000)
    assert found is not None
    assert [message.seq for message in found] == list(range(1, len(found) + 1))
    return [message.text for message in found]


async def test_old_messages_keep_their_places_and_nothing_else(stores: Stores) -> None:
    for conversation in (HALL, ANN_AND_BEN):
        await say(stores, conversation, 40, 31, 29, 1)
        await stores.history.apply_batch([], [Read(conversation=conversation, actor=BEN, ts=NOW, seq=2)])
    assert await stores.retention.expire_messages(NOW - 30 * DAY) == 4
    for conversation in (HALL, ANN_AND_BEN):
        assert await texts(stores, conversation) == [None, None, "secret 29 again", "secret 1 again"]
        gone = await stores.history.get_message(conversation, 2)
        assert gone is not None
        assert (gone.sender, gone.deleted, gone.pinned, gone.reactions, gone.mentions) == (ANN, True, False, {}, ())
        assert list(await stores.history.earlier_texts(conversation, 1)) == []
        assert [pinned.message.seq for pinned in await stores.history.list_pinned(conversation)] == [4, 3]
        assert await stores.history.read_marks(conversation) == {BEN: 2}
        assert await stores.history.newest_seqs([conversation]) == {conversation: 4}
        found = await stores.history.search_messages(Query(terms=search_terms("secret"), conversations=[conversation]))
        assert [message.seq for message in found.messages] == [4, 3]


async def test_a_repetition_finds_only_what_became_old_since(stores: Stores) -> None:
    await say(stores, HALL, 5, 3, 1)
    assert await stores.retention.expire_messages(NOW - 10 * DAY) == 0
    assert await stores.retention.expire_messages(NOW - 4 * DAY) == 1
    assert await stores.retention.expire_messages(NOW - 4 * DAY) == 0
    await say(stores, HALL, 0, first=4)
    assert await stores.retention.expire_messages(NOW - 2 * DAY) == 1
    assert await texts(stores, HALL) == [None, None, "secret 1 again", "secret 0 again"]


async def test_what_was_deleted_before_does_not_count(stores: Stores) -> None:
    await say(stores, HALL, 9, 8)
    assert await stores.retention.expire_messages(NOW - 8 * DAY) == 1
    # An edit of it that was on its way changes nothing.
    late = Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text="back")
    assert list(await stores.history.apply_batch([], [late])) == [False]
    assert await texts(stores, HALL) == [None, "secret 8 again"]


async def test_more_than_a_step(stores: Stores) -> None:
    messages = [make_message(number, HALL, ts=NOW - 2 * DAY) for number in range(1, MANY + 1)]
    for start in range(0, MANY, 200):
        await stores.history.apply_batch(messages[start : start + 200], [])
    await stores.history.apply_batch([make_message(MANY + 1, HALL, text="new", ts=NOW)], [])
    assert await stores.retention.expire_messages(NOW - DAY) == MANY
    assert await texts(stores, HALL) == [*[None] * MANY, "new"]
