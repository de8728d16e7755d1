"""The title and the text of a notification, as a device shows it."""

from __future__ import annotations

from msgspec import Struct

from chat.texts.languages import Texts, get_texts


class Announcement(Struct, frozen=True):
    """Two plain lines. They quote what users wrote, so whoever puts them into HTML escapes them."""

    title: str
    body: str


def write_announcement(
    kind: str, *, sender_name: str, room_name: str = "", text: str = "", count: int = 1, language: str | None = None
) -> Announcement:
    """Announce the newest of `count` messages of a conversation.

    `kind` is that of a notification: `dm`, `mention`, `reply`, `message`. `room_name` is empty for a direct message.
    Without a `text`, for users who hide texts, only the number of messages is told.
    """
    texts = get_texts(language)
    title = _write_title(texts, kind, sender_name, room_name)
    if not text:
        return Announcement(title, texts.ngettext("%(count)d new message", "%(count)d new messages", count))
    names_sender = bool(room_name) and kind not in {"mention", "reply"}  # elsewhere the title has the name
    body = texts.gettext("%(sender)s: %(text)s", sender=sender_name, text=text) if names_sender else text
    if count > 1:
        more = texts.ngettext("and %(count)d more message", "and %(count)d more messages", count - 1)
        body = f"{body}\n{more}"
    return Announcement(title, body)


def _write_title(texts: Texts, kind: str, sender: str, room: str) -> str:
    if not room:
        return sender
    if kind == "mention":
        return texts.gettext("%(sender)s mentioned you in %(room)s", sender=sender, room=room)
    if kind == "reply":
        return texts.gettext("%(sender)s replied to you in %(room)s", sender=sender, room=room)
    return room
