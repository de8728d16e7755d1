"""The persistence handler: seqs, duplicates, mentions, what is published, and a second writer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from chat.domain.conversations import room_of
from chat.domain.ids import new_id, rfc3339
from chat.domain.models import Message
from chat.domain.records import Deleted, Edited, Moderated, Reacted, Read, Restored
from chat.errors import Fenced, Poison, Unavailable
from chat.ports.log import LogRecord
from chat.wire.records import encode
from chat.wire.relay import room_channel, user_channel
from tests.support.clocks import virtual_time
from tests.support.faults import first, nothing
from tests.support.persisting import (
    ANN,
    BOB,
    CID,
    DM,
    NOW,
    OTHER_ROOM,
    ROOM,
    PersistingWorld,
    persisting_world,
    sent,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world() -> AsyncIterator[PersistingWorld]:
    async with persisting_world() as made:
        yield made


def texts(messages: list[Message]) -> list[tuple[int, str | None]]:
    return [(message.seq, message.text) for message in messages]


async def test_messages_get_their_seqs_in_order(world: PersistingWorld) -> None:
    await world.handler.handle_records([sent("a"), sent("x", room=OTHER_ROOM), sent("b"), sent("y", room=OTHER_ROOM)])
    await world.handler.handle_records([sent("c")])
    assert texts(await world.stored()) == [(1, "a"), (2, "b"), (3, "c")]
    assert texts(await world.stored(OTHER_ROOM)) == [(1, "x"), (2, "y")]
    assert world.history.asked_newest == 1


async def test_a_room_message_is_published_after_it_is_stored(world: PersistingWorld) -> None:
    async def check() -> None:
        assert len(await world.stored()) == 2

    world.relay.before_publish = check
    one, two = sent("one"), sent("two", actor=BOB, reply_to=1)
    await world.handler.handle_records([one, two])
    assert len(world.relay.published) == 1
    common: dict[str, Any] = {"type": "message", "room": room_of(ROOM), "ts": rfc3339(NOW), "mentions": []}
    sender = {"id": ANN, "name": "Ann"}
    assert world.events() == [
        (room_channel(room_of(ROOM)), common | {"seq": 1, "sender": sender, "text": "one", "client_id": one.client_id}),
        (
            room_channel(room_of(ROOM)),
            common
            | {"seq": 2, "sender": sender | {"id": BOB}, "text": "two", "client_id": two.client_id, "reply_to": 1},
        ),
    ]


async def test_a_direct_message_is_reported_as_stored_to_both(world: PersistingWorld) -> None:
    message = sent("psst", room=DM)
    await world.handler.handle_records([message])
    (stored,) = await world.stored(DM)
    assert (stored.seq, stored.text, stored.sender) == (1, "psst", ANN)
    told = {"type": "stored", "client_id": message.client_id, "seq": 1}
    assert sorted(world.events(), key=str) == sorted(
        [(user_channel(ANN), told | {"with": BOB}), (user_channel(BOB), told | {"with": ANN})], key=str
    )


async def test_mentions_are_the_users_that_exist(world: PersistingWorld) -> None:
    await world.handler.handle_records(
        [
            sent("hello @Bob, @nobody and @bob again"),
            sent("plain, no mention"),
            sent("@C.I.D. or @ann."),
            sent("@nobody"),
        ]
    )
    assert [message.mentions for message in await world.stored()] == [(BOB,), (), (CID, ANN), ()]
    assert [event["mentions"] for event in world.seen()] == [[BOB], [], [CID, ANN], []]


async def test_a_display_name_of_one_member_mentions_them(world: PersistingWorld) -> None:
    for user, display_name in ((BOB, "Zoë Ott"), (CID, "Оля")):
        await world.accounts.set_display_name(user, display_name)
    await world.handler.handle_records([sent("@zoe ott and @Оля!")])
    assert [message.mentions for message in await world.stored()] == [()]  # neither is in the room
    await world.enter_room(BOB, CID)
    await world.handler.handle_records([sent("@zoe ott and @Оля!"), sent("@Bob")])
    await world.accounts.set_display_name(CID, "ZOE OTT")
    edit = Edited(conversation=ROOM, actor=ANN, ts=NOW, seq=1, text="@Zoë Ott, @ann")  # two are called so
    await world.handler.handle_records([edit])
    assert [event["mentions"] for event in world.seen()] == [[], [BOB, CID], [BOB]]
    assert [message.mentions for message in await world.stored()] == [(ANN,), (BOB, CID), (BOB,)]


async def test_whoever_blocks_the_author_is_not_mentioned(world: PersistingWorld) -> None:
    await world.accounts.add_user_block(BOB, ANN, NOW)
    await world.handler.handle_records([sent("hello @bob and @C.I.D.")])
    edit = Edited(conversation=ROOM, actor=ANN, ts=NOW, seq=1, text="@bob, @ann and @C.I.D.")
    await world.handler.handle_records([edit])
    assert [event.get("mentions") for _, event in world.events()] == [[CID], [ANN, CID]]


async def test_an_edit_mentions_whom_the_new_text_names(world: PersistingWorld) -> None:
    await world.handler.handle_records([sent("hello @ann")])
    texts = ["hello @bob", "`@bob` and https://x.example/@ann", "_@C.I.D._"]
    for number, text in enumerate(texts):
        edit = Edited(conversation=ROOM, actor=ANN, ts=NOW + number, seq=1, text=text)
        await world.handler.handle_records([edit])
    assert [event.get("mentions", []) for _, event in world.events()] == [[ANN], [BOB], [], [CID]]
    assert [message.mentions for message in await world.stored()] == [(CID,)]


async def test_a_text_that_is_restored_mentions_whom_it_names(world: PersistingWorld) -> None:
    moderated = Moderated(conversation=ROOM, actor="moderation", ts=NOW, seq=1, reason="spam")
    restored = Restored(conversation=ROOM, actor=ANN, ts=NOW + 1, seq=1, text="hello @bob")
    await world.handler.handle_records([sent("hello @ann")])
    await world.handler.handle_records([moderated, restored])
    assert world.events()[-1][1]["mentions"] == [BOB]
    assert [message.mentions for message in await world.stored()] == [(BOB,)]


async def test_a_duplicate_in_a_batch_is_dropped(world: PersistingWorld) -> None:
    key = new_id()
    await world.handler.handle_records(
        [sent("a", client_id=key), sent("b"), sent("again", client_id=key), sent("bob's", client_id=key, actor=BOB)]
    )
    assert texts(await world.stored()) == [(1, "a"), (2, "b"), (3, "bob's")]
    assert len(world.publications) == 3


async def test_a_duplicate_of_a_stored_message_is_published_again_with_its_seq(world: PersistingWorld) -> None:
    one, two, three = sent("one"), sent("two"), sent("three")
    await world.handler.handle_records([one, two])
    world.relay.published.clear()
    await world.new_handler().handle_records([two, three])
    assert texts(await world.stored()) == [(1, "one"), (2, "two"), (3, "three")]
    assert [(event["seq"], event["text"]) for _, event in world.events()] == [(2, "two"), (3, "three")]


async def test_only_duplicates_store_nothing(world: PersistingWorld) -> None:
    message = sent("one", room=DM)
    await world.handler.handle_records([message])
    await world.handler.handle_records([message, message])
    assert len(await world.stored(DM)) == 1
    assert [event["seq"] for _, event in world.events()] == [1, 1, 1, 1]
    assert world.history.applied == [(1, 0)]


async def test_a_message_that_comes_again_after_it_was_changed_says_so(world: PersistingWorld) -> None:
    one, two = sent("one"), sent("two")
    await world.handler.handle_records([one, two])
    await world.handler.handle_records(
        [
            Edited(conversation=ROOM, actor=ANN, ts=NOW + 1, seq=1, text="better"),
            Deleted(conversation=ROOM, actor=ANN, ts=NOW + 1, seq=2),
        ]
    )
    world.relay.published.clear()
    await world.handler.handle_records([one, two])
    told = [(event["seq"], event["text"], event["edited"], event["deleted"]) for _, event in world.events()]
    assert told == [(1, "better", True, False), (2, None, False, True)]


async def test_a_client_id_counts_over_all_conversations(world: PersistingWorld) -> None:
    key = new_id()
    await world.handler.handle_records([sent("a", client_id=key)])
    world.relay.published.clear()
    await world.handler.handle_records([sent("again", room=OTHER_ROOM, client_id=key), sent("new", room=OTHER_ROOM)])
    assert texts(await world.stored(OTHER_ROOM)) == [(1, "new")]
    # The other room's partition publishes its own messages, in its order.
    assert [(channel, event["text"]) for channel, event in world.events()] == [(OTHER_ROOM, "new")]


async def test_another_writer_is_noticed_and_the_seqs_go_on(world: PersistingWorld) -> None:
    other = world.new_handler()
    await world.handler.handle_records([sent("a")])
    await other.handle_records([sent("b"), sent("c")])
    await world.handler.handle_records([sent("d"), sent("x", room=OTHER_ROOM)])
    await other.handle_records([sent("e")])
    assert texts(await world.stored()) == [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]
    assert [event["seq"] for event in world.seen()] == [1, 2, 3, 4, 5]


async def test_another_writer_that_stores_the_same_batch_wins(world: PersistingWorld) -> None:
    batch = [sent("a"), sent("b"), sent("c")]

    async def overtake() -> None:
        world.history.before_apply = nothing
        await world.new_handler().handle_records(batch[:2])

    world.history.before_apply = overtake
    await world.handler.handle_records(batch)
    assert texts(await world.stored()) == [(1, "a"), (2, "b"), (3, "c")]
    assert [event["text"] for event in world.seen()] == ["a", "b", "c"]


async def test_who_is_fenced_for_ever_gives_up_for_now(world: PersistingWorld) -> None:
    world.history.before_apply = first(Fenced("again"), times=100)
    with pytest.raises(Unavailable):
        await world.handler.handle_records([sent("a")])
    assert world.publications == []


async def test_a_store_that_fails_publishes_nothing_and_may_be_tried_again(world: PersistingWorld) -> None:
    batch = [sent("a"), sent("b")]
    world.history.before_apply = first(Unavailable("away"))
    with pytest.raises(Unavailable):
        await world.handler.handle_records(batch)
    # It stored, and only the answer was lost.
    world.history.after_apply = first(Unavailable("away"))
    with pytest.raises(Unavailable):
        await world.handler.handle_records(batch)
    assert world.publications == []
    await world.handler.handle_records(batch)
    assert texts(await world.stored()) == [(1, "a"), (2, "b")]
    assert [event["text"] for event in world.seen()] == ["a", "b"]


@virtual_time
async def test_a_relay_that_fails_is_asked_again(world: PersistingWorld) -> None:
    await world.handler.handle_records([sent("a")])
    world.relay.before_publish = first(Unavailable("away"), times=4)
    await world.handler.handle_records(
        [sent("b"), Reacted(conversation=ROOM, actor=BOB, ts=NOW, seq=1, emoji="👍"), sent("c")]
    )
    assert [event["type"] for _, event in world.events()] == ["message", "message", "reaction", "message"]
    assert len(world.history.applied) == 2


class TestChanges:
    """Each change, in a room and between two users; and what is told when it does not apply."""

    @pytest.fixture
    async def filled(self, world: PersistingWorld) -> PersistingWorld:
        await world.handler.handle_records([sent("one"), sent("two"), sent("three")])
        await world.handler.handle_records([sent("one", room=DM), sent("two", room=DM), sent("three", room=DM)])
        world.relay.published.clear()
        return world

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (
                Edited(conversation="", actor=ANN, ts=NOW, seq=1, text="new"),
                {"type": "edited", "seq": 1, "text": "new"},
            ),
            (Deleted(conversation="", actor=ANN, ts=NOW, seq=2), {"type": "deleted", "seq": 2}),
            (
                Deleted(conversation="", actor=BOB, ts=NOW, seq=2, by_moderator=True),
                {"type": "deleted", "seq": 2},
            ),
            (
                Moderated(conversation="", actor="moderation", ts=NOW, seq=3, reason="rude"),
                {"type": "moderated", "seq": 3, "reason": "rude"},
            ),
            (
                Reacted(conversation="", actor=BOB, ts=NOW, seq=1, emoji="🎉"),
                {"type": "reaction", "user": BOB, "seq": 1, "emoji": "🎉", "remove": False},
            ),
            (Read(conversation="", actor=BOB, ts=NOW, seq=2), {"type": "read", "user": BOB, "seq": 2}),
        ],
    )
    async def test_is_told_when_it_applied(self, filled: PersistingWorld, change: Any, told: dict[str, Any]) -> None:
        in_room, in_dm = _in(change, ROOM), _in(change, DM)
        await filled.handler.handle_records([in_room, in_room])
        assert filled.events() == [(room_channel(room_of(ROOM)), told | {"room": room_of(ROOM)})]
        filled.relay.published.clear()
        await filled.handler.handle_records([in_dm])
        await filled.handler.handle_records([in_dm])
        assert filled.events() == [
            (user_channel(ANN), told | {"with": BOB}),
            (user_channel(BOB), told | {"with": ANN}),
        ]

    async def test_a_reaction_that_is_taken_back_is_told(self, filled: PersistingWorld) -> None:
        reacted = Reacted(conversation=ROOM, actor=BOB, ts=NOW, seq=1, emoji="🎉")
        taken_back = Reacted(conversation=ROOM, actor=BOB, ts=NOW, seq=1, emoji="🎉", remove=True)
        await filled.handler.handle_records([taken_back, reacted, taken_back])
        assert [event["remove"] for _, event in filled.events()] == [False, True]

    async def test_what_a_stranger_changes_is_not_told(self, filled: PersistingWorld) -> None:
        await filled.handler.handle_records(
            [
                Edited(conversation=ROOM, actor=BOB, ts=NOW, seq=1, text="not mine"),
                Deleted(conversation=ROOM, actor=BOB, ts=NOW, seq=1),
                Read(conversation=ROOM, actor=BOB, ts=NOW, seq=99),
                Reacted(conversation=OTHER_ROOM, actor=BOB, ts=NOW, seq=1, emoji="🎉"),
            ]
        )
        assert filled.relay.published == []

    async def test_messages_and_changes_are_told_in_their_order(self, filled: PersistingWorld) -> None:
        await filled.handler.handle_records(
            [
                sent("four"),
                Deleted(conversation=ROOM, actor=ANN, ts=NOW, seq=1),
                Deleted(conversation=ROOM, actor=ANN, ts=NOW, seq=1),
                sent("five"),
                Reacted(conversation=ROOM, actor=BOB, ts=NOW, seq=4, emoji="👍"),
            ]
        )
        assert [(event["type"], event["seq"]) for _, event in filled.events()] == [
            ("message", 4),
            ("deleted", 1),
            ("message", 5),
            ("reaction", 4),
        ]


def _in(change: Any, conversation: str) -> Any:
    fields = {name: getattr(change, name) for name in change.__struct_fields__}
    return type(change)(**fields | {"conversation": conversation})


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"nonsense",
        b"\xff",
        b"[" * 100_000,
        b'{"kind":"unknown","conversation":"room:x","actor":"a","ts":1}',
        encode(sent(room="room:")),
        encode(sent(room="dm:b:a")),
        encode(sent(room="dm:a:a")),
        encode(sent(room="dm:a")),
        encode(sent(room="dm:a:b:c")),
        encode(sent(room="elsewhere")),
    ],
    ids=lambda value: value[:20],
)
async def test_what_is_no_record_is_poison(world: PersistingWorld, value: bytes) -> None:
    with pytest.raises(Poison):
        world.handler.decode_record(LogRecord(1, "", value))


async def test_a_change_is_decoded_with_its_position_in_the_log(world: PersistingWorld) -> None:
    change = Deleted(conversation=DM, actor=ANN, ts=NOW, seq=1)
    entry = LogRecord(7, DM, encode(change), timestamp=1_700_000_000_000)
    assert world.handler.decode_record(entry) == replace(change, stamp=(7, 1_700_000_000_000))


async def test_a_record_is_decoded(world: PersistingWorld) -> None:
    for record in (sent("a"), sent("b", room=DM)):
        assert world.handler.decode_record(LogRecord(1, "", encode(record))) == record


async def test_a_repetition_is_told_where_it_is_stored_whatever_comes_with_it(world: PersistingWorld) -> None:
    stored = sent("first", room=OTHER_ROOM, client_id=CID)
    await world.handler.handle_records([stored])
    world.relay.published.clear()
    await world.handler.handle_records([sent("elsewhere", client_id=CID), stored])
    (publications,) = world.relay.published
    assert [publication.channel for publication in publications] == [room_channel(room_of(OTHER_ROOM))]
