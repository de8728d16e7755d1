"""Full text search: an index of terms, and the newest messages, which wait to be indexed together.

Indexing one message costs several times what it costs among hundreds, because every transaction that touches the
index adds a segment to it. So `store` only notes the ids of new messages in `unindexed`; from time to time
`index_some` takes them in. A search asks the index and reads what waits, and so sees everything.

Every hit is compared with the message's own text: what the index says too much is never shown.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from chat.domain.models import Message
from chat.domain.terms import Term, has_terms, terms
from chat.engines.history_rows import COLUMNS, LAST_SEQ, Row, key_of, message_id, to_messages
from chat.engines.packing import pack_user
from chat.ports.history import Page, Query

INDEX_AT_ONCE = 1024
_FIRST_CHUNK, _LAST_CHUNK = 8, 512


def expect(connection: sqlite3.Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Note rows, of which the first column is a message's id, to be indexed."""
    connection.executemany("INSERT OR IGNORE INTO unindexed (id) VALUES (?)", [(row[0],) for row in rows])


def forget(connection: sqlite3.Connection, id: int, text: str) -> None:  # noqa: A002
    """Take a message with this text out of what is indexed, or waits for it."""
    if connection.execute("DELETE FROM unindexed WHERE id = ?", (id,)).rowcount:
        return
    found = terms(text)
    if found:
        connection.execute("INSERT INTO search (search, rowid, terms) VALUES ('delete', ?, ?)", (id, " ".join(found)))


def index_some(connection: sqlite3.Connection) -> None:
    """Index what waits, in the order of ids, which is what the index takes in one go."""
    waiting = connection.execute(
        "SELECT messages.id, messages.text FROM unindexed JOIN messages ON messages.id = unindexed.id"
        " ORDER BY unindexed.id LIMIT ?",
        (INDEX_AT_ONCE,),
    ).fetchall()
    found = [(id_, " ".join(terms(text))) for id_, text in waiting if text is not None]
    connection.executemany("INSERT INTO search (rowid, terms) VALUES (?, ?)", [row for row in found if row[1]])
    connection.executemany("DELETE FROM unindexed WHERE id = ?", [(row[0],) for row in waiting])


def is_far_behind(connection: sqlite3.Connection) -> bool:
    """Whether more waits to be indexed than `index_some` takes at once."""
    sql = "SELECT 1 FROM unindexed LIMIT 1 OFFSET ?"
    return connection.execute(sql, (INDEX_AT_ONCE,)).fetchone() is not None


def find(connection: sqlite3.Connection, query: Query) -> Page:
    """See `chat.ports.history.History.search`. A conversation's messages stay in the order of their seq."""
    if not query.terms or query.limit < 1:
        return Page((), more=False)
    found = heapq.merge(
        *(_matches(connection, conversation, query) for conversation in dict.fromkeys(query.conversations)),
        key=lambda hit: -hit[1][3],
    )
    hits = list(islice(found, query.limit + 1))
    shown: list[Message] = []
    for conversation, row in hits[: query.limit]:
        shown += to_messages(connection, conversation, [row])
    return Page(shown, more=len(hits) > query.limit)


def _matches(connection: sqlite3.Connection, conversation: str, query: Query) -> Iterator[tuple[str, Row]]:
    """What the query finds in one conversation, newest first."""
    key = key_of(connection, conversation)
    if key is None:
        return
    sender = None if query.sender is None else pack_user(query.sender)
    last = None
    for id_ in _candidates(connection, key, query.terms):
        row = connection.execute(f"SELECT {COLUMNS} FROM messages WHERE id = ?", (id_,)).fetchone()  # noqa: S608
        if id_ == last or row is None or row[8] is None:
            continue
        last = id_
        if (
            sender in (None, row[1])
            and (query.before is None or row[3] < query.before)
            and has_terms({*terms(row[8])}, query.terms)
        ):
            yield conversation, row


def _candidates(connection: sqlite3.Connection, key: int, wanted: Sequence[Term]) -> Iterator[int]:
    match = " AND ".join(map(_write_condition, wanted))
    low = message_id(key, 0)
    indexed = _walk(
        connection,
        "SELECT rowid FROM search WHERE search MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?",
        (match,),
        low,
    )
    waiting = _walk(connection, "SELECT id FROM unindexed WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?", (), low)
    return heapq.merge(indexed, waiting, reverse=True)


def _write_condition(term: Term) -> str:
    """A term in the language of FTS5. Terms have letters, digits and marks alone, so nothing in them needs escaping."""
    return f'("{term.stem}" OR "{term.prefix}" *)' if term.prefix else f'"{term.stem}"'


def _walk(connection: sqlite3.Connection, sql: str, match: tuple[str, ...], low: int) -> Iterator[int]:
    """The ids that a query finds between `low` and the conversation's end, downwards, in chunks that grow."""
    high, size = low + LAST_SEQ, _FIRST_CHUNK
    while True:
        ids = [row[0] for row in connection.execute(sql, (*match, low, high, size))]
        yield from ids
        if len(ids) < size:
            return
        high, size = ids[-1] - 1, min(4 * size, _LAST_CHUNK)
