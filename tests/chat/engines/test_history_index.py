"""The index of terms in SQLite: what goes in, what is found in each state of it, and what deleted rooms leave."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chat.domain.models import Room, Visibility
from chat.domain.records import Deleted, Edited
from chat.domain.terms import search_terms, terms
from chat.engines.database import Database, InlineExecutor
from chat.engines.deleted_conversations import STEP, clear_deleted, mark_deleted
from chat.engines.history import TIDY_EVERY, SqliteHistory
from chat.engines.history_changes import store
from chat.engines.history_search import INDEX_AT_ONCE, find, index_some
from chat.engines.schema import STORE, TERMS
from chat.errors import Fenced
from chat.ports.history import Query
from tests.support.builders import ANN, ATTIC, BEN, HALL, NOW, ROOM, exact_terms, make_message, make_messages, make_user
from tests.support.engines import sqlite_stores

pytestmark = pytest.mark.anyio
TEXTS = [
    "Zoë aß Käse in Łódź; ÀÉÎÕÜ ñ",
    "สวัสดีชาวโลก ภาษาไทย ๑๒๓",
    "नमस्ते दुनिया हिन्दी १२३",
    "مرحبا بالعالم العربية ١٢٣",
    "我们明天在北京见面 東京タワー 안녕하세요",
    "great🎉party👍🏽now ❤️x",
    "2026 1,234.50 ½ ② x² Ⅷ",
    "ꭰꮳꭹ 𞤀𞤣𞤤𞤢𞤥 𝔉𝔞𝔫 𐐷 ẞß ŉ İi ǅ",
    'a_b-c.d e\'f "g" NOT OR AND NEAR(x) y* ^z {w} col:umn',
    "x" * 70 + " \u200b\u200d\u2060 \x01\x7f",
]


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    """An empty store in memory."""
    async with Database.open(None, executor=InlineExecutor(), schema=STORE, commit_interval_ms=0) as opened:
        yield opened


def indexed_terms(connection: sqlite3.Connection) -> set[str]:
    """What the index holds after its tokenizer saw it."""
    connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab ('main', 'search', 'row')")
    return {row[0] for row in connection.execute("SELECT term FROM temp.vocabulary")}


def count(table: str, connection: sqlite3.Connection) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


async def found(history: SqliteHistory, *wanted: str) -> list[int]:
    page = await history.search_messages(Query(terms=exact_terms(*wanted), conversations=[HALL, ATTIC]))
    return [message.seq for message in page.messages]


@pytest.mark.parametrize("text", TEXTS)
async def test_tokenizer_keeps_each_term_as_it_is(database: Database, text: str) -> None:
    history = SqliteHistory(database)
    await history.apply_batch([make_message(1, text=text)], [])
    await database.write(index_some)
    assert await database.write(indexed_terms) == set(terms(text))
    for term in terms(text):
        assert await found(history, term) == [1]


@given(st.text(max_size=200))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_tokenizer_keeps_the_terms_of_any_text(text: str) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for script in STORE:
        connection.executescript(script)
    connection.execute("INSERT INTO search (rowid, terms) VALUES (1, ?)", (" ".join(terms(text)),))
    assert indexed_terms(connection) == set(terms(text))
    connection.close()


async def test_messages_are_indexed_many_at_once(database: Database) -> None:
    history = SqliteHistory(database)
    await history.apply_batch(make_messages(TIDY_EVERY - 1), [])
    assert await database.read(lambda connection: count("unindexed", connection)) == TIDY_EVERY - 1
    await history.apply_batch([make_message(TIDY_EVERY)], [])
    await database.write(lambda _: None)  # the indexing was submitted before this
    assert await database.read(lambda connection: count("unindexed", connection)) == 0
    assert await found(history, "message", "7") == [7]


async def test_indexing_takes_a_bounded_share(database: Database) -> None:
    await database.write(lambda connection: store(connection, make_messages(INDEX_AT_ONCE + 5)))
    await database.write(index_some)
    assert await database.read(lambda connection: count("unindexed", connection)) == 5
    await database.write(index_some)
    assert await database.read(lambda connection: count("unindexed", connection)) == 0


async def test_an_upgrade_makes_the_index_anew_in_steps(tmp_path: Path) -> None:
    """What was indexed by other rules is forgotten, and the whole history taken in again, a bounded share at a time."""
    before = STORE[: STORE.index(TERMS)]
    path = tmp_path / "store.db"
    messages = [*make_messages(INDEX_AT_ONCE + 40, text="пицца 猫"), make_message(INDEX_AT_ONCE + 41, text="gone")]
    gone = Deleted(conversation=HALL, actor=ANN, ts=NOW, seq=INDEX_AT_ONCE + 41)

    def index_by_older_rules(connection: sqlite3.Connection) -> None:
        rows = connection.execute("SELECT id FROM unindexed").fetchall()
        connection.executemany("INSERT INTO search (rowid, terms) VALUES (?, 'older')", rows)
        connection.execute("DELETE FROM unindexed")

    async with Database.open(path, executor=InlineExecutor(), schema=before, commit_interval_ms=0) as older:
        await older.write(lambda connection: store(connection, messages))
        await older.write(index_by_older_rules)
    async with Database.open(path, executor=InlineExecutor(), schema=STORE, commit_interval_ms=0) as database:
        history = SqliteHistory(database)
        assert await database.read(lambda connection: count("unindexed", connection)) == INDEX_AT_ONCE + 41
        page = await history.search_messages(Query(terms=search_terms("пиццы 猫"), conversations=[HALL], limit=3))
        assert [message.seq for message in page.messages] == [INDEX_AT_ONCE + 40 - back for back in range(3)]
        assert list(await history.apply_batch([], [gone])) == [True]
        await database.write(lambda _: None)  # the steps that the search began were submitted before this
        await database.write(lambda _: None)
        assert await database.read(lambda connection: count("unindexed", connection)) <= INDEX_AT_ONCE
        await database.write(index_some)
        assert await database.write(indexed_terms) == {"пицца", "пицц", "猫"}
        assert await found(history, "older") == []
        assert await found(history, "gone") == []


@pytest.mark.parametrize("moments", range(4))
async def test_search_is_the_same_whenever_messages_are_indexed(database: Database, moments: int) -> None:
    """Index before the edit and the deletion, after them, both, or never."""
    history = SqliteHistory(database)
    await history.apply_batch([make_message(seq, text=f"old {seq}") for seq in (1, 2, 3)], [])
    if moments & 1:
        await database.write(index_some)
    edit = Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text="new 1")
    await history.apply_batch(
        [make_message(1, ATTIC, text="new 1")], [edit, Deleted(conversation=HALL, actor=ANN, ts=NOW, seq=2)]
    )
    if moments & 2:
        await database.write(index_some)
    assert await found(history, "old") == [3]
    assert await found(history, "new") == [1, 1]
    assert await found(history, "2") == []


async def test_index_stays_sound_through_changes(database: Database) -> None:
    history = SqliteHistory(database)
    await history.apply_batch(make_messages(20, text="some words here"), [])
    await database.write(index_some)
    edits = [Edited(conversation=HALL, actor=ANN, ts=NOW, seq=seq, text="other words") for seq in range(1, 11)]
    deletions = [Deleted(conversation=HALL, actor=ANN, ts=NOW, seq=seq) for seq in range(5, 21)]
    await history.apply_batch([], [*edits, *deletions])
    await database.write(index_some)
    check = "INSERT INTO search (search) VALUES ('integrity-check')"
    await database.write(lambda connection: connection.execute(check).rowcount)
    # A tombstone of a term may stay until segments merge; no document may be behind it.
    assert await found(history, "here") == []
    assert await found(history, "other") == [4, 3, 2, 1]


async def test_what_the_index_says_too_much_is_not_shown(database: Database) -> None:
    def lie(connection: sqlite3.Connection) -> None:
        (id_,) = connection.execute("SELECT max(id) FROM messages").fetchone()
        rows = [(id_, "ghost"), (id_ + 1, "ghost")]
        connection.executemany("INSERT INTO search (rowid, terms) VALUES (?, ?)", rows)

    history = SqliteHistory(database)
    await history.apply_batch(make_messages(1), [])
    await database.write(lie)
    assert await found(history, "ghost") == []
    assert await found(history, "message") == [1]


@pytest.mark.parametrize("indexed", [False, True])
async def test_a_search_that_finds_nothing_does_a_bounded_amount_of_work(database: Database, indexed: bool) -> None:
    """Its pages end early, and lead to the end all the same; what they cost does not grow with the history."""
    query = Query(terms=search_terms("word"), conversations=[HALL, ATTIC], sender=BEN)
    messages = [make_message(seq, place, text="word") for seq in range(1, 301) for place in (HALL, ATTIC)]
    await database.write(lambda connection: store(connection, messages))
    if indexed:
        await database.write(index_some)
    pages, after = 0, None
    while pages == 0 or after is not None:
        asked = replace(query, after=after)
        page = await database.search(lambda connection: find(connection, asked, work=100))  # noqa: B023
        assert (list(page.messages), page.more) == ([], page.end is not None)
        pages, after = pages + 1, page.end
    assert pages == 2 * 300 * 2 // 100 + 1
    statements: list[str] = []

    def find_traced(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(statements.append)
        find(connection, query, work=100)
        connection.set_trace_callback(None)

    await database.search(find_traced)
    assert len(statements) < 100


@pytest.mark.parametrize(("words", "looked_at"), [(1, 99), (3000, 3)])
async def test_long_texts_cost_more_of_what_a_search_may_do(database: Database, words: int, looked_at: int) -> None:
    messages = [make_message(seq, text="word " * words) for seq in range(1, 101)]
    query = Query(terms=search_terms("word y"), conversations=[HALL])
    await database.write(lambda connection: store(connection, messages))
    page = await database.search(lambda connection: find(connection, query, work=1980))
    assert page.end is not None
    assert page.end.seq == 101 - looked_at


async def test_text_without_terms_is_not_indexed(database: Database) -> None:
    history = SqliteHistory(database)
    await history.apply_batch([make_message(1, text="🎉")], [])
    await database.write(index_some)
    edit = Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text="party")
    assert list(await history.apply_batch([], [edit])) == [True]
    assert await found(history, "party") == [1]


async def test_deleted_room_is_cleared_away_in_steps(database: Database) -> None:
    stores = sqlite_stores(database)
    await stores.accounts.create_user(make_user(ANN), None)
    await stores.rooms.create_room(Room(id=ROOM, name="Hall", visibility=Visibility.PUBLIC), ANN)
    kept = make_messages(3, ATTIC)
    await stores.history.apply_batch([*make_messages(2 * STEP + 1), *kept], [])
    await database.write(index_some)
    before = database.statistics().jobs
    await stores.rooms.delete_room(ROOM)
    assert database.statistics().jobs - before >= 4
    assert await database.read(lambda connection: count("messages", connection)) == len(kept)
    assert list(await stores.history.messages_since(ATTIC, 0, limit=9, max_bytes=999) or ()) == kept
    assert await database.read(lambda connection: count("graves", connection)) == 0
    assert await database.write(lambda connection: connection.execute("SELECT rowid FROM search('7')").fetchall()) == []


async def test_what_a_crash_left_of_a_room_is_out_of_reach_and_in_nobodys_way(database: Database) -> None:
    history = SqliteHistory(database)
    messages = make_messages(STEP + 5)
    await history.apply_batch(messages, [Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text="new")])
    await database.write(index_some)
    await database.write(lambda connection: mark_deleted(connection, HALL))
    await database.write(clear_deleted)
    assert await history.newest_seqs([HALL]) == {HALL: 0}
    assert await history.find_by_client_ids([(ANN, messages[-1].client_id)]) == {}
    assert await found(history, "message") == []
    assert list(await history.earlier_texts(HALL, 1)) == []
    again = make_message(1, ATTIC, client_id=messages[-1].client_id)
    await history.apply_batch([again], [])
    assert await history.get_message(ATTIC, 1) == again
    with pytest.raises(Fenced):
        await history.apply_batch([again], [])


async def test_what_a_crash_left_is_cleared_by_and_by(database: Database) -> None:
    history = SqliteHistory(database)
    await history.apply_batch(make_messages(10), [])
    await database.write(lambda connection: mark_deleted(connection, HALL))
    await history.apply_batch(make_messages(TIDY_EVERY, ATTIC), [])
    await database.write(lambda _: None)  # the clearing was submitted before this
    assert await database.read(lambda connection: count("messages", connection)) == TIDY_EVERY


async def test_deleted_conversation_that_goes_on_starts_afresh(database: Database) -> None:
    history = SqliteHistory(database)
    await history.apply_batch(make_messages(3), [])
    await database.write(lambda connection: mark_deleted(connection, HALL))
    await history.apply_batch([make_message(1, client_id="new", sender=BEN)], [])
    assert await history.newest_seqs([HALL]) == {HALL: 1}
    while await database.write(clear_deleted):
        pass
    assert await history.newest_seqs([HALL]) == {HALL: 1}
