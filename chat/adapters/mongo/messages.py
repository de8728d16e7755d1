"""Messages as documents of `messages`.

`conversation` is the key of the conversation (see `conversations`), `terms` are the normalised terms of the text
that stands now, each once. What a message does not have is left out: `text` once it was withdrawn, `reply_to`,
`mentions`, and `edited`, `deleted`, `moderated` when false. `reactions` are pairs of emoji and user in the order in
which they were chosen. `pin` (`user`, `ts`) and `pinned_in`, which repeats the conversation's key, stand in pinned
messages alone: so the index over `pinned_in` holds no others. `version` changes with every change; a new message has
none. `stamp` is where the log has the change that was applied last: its offset, and when the log took it. `edits`
counts the earlier texts.

Those are documents of `originals`, so that a message that is edited often stays small: `number` 0, 1, 2, … of the
message at (`conversation`, `seq`), with the time `until` which the `text` stood. One whose number the message does not
count yet was left by a change that did not come to its end, and is written anew by the next one.
"""

from __future__ import annotations

from collections.abc import Sequence

from bson import ObjectId

from chat.adapters.mongo.client import Document
from chat.domain.changes import MessageState, Original, Pin
from chat.domain.models import Message
from chat.domain.records import LogStamp
from chat.domain.terms import terms

WITHOUT_TERMS = {"terms": False}
_FLAGS = ("edited", "deleted", "moderated")


def to_document(key: ObjectId, message: Message) -> Document:
    """What is stored of a new message; its `_id` is whoever's who stores it."""
    document: Document = {
        "conversation": key,
        "seq": message.seq,
        "sender": message.sender,
        "sender_name": message.sender_name,
        "client_id": message.client_id,
        "ts": message.ts,
    }
    if message.sent_id:
        document["sent_id"] = message.sent_id
    _put_text(document, message.text)
    if message.reply_to is not None:
        document["reply_to"] = message.reply_to
    if message.mentions:
        document["mentions"] = list(message.mentions)
    _put_flags(document, message)
    if message.reactions:
        document["reactions"] = [[emoji, user] for emoji, users in message.reactions.items() for user in users]
    return document


def to_state(document: Document, earlier: Sequence[Original]) -> MessageState:
    """The part of a document that changes depend on, but for `pins_of_room`.

    `earlier` are the texts that it counts, or none of them.
    """
    pin = document.get("pin")
    return MessageState(
        sender=document["sender"],
        text=document.get("text"),
        mentions=tuple(document.get("mentions", ())),
        edited=document.get("edited", False),
        deleted=document.get("deleted", False),
        moderated=document.get("moderated", False),
        earlier=tuple(earlier),
        reactions=tuple((emoji, user) for emoji, user in document.get("reactions", ())),
        pin=Pin(pin["user"], int(pin["ts"])) if pin else None,
        stamp=read_stamp(document),
    )


def read_stamp(document: Document) -> LogStamp | None:
    """Where the log has the change that was applied last, if that is known."""
    found = document.get("stamp")
    return None if found is None else (found[0], found[1])


def put_state(document: Document, before: MessageState, after: MessageState) -> None:
    """Write into a document what a change made of its state."""
    if after.text != before.text:
        _put_text(document, after.text)
    if after.mentions:
        document["mentions"] = list(after.mentions)
    else:
        document.pop("mentions", None)
    _put_flags(document, after)
    added = len(after.earlier) - len(before.earlier)
    if added:
        document["edits"] = document.get("edits", 0) + added
    if after.stamp is not None:
        document["stamp"] = list(after.stamp)
    if after.reactions != before.reactions:
        document["reactions"] = [list(chosen) for chosen in after.reactions]
    if after.pin is None:
        document.pop("pin", None)
        document.pop("pinned_in", None)
    else:
        document |= {"pin": {"user": after.pin.user, "ts": after.pin.ts}, "pinned_in": document["conversation"]}


def _put_text(document: Document, text: str | None) -> None:
    """Give a document its text, and what it is found by."""
    if text is None:
        document.pop("text", None)
        document.pop("terms", None)
    else:
        document |= {"text": text, "terms": terms(text)}


def _put_flags(document: Document, message: Message | MessageState) -> None:
    for flag in _FLAGS:
        if getattr(message, flag):
            document[flag] = True
        else:
            document.pop(flag, None)


def to_message(conversation: str, document: Document) -> Message:
    """The message in a document of the conversation of this name."""
    reactions: dict[str, list[str]] = {}
    for emoji, user in document.get("reactions", ()):
        reactions.setdefault(emoji, []).append(user)
    return Message(
        conversation=conversation,
        seq=document["seq"],
        sender=document["sender"],
        sender_name=document["sender_name"],
        text=document.get("text"),
        ts=int(document["ts"]),  # the driver gives a kind of integer of its own, of which msgspec makes no JSON
        client_id=document["client_id"],
        sent_id=document.get("sent_id", ""),
        reply_to=document.get("reply_to"),
        mentions=tuple(document.get("mentions", ())),
        edited=document.get("edited", False),
        deleted=document.get("deleted", False),
        moderated=document.get("moderated", False),
        reactions=reactions,
        pinned="pin" in document,
    )
