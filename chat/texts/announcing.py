"""The title and the text of a notification, as a device shows it."""

from __future__ import annotations

from msgspec import Struct

from chat.domain.notifying import NotificationKind
from chat.ports.notifier import Notification
from chat.texts.languages import Texts, get_texts


class Announcement(Struct, frozen=True):
    """Two plain lines. They quote what users wrote, so whoever puts them into HTML escapes them."""

    title: str
    body: str


def write_announcement(notification: Notification) -> Announcement:
    """Announce the newest of a conversation's messages, in the language of the user.

    Without a text, for users who hide texts, only the number of messages is told.
    """
    texts, kind = get_texts(notification.language), notification.kind
    sender, text, count = notification.sender_name, notification.text, notification.count
    title = _write_title(texts, kind, sender, notification.room_name)
    if not text:
        return Announcement(title, texts.ngettext("%(count)d new message", "%(count)d new messages", count))
    if kind is NotificationKind.MESSAGE:  # elsewhere the title has the name
        text = texts.gettext("%(sender)s: %(text)s", sender=sender, text=text)
    if count > 1:
        more = texts.ngettext("and %(count)d more message", "and %(count)d more messages", count - 1)
        text = f"{text}\n{more}"
    return Announcement(title, text)


def _write_title(texts: Texts, kind: NotificationKind, sender: str, room: str) -> str:
    if not room:
        return sender
    if kind is NotificationKind.MENTION:
        return texts.gettext("%(sender)s mentioned you in %(room)s", sender=sender, room=room)
    if kind is NotificationKind.REPLY:
        return texts.gettext("%(sender)s replied to you in %(room)s", sender=sender, room=room)
    return room
