"""What is written to history: new messages, and what becomes of them. Each function is part of one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chat.domain.conversations import is_room, pair_of
from chat.domain.models import Message
from chat.domain.records import Deleted, Edited, Moderated, Reacted, Read, Restored
from chat.engines import history_search
from chat.engines.history_rows import (
    DELETED,
    EDITED,
    INSERT,
    LAST_SEQ,
    MODERATED,
    WITHDRAWN,
    key_of,
    message_id,
    newest_id,
    to_row,
)
from chat.engines.packing import Packed, pack_user, unpack_user
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


def change(connection: sqlite3.Connection, what: Change) -> bool:
    """Apply one change; whether it applied."""
    key = key_of(connection, what.conversation)
    if key is None:
        return False
    if isinstance(what, Read):
        return _read(connection, key, what)
    target = _target(connection, message_id(key, what.seq))
    if target is None:
        return False
    if isinstance(what, Edited):
        return _edit(connection, target, what)
    if isinstance(what, Reacted):
        return _react(connection, target, what)
    return _restore(connection, target, what) if isinstance(what, Restored) else _withdraw(connection, target, what)


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


class _Target:
    """The message that a change is about, as it is now."""

    __slots__ = ("flags", "id", "sender", "text")

    def __init__(self, id: int, sender: Packed, flags: int, text: str | None) -> None:  # noqa: A002
        self.id = id
        self.sender = unpack_user(sender)
        self.flags = flags
        self.text = text


def _target(connection: sqlite3.Connection, id: int) -> _Target | None:  # noqa: A002
    row = connection.execute("SELECT id, sender, flags, text FROM messages WHERE id = ?", (id,)).fetchone()
    return _Target(*row) if row else None


def _edit(connection: sqlite3.Connection, target: _Target, edit: Edited) -> bool:
    if target.text is None or target.sender != edit.actor or edit.text == target.text:
        return False
    if _was_made(connection, target, edit):
        return False
    _replace(connection, target, edit.text, target.flags | EDITED, edit.ts)
    return True


def _was_made(connection: sqlite3.Connection, target: _Target, edit: Edited) -> bool:
    """Whether this very edit was applied before, and others after it: the log may bring a record again."""
    stood = connection.execute("SELECT until, text FROM originals WHERE message = ? ORDER BY key", (target.id,))
    earlier = stood.fetchall()
    if not earlier:
        return False
    followers = [text for _, text in earlier[1:]] + [target.text]
    return any(until == edit.ts and text == edit.text for (until, _), text in zip(earlier, followers, strict=True))


def _withdraw(connection: sqlite3.Connection, target: _Target, what: Deleted | Moderated) -> bool:
    if isinstance(what, Deleted):
        mark, allowed = DELETED, what.by_moderator or target.sender == what.actor
    else:
        mark, allowed = MODERATED, what.author in {"", target.sender}
    if not allowed or target.flags & mark:
        return False
    _replace(connection, target, None, target.flags | mark, what.ts)
    return True


def _restore(connection: sqlite3.Connection, target: _Target, what: Restored) -> bool:
    if target.flags & WITHDRAWN != MODERATED:
        return False
    _replace(connection, target, what.text, target.flags & ~MODERATED, what.ts)
    return True


def _replace(connection: sqlite3.Connection, target: _Target, text: str | None, flags: int, ts: int) -> None:
    if target.text is not None:
        connection.execute(
            "INSERT INTO originals (message, until, text) VALUES (?, ?, ?)", (target.id, ts, target.text)
        )
        history_search.forget(connection, target.id, target.text)
    connection.execute("UPDATE messages SET text = ?, flags = ? WHERE id = ?", (text, flags, target.id))
    if text is not None:
        history_search.expect(connection, [(target.id,)])


def _react(connection: sqlite3.Connection, target: _Target, what: Reacted) -> bool:
    if target.flags & WITHDRAWN:
        return False
    if what.remove:
        sql = "DELETE FROM reactions WHERE message = ? AND user = ? AND emoji = ?"
    else:
        sql = "INSERT OR IGNORE INTO reactions (message, user, emoji) VALUES (?, ?, ?)"
    return connection.execute(sql, (target.id, pack_user(what.actor), what.emoji)).rowcount > 0


def _read(connection: sqlite3.Connection, key: int, what: Read) -> bool:
    if not 1 <= what.seq <= newest_id(connection, key) & LAST_SEQ:
        return False
    done = connection.execute(
        "INSERT INTO read_marks (conversation, user, seq) VALUES (?, ?, ?)"
        " ON CONFLICT (conversation, user) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq",
        (key, pack_user(what.actor), what.seq),
    )
    return done.rowcount > 0
