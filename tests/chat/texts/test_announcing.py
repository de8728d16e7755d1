"""The title and the text of a notification."""

from __future__ import annotations

from typing import Any

import pytest

from chat.domain.notifying import NotificationKind
from chat.ports.notifier import Notification
from chat.texts.announcing import Announcement, write_announcement


def notification(kind: str, room: str, text: str, count: int, **more: Any) -> Notification:
    return Notification(
        user="ben",
        conversation="c",
        seq=count,
        kind=NotificationKind(kind),
        count=count,
        sender="ann",
        sender_name="Ann",
        ts=1,
        room_name=room,
        text=text,
        **more,
    )


@pytest.mark.parametrize(
    ("kind", "room", "text", "count", "announced"),
    [
        ("dm", "", "hello", 1, ("Ann", "hello")),
        ("dm", "", "hello", 3, ("Ann", "hello\nand 2 more messages")),
        ("message", "hall", "hello", 1, ("hall", "Ann: hello")),
        ("message", "hall", "hello", 2, ("hall", "Ann: hello\nand 1 more message")),
        ("mention", "hall", "hello @ben", 1, ("Ann mentioned you in hall", "hello @ben")),
        ("reply", "hall", "yes", 1, ("Ann replied to you in hall", "yes")),
        ("dm", "", "", 1, ("Ann", "1 new message")),
        ("message", "hall", "", 5, ("hall", "5 new messages")),
    ],
)
def test_a_notification_says_who_where_and_what(
    kind: str, room: str, text: str, count: int, announced: tuple[str, str]
) -> None:
    written = write_announcement(notification(kind, room, text, count))
    assert written == Announcement(*announced)


def test_a_notification_speaks_the_language_of_the_user() -> None:
    written = write_announcement(notification("mention", "зал", "привет", 23, language="ru"))
    assert written == Announcement("Ann упоминает вас в «зал»", "привет\nи ещё 22 сообщения")
