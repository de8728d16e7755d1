"""Every statement that the ports cause on a store is answered from an index.

The statements are those that SQLite saw while each method was called once, so that none can be forgotten.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator

import pytest
from msgspec import Struct

from chat.domain.cursors import RoomPlace
from chat.domain.ids import new_id
from chat.domain.invitations import Invite
from chat.domain.models import Role, Room, Visibility
from chat.domain.records import Deleted, Edited, Moderated, Reacted, Read
from chat.domain.token_families import GRACE_MS
from chat.engines.database import Database, InlineExecutor
from chat.engines.deleted_conversations import clear_deleted
from chat.engines.history_search import index_some
from chat.errors import Conflict
from chat.ports.accounts import RefreshGrant, SigningKey
from chat.ports.history import Change, Query
from chat.ports.rooms import RoomUpdate
from tests.support.builders import (
    ANN,
    ANN_AND_BEN,
    BEN,
    CAT,
    HALL,
    NOW,
    OTHER_ROOM,
    ROOM,
    exact_terms,
    make_message,
    make_messages,
    make_user,
)
from tests.support.engines import SCHEMA, Stores, sqlite_stores
from tests.support.store_calls import use_notifications, use_pending

pytestmark = pytest.mark.anyio
SMALL = {"unindexed", "graves", "signing_keys", "json_each", "search_config"}
"""Tables that never hold many rows; the last is FTS5's own."""


class Traced(Struct):
    """Stores, the connection beneath them, and the statements that it ran."""

    stores: Stores
    database: Database
    connection: sqlite3.Connection
    statements: list[str]


@pytest.fixture
async def traced() -> AsyncIterator[Traced]:
    """Stores in memory whose statements are noted."""
    async with Database.open(None, executor=InlineExecutor(), schema=SCHEMA, commit_interval_ms=0) as database:
        connection = await database.write(lambda connection: connection)
        seen: list[str] = []
        connection.set_trace_callback(seen.append)
        yield Traced(sqlite_stores(database), database, connection, seen)
        connection.set_trace_callback(None)


def plans(traced: Traced) -> dict[str, list[str]]:
    """Each statement that reads or writes rows, and the steps of its plan."""
    traced.connection.set_trace_callback(None)
    wanted = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE)\b")
    found: dict[str, list[str]] = {}
    for statement in dict.fromkeys(traced.statements):
        if wanted.match(statement) and not statement.startswith("--"):
            rows = traced.connection.execute(f"EXPLAIN QUERY PLAN {statement}")
            found[statement] = [row[3] for row in rows]
    return found


def full_scans(traced: Traced) -> dict[str, list[str]]:
    """The statements that walk through a table, or sort more than they show."""
    bad: dict[str, list[str]] = {}
    for statement, steps in plans(traced).items():
        for step in steps:
            scan = re.match(r"SCAN (?:main\.)?(\w+)(?! VIRTUAL TABLE)", step)
            if scan and scan[1] not in SMALL and "VIRTUAL TABLE" not in step and "CONSTANT ROW" not in step:
                bad.setdefault(statement, []).append(step)
    return bad


async def use_accounts(traced: Traced) -> None:
    accounts = traced.stores.accounts
    for user in (ANN, BEN, CAT):
        await accounts.create_user(make_user(user, email=f"{user}@example.org"), "hash")
    await accounts.get_user(ANN)
    await accounts.get_users([ANN, BEN])
    await accounts.find_by_name("Ann")
    await accounts.ids_by_names(["ann"])
    await accounts.search_users("a", 5)
    await accounts.search_users("a", 5, after="ann")
    await accounts.set_display_name(ANN, "Zoë")
    await accounts.get_password_hash(ANN)
    await accounts.set_password_hash(ANN, "other")
    await accounts.add_user_block(ANN, BEN, NOW)
    await accounts.list_role_holders(10)
    await accounts.list_user_blocks(ANN)
    await accounts.find_blockers(BEN, [ANN, CAT])
    await accounts.find_blocks([(ANN, BEN)])
    await accounts.remove_user_block(ANN, BEN)
    await accounts.set_blocked(CAT, blocked=True)
    await accounts.add_grant(RefreshGrant(digest=b"1", family="f", user=ANN, expires=NOW + 9))
    for successor, now in [(b"2", NOW), (b"4", NOW), (b"5", NOW + 2 * GRACE_MS)]:
        await accounts.rotate_grant(b"1", successor, NOW + 9, now)
    await accounts.add_grant(RefreshGrant(digest=b"3", family="g", user=ANN, expires=NOW + 9))
    await accounts.list_log_ins(ANN, NOW, 5)
    await accounts.end_log_in(ANN, "none")
    await accounts.end_family(b"3")
    await accounts.list_ended_families(0, 10)
    await accounts.add_signing_key(SigningKey(kid="k", private=b"", created=1, expires=2), keep_from=0)
    await accounts.signing_keys()


