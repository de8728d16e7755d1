"""What is written to history: new messages, and what becomes of them. Each function is part of one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chat.domain.changes import (
    MessageState,
    Original,
    Pin,
    Reaction,
    decide_change,
    decide_read_mark,
    needs_earlier_texts,
)
from chat.domain.conversations import is_room, pair_of
from chat.domain.models import Message
from chat.domain.records import MessageChange, Pinned, Reacted, Read
from chat.engines import attention_rows, history_search
from chat.engines.history_rows import (
    CAPITALS_SHIFT,
    DELETED,
    EDITED,
    INSERT,
    LAST_SEQ,
    MODERATED,
    PINNED,
    SEQ_BITS,
    flags_of,
    key_of,
    message_id,
    newest_id,
    pack_mentions,
    to_row,
    unpack_mentions,
)
from chat.engines.packing import pack_user, unpack_user
from chat.errors import Fenced
from chat.ports.history import Change


def store(connection: sqlite3.Connection, messages: Sequence[Message]) -> None:
    """Add messages. Raises `Fenced` when a place or a client id is taken."""
    keys: dict[str, int] = {}
    rows = []
    for message in messages:
        key = keys.get(message.conversation)
        if key is None:
            key = keys[message.conversation] = _key(connection, message.conversation)
        rows.append(to_row(key, message))
    try:
        connection.executemany(INSERT, rows)
    except sqlite3.IntegrityError as error:
        raise Fenced("another writer stored this seq, or this message, before") from error
    history_search.expect(connection, rows)
    attention_rows.note_messages(connection, messages, keys)


def change(connection: sqlite3.Connection, what: Change) -> bool:
    """Apply one change; whether it applied."""
    key = key_of(connection, what.conversation)
    if key is None:
        return False
    if isinstance(what, Read):
        return _read(connection, key, what)
    id_ = message_id(key, what.seq)
    before = _load(connection, id_, what)
    after = None if before is None else decide_change(before, what)
    if before is None or after is None:
        return False
    _save(connection, id_, before, after)
    attention_rows.note_change(connection, key, before.sender, what)
    return True


def _key(connection: sqlite3.Connection, conversation: str) -> int:
    """The conversation's key; the first message of a conversation makes one."""
    key = key_of(connection, conversation)
    if key is not None:
        return key
    (made,) = connection.execute(
        "INSERT INTO conversations (name) VALUES (?) RETURNING key", (conversation,)
    ).fetchall()
    if not is_room(conversation):
        people = [(pack_user(user), made[0]) for user in pair_of(conversation)]
        connection.executemany("INSERT INTO direct (user, conversation) VALUES (?, ?)", people)
    return int(made[0])


def _load(connection: sqlite3.Connection, id: int, what: MessageChange) -> MessageState | None:  # noqa: A002
    """What the decision on this change needs to know of its message."""
    row = connection.execute("SELECT sender, flags, text, mentions FROM messages WHERE id = ?", (id,)).fetchone()
    if row is None:
        return None
    sender, flags, text, mentions = row
    stamp = connection.execute("SELECT log_offset, taken FROM change_stamps WHERE message = ?", (id,)).fetchone()
    return MessageState(
        sender=unpack_user(sender),
        text=text,
        mentions=unpack_mentions(mentions),
        edited=bool(flags & EDITED),
        deleted=bool(flags & DELETED),
        moderated=bool(flags & MODERATED),
        earlier=_load_earlier(connection, id) if needs_earlier_texts(stamp, what) else (),
        reactions=_load_reaction(connection, id, what) if isinstance(what, Reacted) else (),
        reaction_kinds=_load_kinds(connection, id, what) if isinstance(what, Reacted) else None,
        pin=_load_pin(connection, id) if flags & PINNED else None,
        pins_of_room=_count_pins(connection, id) if isinstance(what, Pinned) else 0,
        stamp=stamp,
    )


def _load_earlier(connection: sqlite3.Connection, id: int) -> tuple[Original, ...]:  # noqa: A002
    return tuple(connection.execute("SELECT until, text FROM originals WHERE message = ? ORDER BY key", (id,)))


