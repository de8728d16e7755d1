"""What a push carries, and how long it is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.adapters.webpush.encryption import encrypt_content
from chat.adapters.webpush.payload import BODY_SIZES, OVERHEAD, fit_payload, read_kind, write_closing, write_payload
from chat.domain.notifying import NotificationKind
from chat.ports.notifier import Notification, Retraction
from tests.support.builders import ANN, ANN_AND_BEN, BEN, HALL, NOW
from tests.support.push import FakeBrowser


def notification(**fields: Any) -> Notification:
    known: dict[str, Any] = {
        "user": ANN,
        "conversation": HALL,
        "seq": 7,
        "kind": NotificationKind.MESSAGE,
        "count": 1,
        "sender": BEN,
        "sender_name": "Ben",
        "ts": NOW,
        "room_name": "hall",
        "text": "hello",
    }
    return Notification(**known | fields)


def test_a_notification_says_where_it_leads() -> None:
    shown = msgspec.json.decode(write_payload(notification(count=3)))
    assert shown["type"] == "show"
    assert (shown["user"], shown["tag"], shown["seq"], shown["count"]) == (ANN, HALL, 7, 3)
    assert shown["url"] == f"#/room/{HALL.removeprefix('room:')}"
    assert (shown["title"], shown["body"]) == ("hall", "Ben: hello\nand 2 more messages")


def test_a_direct_message_leads_to_its_sender_in_the_language_of_the_reader() -> None:
    content = write_payload(
        notification(conversation=ANN_AND_BEN, kind=NotificationKind.DM, room_name="", text="", language="ru", count=2)
    )
    shown = msgspec.json.decode(content)
    assert shown["url"] == f"#/person/{BEN}"
    assert (shown["title"], shown["body"]) == ("Ben", "2 новых сообщения")
    assert read_kind(content) == "dm"


def test_a_closing_names_what_it_closes_and_no_text() -> None:
    content = write_closing(Retraction(user=ANN, conversation=HALL, seq=7))
    assert msgspec.json.decode(content) == {"type": "close", "user": ANN, "tag": HALL, "seq": 7}
    assert read_kind(content) == ""


@pytest.mark.parametrize("length", [0, 1, 50, 150, 200])
@pytest.mark.parametrize("letter", ["a", "я", "🦉", '"', "\x01"])
def test_the_length_on_the_wire_is_one_of_a_few(length: int, letter: str) -> None:
    content = fit_payload(write_payload(notification(text=letter * length, room_name=letter * 80)))
    body = encrypt_content(FakeBrowser().subscribe(), content)
    assert len(body) in BODY_SIZES
    assert len(body) <= 3072


@given(st.text(min_size=1, max_size=4000), st.integers(0, 4))
def test_a_text_of_any_length_fits_into_every_size(text: str, attempt: int) -> None:
    content = fit_payload(write_payload(notification(text=text)), attempt)
    assert len(content) + OVERHEAD <= BODY_SIZES[max(len(BODY_SIZES) - 1 - attempt, 0)]
    shown = msgspec.json.decode(content)
    assert (shown["title"], shown["tag"]) == ("hall", HALL)


def test_two_texts_of_different_lengths_look_alike() -> None:
    assert len(fit_payload(write_payload(notification(text="no")))) == len(
        fit_payload(write_payload(notification(text="yes, of course")))
    )


def test_a_browser_reads_what_was_encrypted_and_nobody_else() -> None:
    browser = FakeBrowser()
    content = write_payload(notification(text="tschüß 🦉"))
    body = encrypt_content(browser.subscribe(), content)
    assert browser.decrypt(body) == content
    assert encrypt_content(browser.subscribe(), content) != body