async def use_rooms(traced: Traced) -> None:
    rooms = traced.stores.rooms
    for room in (ROOM, OTHER_ROOM):
        await rooms.create_room(Room(id=room, name="Hall", visibility=Visibility.PUBLIC), ANN)
    await rooms.get_room(ROOM)
    await rooms.update_room(ROOM, RoomUpdate(name="Loft", visibility=Visibility.PUBLIC, default_role=Role.READER))
    await rooms.rooms_of_user(ANN)
    await rooms.list_public_rooms("l", 5)
    await rooms.describe_rooms([ROOM])
    await rooms.list_public_rooms("l", 5, after=RoomPlace("loft", ROOM))
    await rooms.get_role(ROOM, ANN)
    await rooms.add_members(ROOM, [BEN, CAT], Role.MEMBER, NOW)
    await rooms.set_member(ROOM, BEN, Role.OWNER, now=NOW)
    await rooms.list_members(ROOM, "a", 5)
    await rooms.list_members(ROOM, "a", 5, prefix="zo")
    await traced.stores.accounts.find_displayed(ROOM, ["zoe"])
    await rooms.set_member(OTHER_ROOM, BEN, Role.MEMBER, now=NOW, by=ANN)
    await rooms.list_member_ids(ROOM)
    await rooms.find_small_rooms([ROOM], 5)
    await rooms.find_members([(ROOM, BEN)])
    await rooms.remove_member(ROOM, BEN)
    await rooms.ban_user(ROOM, CAT, ANN, "spam", NOW)
    await rooms.list_bans(ROOM)
    await rooms.unban_user(ROOM, CAT)
    for number in (b"1", b"2"):
        invite = Invite(id=new_id(), digest=number, room=ROOM, role=Role.MEMBER, creator=ANN, expires=NOW + 9)
        await rooms.add_invite(invite)
    await rooms.is_invite_usable(b"1", NOW)
    await rooms.accept_invite(b"1", CAT, now=NOW)
    await rooms.remove_member(ROOM, CAT)
    await rooms.join_room(ROOM, CAT, now=NOW)
    with pytest.raises(Conflict):
        await rooms.give_owner(ROOM, CAT, now=NOW)
    await rooms.list_invites(ROOM, NOW)
    await rooms.revoke_invite(ROOM, invite.id, ANN)


async def use_history(traced: Traced) -> None:
    history = traced.stores.history
    await history.apply_batch([*make_messages(5), make_message(1, ANN_AND_BEN)], [])
    await traced.database.write(index_some)
    changes: list[Change] = [
        Reacted(conversation=HALL, actor=BEN, ts=NOW, seq=1, emoji="👍"),
        Reacted(conversation=HALL, actor=BEN, ts=NOW, seq=1, emoji="👍", remove=True),
        Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text="new"),
        Deleted(conversation=HALL, actor=ANN, ts=NOW, seq=2),
        Moderated(conversation=HALL, actor=ANN, ts=NOW, seq=3, reason="spam"),
        Read(conversation=HALL, actor=BEN, ts=NOW, seq=4),
    ]
    assert all(await history.apply_batch([], changes))
    await history.newest_seqs([HALL])
    await history.find_by_client_ids([(ANN, make_message(1).client_id)])
    await history.get_message(HALL, 1)
    await history.find_messages([(HALL, 1)])
    await history.find_read_marks([(BEN, HALL)])
    await history.messages_since(HALL, 1, limit=10, max_bytes=1000)
    await history.read_page(HALL, before=3, after=None, limit=2)
    await history.read_page(HALL, before=None, after=3, limit=2)
    await history.summarize_conversations(BEN, [HALL])
    await history.find_seq_at(HALL, NOW)
    await history.list_dms(ANN)
    await history.read_marks(HALL)
    await history.earlier_texts(HALL, 1)
    page = await history.search_messages(Query(terms=exact_terms("message"), conversations=[HALL, ANN_AND_BEN]))
    assert page.messages


async def test_no_statement_walks_through_a_table(traced: Traced) -> None:
    await use_accounts(traced)
    await use_rooms(traced)
    await use_history(traced)
    await use_notifications(traced.stores.notifications)
    await use_pending(traced.stores.pending)
    await traced.stores.rooms.delete_room(ROOM)
    await traced.database.write(clear_deleted)
    assert full_scans(traced) == {}
    assert len(plans(traced)) > 70


@pytest.mark.parametrize(("stamped", "reads"), [(True, 0), (False, 3)])
async def test_an_edit_reads_earlier_texts_only_where_the_log_does_not_tell_the_order(
    traced: Traced, stamped: bool, reads: int
) -> None:
    history = traced.stores.history
    await history.apply_batch([make_message(1)], [])
    edits = [
        Edited(conversation=HALL, actor=ANN, ts=NOW + n, seq=1, text=str(n), stamp=(n, NOW + n) if stamped else None)
        for n in range(4)
    ]
    await history.apply_batch([], edits[:1])  # of a message without a change, nothing is known
    traced.statements.clear()
    assert list(await history.apply_batch([], edits[1:])) == [True] * 3
    assert len([each for each in traced.statements if each.startswith("SELECT until, text FROM originals")]) == reads
    assert len(await history.earlier_texts(HALL, 1)) == 4


async def test_walk_through_a_table_would_be_seen(traced: Traced) -> None:
    await traced.database.write(
        lambda connection: connection.execute("SELECT id FROM messages WHERE ts = 1").fetchall()
    )
    assert list(full_scans(traced).values()) == [["SCAN messages"]]


async def test_lists_by_name_need_no_sorting(traced: Traced) -> None:
    await use_accounts(traced)
    await use_rooms(traced)
    await use_history(traced)
    sorting = {
        statement: steps for statement, steps in plans(traced).items() if any("TEMP B-TREE" in step for step in steps)
    }
    bounded_by_one_user_or_room = (
        "SELECT rooms.id",
        "SELECT conversations.name",
        "SELECT users.id FROM bans",
        "SELECT invites.id",
        "SELECT other",
        "SELECT DISTINCT emoji",
        "SELECT family, max(begun)",
        "SELECT kid",
    )
    # Display names are found by their own index, and listed by name: what is sorted is what starts so.
    found_by_display_name = " WHERE folded_display_name >= "
    unbounded = [statement for statement in sorting if not statement.startswith(bounded_by_one_user_or_room)]
    assert [statement for statement in unbounded if found_by_display_name not in statement] == []