def _load_reaction(connection: sqlite3.Connection, id: int, what: Reacted) -> tuple[Reaction, ...]:  # noqa: A002
    sql = "SELECT 1 FROM reactions WHERE message = ? AND user = ? AND emoji = ?"
    found = connection.execute(sql, (id, pack_user(what.actor), what.emoji)).fetchone()
    return ((what.emoji, what.actor),) if found else ()


def _load_kinds(connection: sqlite3.Connection, id: int, what: Reacted) -> frozenset[str]:  # noqa: A002
    """The kinds of reactions to a message. Only this one, if somebody has chosen it before: that is found at once."""
    if connection.execute("SELECT 1 FROM reactions WHERE message = ? AND emoji = ?", (id, what.emoji)).fetchone():
        return frozenset((what.emoji,))
    return frozenset(
        emoji for (emoji,) in connection.execute("SELECT DISTINCT emoji FROM reactions WHERE message = ?", (id,))
    )


def _load_pin(connection: sqlite3.Connection, id: int) -> Pin:  # noqa: A002
    user, ts = connection.execute("SELECT user, ts FROM pins WHERE message = ?", (id,)).fetchone()
    return Pin(unpack_user(user), ts)


def _count_pins(connection: sqlite3.Connection, id: int) -> int:  # noqa: A002
    """How many messages are pinned in the conversation of this one."""
    low = message_id(id >> SEQ_BITS, 0)
    sql = "SELECT count(*) FROM pins WHERE message BETWEEN ? AND ?"
    return int(connection.execute(sql, (low, low + LAST_SEQ)).fetchone()[0])


def _save(connection: sqlite3.Connection, id: int, before: MessageState, after: MessageState) -> None:  # noqa: A002
    """Store what differs. Nobody else writes meanwhile: all of this is one transaction of the only writer."""
    if after.stamp is not None:
        sql = "INSERT OR REPLACE INTO change_stamps (message, log_offset, taken) VALUES (?, ?, ?)"
        connection.execute(sql, (id, *after.stamp))
    if after.reactions != before.reactions:
        _save_reactions(connection, id, before, after)
        return
    if after.pin != before.pin:
        _save_pin(connection, id, after.pin)
    originals = [(id, *original) for original in after.earlier[len(before.earlier) :]]
    connection.executemany("INSERT INTO originals (message, until, text) VALUES (?, ?, ?)", originals)
    if before.text not in {None, after.text}:
        history_search.forget(connection, id, before.text)
    sql = "UPDATE messages SET text = ?, flags = flags >> ? << ? | ?, mentions = ? WHERE id = ?"
    flags = CAPITALS_SHIFT, CAPITALS_SHIFT, flags_of(after)
    connection.execute(sql, (after.text, *flags, pack_mentions(after.mentions), id))
    if after.text not in {None, before.text}:
        history_search.expect(connection, [(id,)])


def _save_pin(connection: sqlite3.Connection, id: int, pin: Pin | None) -> None:  # noqa: A002
    connection.execute("DELETE FROM pins WHERE message = ?", (id,))
    if pin is not None:
        connection.execute("INSERT INTO pins (message, user, ts) VALUES (?, ?, ?)", (id, pack_user(pin.user), pin.ts))


def _save_reactions(
    connection: sqlite3.Connection,
    id: int,  # noqa: A002
    before: MessageState,
    after: MessageState,
) -> None:
    gone, new = set(before.reactions) - set(after.reactions), set(after.reactions) - set(before.reactions)
    for sql, reactions in (
        ("DELETE FROM reactions WHERE message = ? AND user = ? AND emoji = ?", gone),
        ("INSERT INTO reactions (message, user, emoji) VALUES (?, ?, ?)", new),
    ):
        connection.executemany(sql, [(id, pack_user(user), emoji) for emoji, user in reactions])


def _read(connection: sqlite3.Connection, key: int, what: Read) -> bool:
    user = pack_user(what.actor)
    row = connection.execute("SELECT seq FROM read_marks WHERE conversation = ? AND user = ?", (key, user)).fetchone()
    mark = decide_read_mark(row[0] if row else 0, newest_id(connection, key) & LAST_SEQ, what.seq)
    if mark is None:
        return False
    connection.execute(
        "INSERT OR REPLACE INTO read_marks (conversation, user, seq) VALUES (?, ?, ?)", (key, user, mark)
    )
    return True
