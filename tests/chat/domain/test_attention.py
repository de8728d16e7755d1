"""What asks for a user's attention."""

from __future__ import annotations

from msgspec.structs import replace

from chat.domain.attention import AttentionKind, is_current, list_notes, list_notes_of_change
from chat.domain.records import Deleted, Edited, Reacted
from tests.support.builders import ANN, BEN, CAT, HALL, NOW, make_message


def test_a_message_notes_mentions_and_the_reply_but_not_its_sender() -> None:
    message = make_message(2, mentions=(BEN, ANN), reply_to=1)
    assert [(note.user, note.kind) for note in list_notes(message, CAT)] == [
        (BEN, AttentionKind.MENTION),
        (CAT, AttentionKind.REPLY),
    ]
    assert [(note.user, note.kind) for note in list_notes(message, BEN)] == [(BEN, AttentionKind.MENTION)]
    assert [note.user for note in list_notes(message, ANN)] == [BEN]
    assert list_notes(make_message(1), None) == []


def test_changes_note_reactions_of_others_and_mentions() -> None:
    reacted = Reacted(actor=BEN, emoji="👍", conversation=HALL, ts=NOW, seq=1)
    (note,) = list_notes_of_change(ANN, reacted)
    assert (note.user, note.actor, note.kind, note.emoji) == (ANN, BEN, AttentionKind.REACTION, "👍")
    assert list_notes_of_change(BEN, reacted) == []
    assert list_notes_of_change(ANN, replace(reacted, remove=True)) == []
    edited = Edited(actor=ANN, text="@ben", mentions=(ANN, BEN), conversation=HALL, ts=NOW, seq=1)
    assert [(note.user, note.kind) for note in list_notes_of_change(ANN, edited)] == [(BEN, AttentionKind.MENTION)]
    assert list_notes_of_change(ANN, Deleted(actor=ANN, conversation=HALL, ts=NOW, seq=1)) == []


def test_a_note_holds_as_long_as_the_message_says_so() -> None:
    message = make_message(2, mentions=(BEN,), reply_to=1)
    mention, reply = list_notes(message, CAT)
    parent = make_message(1, sender=CAT)
    assert is_current(mention, message, None)
    assert is_current(reply, message, parent)
    assert not is_current(reply, message, None)
    assert not is_current(reply, message, make_message(1, sender=BEN))
    assert not is_current(mention, replace(message, mentions=()), None)
    assert not is_current(mention, replace(message, sender=CAT), None)
    assert not is_current(reply, replace(message, text=None, deleted=True), parent)
    (reaction,) = list_notes_of_change(ANN, Reacted(conversation=HALL, actor=BEN, ts=NOW, seq=2, emoji="👍"))
    assert is_current(reaction, replace(message, reactions={"👍": [BEN]}), None)
    assert not is_current(reaction, replace(message, reactions={"👍": [CAT]}), None)
    assert not is_current(reaction, replace(message, reactions={}), None)
