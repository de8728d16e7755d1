"""What operators did is noted by a code and its values, and in English."""

from __future__ import annotations

import msgspec
import pytest

from chat.domain.audit_notes import AuditNote, NoteCode, make_note
from chat.domain.cases import AuditEntry, CaseAction


def test_a_note_has_its_values_as_texts_and_is_told_in_english() -> None:
    note = make_note(NoteCode.DEAD_LETTERS_REPLAYED, count=2, topic="rooms.dead")
    assert note == AuditNote("dead_letters_replayed", {"count": "2", "topic": "rooms.dead"})
    assert note.text == "replayed 2 dead letters of rooms.dead"
    assert make_note(NoteCode.ACCOUNT_CREATED).text == "created the account"


@pytest.mark.parametrize("values", [{}, {"user": "x"}])
def test_a_note_without_a_value_of_its_text_is_a_mistake(values: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        make_note(NoteCode.ROOM_OWNER, **values)


def test_a_stored_entry_keeps_its_note_and_one_of_before_has_none() -> None:
    note = make_note(NoteCode.ROOM_OWNER, room="r")
    entry = AuditEntry(id="e", at=1, by="operator:ann", action=CaseAction.OWNER, user="u", reason=note.text, note=note)
    stored = msgspec.json.encode(entry)
    assert msgspec.json.decode(stored, type=AuditEntry) == entry
    before = b'{"id":"e","at":1,"by":"b","action":"owner","user":"u","reason":"made an owner of room:r"}'
    assert msgspec.json.decode(before, type=AuditEntry).note is None


def test_a_stored_note_of_a_newer_version_is_read_too() -> None:
    newer = b'{"id":"e","at":1,"by":"b","action":"operator","user":"","note":{"code":"brand_new","values":{"a":"1"}}}'
    assert msgspec.json.decode(newer, type=AuditEntry).note == AuditNote("brand_new", {"a": "1"})
