"""Full text search: an index of terms, and the newest messages, which wait to be indexed together.

Indexing one message costs several times what it costs among hundreds, because every transaction that touches the
index adds a segment to it. So `store` only notes the ids of new messages in `unindexed`; from time to time
`index_some` takes them in. A search asks the index and reads what waits, and so sees everything.

Rule 1: every hit is compared with the message's own text: what the index says too much is never shown.
Rule 2: a search does a bounded amount of work. When that is spent, its page ends where it is, and says so; so a search
  that finds nothing costs no more than one that finds much.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chat.domain.contents import has_contents
from chat.domain.cursors import FoundPlace
from chat.domain.models import Message
from chat.domain.terms import Term, has_terms, terms
from chat.engines.history_rows import COLUMNS, LAST_SEQ, Row, key_of, message_id, newest_id, to_messages
from chat.engines.packing import pack_user
from chat.ports.history import FoundPage, Query

INDEX_AT_ONCE = 1024
_FIRST_CHUNK, _LAST_CHUNK = 8, 512

# What a search may do, in units of about 5 µs: some two thousand short messages, or fifty of 16 KiB.
WORK = 40_000
_ROW_WORK, _TEXT_WORK, _LETTERS_AT_ONCE = 2, 18, 20


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


def find(connection: sqlite3.Connection, query: Query, work: int = WORK) -> FoundPage:
    """See `chat.ports.history.History.search_messages`.

    The times of a conversation's messages follow their seqs, because one process writes them.
    """
    if query.limit < 1:
        return FoundPage((), more=False)
    sender = None if query.sender is None else pack_user(query.sender)
    streams = (_list_candidates(connection, name, query) for name in dict.fromkeys(query.conversations))
    hits: list[Message] = []
    end: FoundPlace | None = None
    for place, row, text in heapq.merge(*streams, key=lambda candidate: candidate[0].order):
        work -= _ROW_WORK  # rule 2
        if sender in (None, row[1]):
            work -= _TEXT_WORK + len(text) // _LETTERS_AT_ONCE
            if _is_wanted(text, query):  # rule 1
                if len(hits) == query.limit:
                    return FoundPage(hits, more=True, end=end)
                hits += to_messages(connection, place.conversation, [row])
        end = place
        if work <= 0:
            return FoundPage(hits, more=True, end=end)
    return FoundPage(hits, more=False)


def _is_wanted(text: str, query: Query) -> bool:
    return has_contents(text, query.contents) and (not query.terms or has_terms({*terms(text)}, query.terms))


def _list_candidates(
    connection: sqlite3.Connection, conversation: str, query: Query
) -> Iterator[tuple[FoundPlace, Row, str]]:
    """What the index, or what waits for it, has for the query in one conversation, newest first."""
    key = key_of(connection, conversation)
    if key is None:
        return
    last = None
    for id_ in _candidate_ids(connection, key, query.terms, _find_start(connection, key, conversation, query)):
        row = connection.execute(f"SELECT {COLUMNS} FROM messages WHERE id = ?", (id_,)).fetchone()  # noqa: S608
        if row is not None and query.since is not None and row[3] < query.since:
            return
        if id_ == last or row is None or row[8] is None:
            continue
        last = id_
        yield FoundPlace(row[3], id_ & LAST_SEQ, conversation), row, row[8]


def _find_start(connection: sqlite3.Connection, key: int, conversation: str, query: Query) -> int:
    """The newest message that may be in the page: found by bisection, so that what is newer costs nothing."""
    newest = newest_id(connection, key)
    if query.after is None and query.before is None:
        return newest
    if query.after is not None and query.after.conversation == conversation and query.before is None:
        return min(newest, message_id(key, query.after.seq - 1))
    low, high = message_id(key, 0), newest  # what is sought is between the two, or is the lower one
    while low < high:
        middle = (low + high + 1) // 2
        (ts,) = connection.execute("SELECT ts FROM messages WHERE id = ?", (middle,)).fetchone()
        place = FoundPlace(ts, middle & LAST_SEQ, conversation)
        follows = query.after is None or place.order > query.after.order
        if follows and (query.before is None or ts < query.before):
            low = middle
        else:
            high = middle - 1
    return low


def _candidate_ids(connection: sqlite3.Connection, key: int, wanted: Sequence[Term], start: int) -> Iterator[int]:
    low = message_id(key, 1)
    if not wanted:
        sql = "SELECT id FROM messages WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?"
        return _walk(connection, sql, (), low, start)
    match = " AND ".join(map(_write_condition, wanted))
    indexed = _walk(
        connection,
        "SELECT rowid FROM search WHERE search MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?",
        (match,),
        low,
        start,
    )
    sql = "SELECT id FROM unindexed WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?"
    return heapq.merge(indexed, _walk(connection, sql, (), low, start), reverse=True)


def _write_condition(term: Term) -> str:
    """A term in the language of FTS5. Terms have letters, digits and marks alone, so nothing in them needs escaping."""
    return f'("{term.stem}" OR "{term.prefix}" *)' if term.prefix else f'"{term.stem}"'


def _walk(connection: sqlite3.Connection, sql: str, match: tuple[str, ...], low: int, high: int) -> Iterator[int]:
    """The ids that a query finds from `high` down to `low`, in chunks that grow."""
    size = _FIRST_CHUNK
    while True:
        ids = [row[0] for row in connection.execute(sql, (*match, low, high, size))]
        yield from ids
        if len(ids) < size:
            return
        high, size = ids[-1] - 1, min(4 * size, _LAST_CHUNK)
