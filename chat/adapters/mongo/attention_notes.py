"""Notes of what asks for users' attention, as documents of `attention`: see `chat.domain.attention`.

`_id` says what is noted, so that a note is made once. They are written before what they are about: a crash between the
two leaves a note that does not hold, and never a message without its notes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pymongo import UpdateOne

from chat.adapters.mongo.client import Database
from chat.adapters.mongo.conversations import Head
from chat.domain.attention import AttentionKind, AttentionNote, list_notes
from chat.domain.models import Message


async def note_messages(database: Database, messages: Collection[Message], heads: Mapping[str, Head]) -> None:
    """Note what new messages ask for, whose conversations these are."""
    asking = [message for message in messages if message.mentions or message.reply_to is not None]
    if asking:
        senders = await _find_senders(database, messages, asking, heads)
        notes = [
            note
            for message in asking
            for note in list_notes(message, senders.get((message.conversation, message.reply_to)))
        ]
        await write_notes(database, notes, heads)


async def write_notes(database: Database, notes: Sequence[AttentionNote], heads: Mapping[str, Head]) -> None:
    """Write notes. A reaction that comes back is new; a mention that an edit repeats is not."""
    updates = []
    for note in notes:
        key = heads[note.conversation].key
        document = {"user": note.user, "ts": note.ts, "conversation": key, "seq": note.seq}
        document |= {"kind": note.kind.value, "actor": note.actor, "emoji": note.emoji}
        verb = "$set" if note.kind is AttentionKind.REACTION else "$setOnInsert"
        id_ = f"{key} {note.seq} {note.user} {note.kind} {note.actor} {note.emoji}"
        updates.append(UpdateOne({"_id": id_}, {verb: document}, upsert=True))
    if updates:
        await database.attention.bulk_write(updates, ordered=False)


async def _find_senders(
    database: Database, messages: Collection[Message], asking: Sequence[Message], heads: Mapping[str, Head]
) -> dict[tuple[str, int | None], str]:
    """Who wrote the messages that are replied to: (conversation, seq) → user."""
    found: dict[tuple[str, int | None], str] = {(each.conversation, each.seq): each.sender for each in messages}
    wanted: dict[str, set[int]] = {}
    for message in asking:
        if message.reply_to is not None and (message.conversation, message.reply_to) not in found:
            wanted.setdefault(message.conversation, set()).add(message.reply_to)
    for name, seqs in wanted.items():
        question = {"conversation": heads[name].key, "seq": {"$in": list(seqs)}}
        for document in await database.messages.find(question, {"seq": True, "sender": True}).to_list():
            found[name, document["seq"]] = document["sender"]
    return found
