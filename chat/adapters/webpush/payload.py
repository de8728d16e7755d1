"""What a push carries, for the page's service worker (`web/app/sw.js`), and how long it is.

A push service sees the length of what it cannot read. So a content is filled up with blanks, which JSON does not heed,
to one of a few sizes: then the length says nothing of the text (RFC 8291, section 4, leaves the padding to the sender).
"""

from __future__ import annotations

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from chat.domain.conversations import is_room, partner, room_of
from chat.ports.notifier import Notification, Retraction
from chat.texts.announcing import write_announcement

OVERHEAD = 103
"""Bytes that encryption adds: salt, sizes and key before it (86), a delimiter and a tag behind it (RFC 8188)."""
BODY_SIZES = (512, 1024, 2048, 3072)
"""The lengths of an encrypted push in bytes; a push service takes 4,096 (RFC 8030, section 7.2)."""
_ELLIPSIS = "…"


class PushPayload(Struct, frozen=True, kw_only=True, tag_field="type", tag="show", omit_defaults=True):
    """Show `title` and `body`. `tag` names the conversation: a newer one replaces what is shown with the same tag.

    `url` leads to the conversation, relative to the page; `count` messages are announced, `seq` is the newest, `ts` its
    time in milliseconds. `user` is whom it is for, so a browser that was handed on shows nothing to the next user.
    """

    user: str
    tag: str
    seq: int
    url: str
    title: str
    body: str = ""
    kind: str = ""
    count: int = 1
    ts: int = 0


class ClosePayload(Struct, frozen=True, kw_only=True, tag_field="type", tag="close"):
    """Close what is shown with this tag, if it announces nothing newer than `seq`."""

    user: str
    tag: str
    seq: int


_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[PushPayload | ClosePayload] = msgspec.json.Decoder(PushPayload | ClosePayload)


def write_payload(notification: Notification) -> bytes:
    """What shows a notification, in the language of its user."""
    text = write_announcement(notification)
    payload = PushPayload(
        user=notification.user,
        tag=notification.conversation,
        seq=notification.seq,
        url=_make_url(notification),
        title=text.title,
        body=text.body,
        kind=notification.kind.value,
        count=notification.count,
        ts=notification.ts,
    )
    return _encode(payload)


def write_closing(retraction: Retraction) -> bytes:
    """What closes a notification."""
    return _encode(ClosePayload(user=retraction.user, tag=retraction.conversation, seq=retraction.seq))


def read_kind(content: bytes) -> str:
    """The kind of notification that a content shows; empty for one that closes."""
    payload = _decoder.decode(content)
    return payload.kind if isinstance(payload, PushPayload) else ""


def fit_payload(content: bytes, attempt: int = 0) -> bytes:
    """The content in one of the sizes; with each `attempt` that was too long for a push service, in a smaller one.

    Its body is shortened if it must be, and is empty at last.
    """
    size = BODY_SIZES[max(len(BODY_SIZES) - 1 - attempt, 0)] - OVERHEAD
    payload = _decoder.decode(content)
    while len(content) > size and isinstance(payload, PushPayload) and payload.body + payload.title:
        payload = _shorten(payload, len(content) - size)
        content = _encode(payload)
    for padded in BODY_SIZES:
        if len(content) <= padded - OVERHEAD:
            return content.ljust(padded - OVERHEAD)
    return content


def _shorten(payload: PushPayload, excess: int) -> PushPayload:
    """The payload with a shorter body, or, without one, a shorter title. A character has at most 6 bytes in JSON."""
    name = "body" if payload.body else "title"
    text: str = getattr(payload, name)
    kept = text.removesuffix(_ELLIPSIS)[: -max(excess // 6, 1)].rstrip()
    return replace(payload, **{name: kept + _ELLIPSIS if kept else ""})


def _make_url(notification: Notification) -> str:
    conversation = notification.conversation
    if is_room(conversation):
        return f"#/room/{room_of(conversation)}"
    return f"#/person/{partner(conversation, notification.user)}"
