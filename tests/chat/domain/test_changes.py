"""What becomes of a message and of a read mark. Each rule is one of `chat.domain.changes`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chat.domain.changes import (
    MAX_PINS,
    MAX_REACTION_KINDS,
    MessageState,
    Pin,
    decide_change,
    decide_read_mark,
    needs_earlier_texts,
    require_room_for_pin,
    require_room_for_reaction,
)
from chat.domain.records import Deleted, Edited, LogStamp, MessageChange, Moderated, Pinned, Reacted, Restored
from chat.errors import Conflict
from tests.support.builders import ANN, BEN, HALL

SAID = MessageState(sender=ANN, text="one")
GONE = MessageState(sender=ANN, text=None, deleted=True, earlier=((9, "one"),))
DELETED = MessageState(sender=ANN, text=None, deleted=True, earlier=((5, "one"),))
MODERATED = MessageState(sender=ANN, text=None, moderated=True, earlier=((5, "one"),))
BOTH = replace(MODERATED, deleted=True)


def edit(text: str = "two", actor: str = ANN, ts: int = 9) -> Edited:
    return Edited(conversation=HALL, actor=actor, ts=ts, seq=1, text=text)


def delete(actor: str = ANN, by_moderator: bool = False) -> Deleted:
    return Deleted(conversation=HALL, actor=actor, ts=9, seq=1, by_moderator=by_moderator)


def withdraw(author: str = "") -> Moderated:
    return Moderated(conversation=HALL, actor="moderation", ts=9, seq=1, reason="spam", author=author)


def restore(text: str = "one") -> Restored:
    return Restored(conversation=HALL, actor=BEN, ts=9, seq=1, text=text)


def react(emoji: str = "👍", remove: bool = False) -> Reacted:
    return Reacted(conversation=HALL, actor=BEN, ts=9, seq=1, emoji=emoji, remove=remove)


def pin(actor: str = BEN, remove: bool = False) -> Pinned:
    return Pinned(conversation=HALL, actor=actor, ts=9, seq=1, remove=remove)


PINNED = replace(SAID, pin=Pin(BEN, 9))
KINDS = tuple(chr(0x1F600 + number) for number in range(MAX_REACTION_KINDS))
CROWDED = replace(SAID, reactions=tuple((emoji, ANN) for emoji in KINDS))
LIKED = replace(SAID, reactions=(("👍", ANN), ("👍", BEN)))


@pytest.mark.parametrize(
    ("last", "here", "needed"),
    [
        ((5, 50), (6, 50), False),  # later
        ((5, 50), (5, 50), False),  # comes again
        ((5, 50), (4, 40), False),
        ((5, 50), (6, 49), True),  # offset and time disagree
        ((5, 50), (4, 51), True),
        (None, (6, 60), True),
        ((5, 50), None, True),
    ],
)
def test_earlier_texts_are_needed_only_where_the_log_does_not_tell_the_order(
    last: LogStamp | None, here: LogStamp | None, needed: bool
) -> None:
    assert needs_earlier_texts(last, replace(edit(), stamp=here)) is needed
    assert not needs_earlier_texts(last, replace(react(), stamp=here))


@pytest.mark.parametrize("change", [edit("one"), delete(), withdraw(), restore(), react(), react("🎉")])
def test_a_change_that_the_log_had_before_the_last_one_does_not_apply(change: MessageChange) -> None:
    for state in (SAID, LIKED, MODERATED, replace(SAID, text="two")):
        for here in ((5, 50), (4, 40)):
            assert decide_change(replace(state, stamp=(5, 50)), replace(change, stamp=here)) is None


def test_what_applies_leaves_its_position() -> None:
    first = decide_change(SAID, replace(edit(), stamp=(5, 50)))
    assert first is not None
    assert first.stamp == (5, 50)
    second = decide_change(first, edit("three", ts=10))
    assert second is not None
    assert second.stamp == (5, 50)


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        (SAID, edit(), MessageState(sender=ANN, text="two", edited=True, earlier=((9, "one"),))),
        (SAID, delete(), GONE),
        (
            SAID,
            delete(BEN, by_moderator=True),
            MessageState(sender=ANN, text=None, deleted=True, earlier=((9, "one"),)),
        ),
        (SAID, withdraw(), MessageState(sender=ANN, text=None, moderated=True, earlier=((9, "one"),))),
        (SAID, withdraw(ANN), MessageState(sender=ANN, text=None, moderated=True, earlier=((9, "one"),))),
        (MODERATED, restore(), replace(MODERATED, text="one", moderated=False)),
        (MODERATED, delete(), BOTH),
        (DELETED, withdraw(), BOTH),
        (SAID, pin(), PINNED),  # rule 7
        (replace(SAID, pins_of_room=MAX_PINS - 1), pin(), replace(PINNED, pins_of_room=MAX_PINS - 1)),
        (PINNED, pin(remove=True), SAID),
        (PINNED, delete(), GONE),
        (PINNED, edit(), replace(PINNED, text="two", edited=True, earlier=((9, "one"),))),
        (SAID, react(), replace(SAID, reactions=(("👍", BEN),))),
        (LIKED, react("🎉"), replace(SAID, reactions=(("👍", ANN), ("👍", BEN), ("🎉", BEN)))),
        (LIKED, react(remove=True), replace(SAID, reactions=(("👍", ANN),))),
        (CROWDED, react(KINDS[0]), replace(CROWDED, reactions=(*CROWDED.reactions, (KINDS[0], BEN)))),  # rule 9
    ],
)
def test_a_change_that_applies(before: MessageState, change: MessageChange, after: MessageState) -> None:
    assert decide_change(before, change) == after


@pytest.mark.parametrize(
    ("before", "change"),
    [
        (DELETED, edit()),  # rule 1
        (MODERATED, edit()),
        (DELETED, react()),
        (replace(MODERATED, reactions=(("👍", BEN),)), react(remove=True)),
        (SAID, edit(actor=BEN)),  # rule 2
        (SAID, edit("one")),
        (SAID, delete(BEN)),  # rule 4
        (DELETED, delete()),
        (MODERATED, withdraw()),
        (SAID, withdraw(BEN)),
        (SAID, restore()),  # rule 5
        (DELETED, restore()),
        (BOTH, restore()),
        (LIKED, react()),
        (SAID, react(remove=True)),
        (PINNED, pin(ANN)),  # rule 7
        (SAID, pin(remove=True)),
        (DELETED, pin()),
        (MODERATED, pin()),
        (replace(SAID, pins_of_room=MAX_PINS), pin()),
        (CROWDED, react("🎉")),  # rule 9
        (replace(SAID, reaction_kinds=frozenset(KINDS)), react("🎉")),
    ],
)
def test_a_change_that_does_not_apply(before: MessageState, change: MessageChange) -> None:
    assert decide_change(before, change) is None


def apply(message: MessageState, changes: list[MessageChange]) -> tuple[MessageState, list[bool]]:
    applied = []
    for change in changes:
        after = decide_change(message, change)
        applied.append(after is not None)
        message = after or message
    return message, applied


@given(st.lists(st.sampled_from(["one", "two", "three"]), max_size=6))
def test_edits_that_the_log_brings_again_do_not_apply(texts: list[str]) -> None:
    changes: list[MessageChange] = [edit(text, ts=10 + number) for number, text in enumerate(texts)]
    after, applied = apply(SAID, changes)
    again = [change for change, did in zip(changes, applied, strict=True) if did]
    assert apply(after, again) == (after, [False] * len(again))  # rule 3


@given(st.lists(st.sampled_from([edit(), edit("three"), delete(), withdraw(), restore(), react(), pin()]), max_size=8))
def test_no_text_is_lost_and_none_stands_that_is_withdrawn(changes: list[MessageChange]) -> None:
    message = SAID
    stood = ["one"]
    for change in changes:
        after = decide_change(message, change)
        if after is None:
            continue
        if after.text is not None and after.text != message.text:
            stood.append(after.text)
        assert (after.text is None) == (after.deleted or after.moderated)  # rule 1
        assert after.text is not None or not after.pinned  # rule 7
        message = after
    kept = [text for _, text in message.earlier] + ([] if message.text is None else [message.text])
    assert kept == stood  # rule 6


@pytest.mark.parametrize(
    ("mark", "newest", "seq", "after"),
    [(0, 5, 1, 1), (2, 5, 5, 5), (2, 5, 2, None), (2, 5, 1, None), (2, 5, 6, None), (0, 0, 1, None), (0, 5, 0, None)],
)
def test_a_read_mark_moves_forward_and_stays_within_the_conversation(
    mark: int, newest: int, seq: int, after: int | None
) -> None:
    assert decide_read_mark(mark, newest, seq) == after  # rule 8


def test_a_room_takes_no_more_pins_than_the_most() -> None:
    require_room_for_pin(MAX_PINS - 1)
    with pytest.raises(Conflict, match="unpin one first"):
        require_room_for_pin(MAX_PINS)


def test_a_message_with_the_most_kinds_of_reactions_takes_more_of_these() -> None:
    require_room_for_reaction(KINDS, KINDS[0])
    require_room_for_reaction(KINDS[1:], "🎉")
    with pytest.raises(Conflict) as refused:
        require_room_for_reaction(KINDS, "🎉")
    assert refused.value.field == "emoji"
