"""Every query that the ports cause on MongoDB is answered from an index.

The queries are those that the driver sent while each method was called once, so that none can be forgotten. Of writes,
what is explained is their filter: how the server finds the documents that it writes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from msgspec import Struct
from pymongo.monitoring import CommandListener, CommandStartedEvent

from chat.adapters.mongo.attention import MongoAttention
from chat.adapters.mongo.client import Document, Mongo
from chat.adapters.mongo.documents import MongoDocuments
from chat.adapters.mongo.indexes import INDEXES
from chat.adapters.mongo.mailings import MongoMailings
from chat.adapters.mongo.notifications import MongoNotifications
from chat.adapters.mongo.pending import MongoPendingNotifications
from chat.adapters.mongo.push import MongoPushStore
from chat.domain.cases import AuditEntry, Case, CaseAction, CaseKind, CaseState, Removal, Report, message_subject
from chat.domain.contents import TextContent
from chat.domain.cursors import AttentionPlace, RoomPlace
from chat.domain.ids import new_id
from chat.domain.invitations import Invite
from chat.domain.mailing import MailFailure, MailToken, TokenPurpose
from chat.domain.models import Role, Room, UserStatus, Visibility
from chat.domain.moderation import Block, Strictness, Verdict
from chat.domain.records import Deleted, Edited, Moderated, Pinned, Reacted, Read
from chat.domain.token_families import GRACE_MS
from chat.errors import Conflict, Fenced
from chat.ports.accounts import RefreshGrant, SigningKey
from chat.ports.history import Change, Query
from chat.ports.mailings import PendingMail
from chat.ports.rooms import RoomUpdate
from tests.support.builders import (
    ANN,
    ANN_AND_BEN,
    ATTIC,
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
from tests.support.mongo import leave, migrated_database, stores_of
from tests.support.push import FAMILY, use_every_call
from tests.support.store_calls import use_notifications, use_pending

pytestmark = [pytest.mark.anyio, pytest.mark.production]
SMALL = {"schema", "graves", "logo", "signing_keys"}
"""Collections that never hold many documents."""


class Asked(Struct, frozen=True):
    """How a command chooses documents: a filter, or the stages of an aggregation."""

    command: str
    collection: str
    question: Document


class Listener(CommandListener):
    """Notes what the driver sends."""

    def __init__(self) -> None:
        self.on = False
        self.asked: list[Asked] = []

    def started(self, event: CommandStartedEvent) -> None:
        """See the base class."""
        command = dict(event.command)
        if self.on and event.command_name in ("find", "aggregate", "update", "delete", "findAndModify"):
            for question in _questions(event.command_name, command):
                self.asked.append(Asked(event.command_name, command[event.command_name], question))

    def succeeded(self, event: Any) -> None:
        """See the base class."""

    def failed(self, event: Any) -> None:
        """See the base class."""


def _questions(name: str, command: Document) -> Iterator[Document]:
    collection = command[name]
    if name == "aggregate":
        yield {"aggregate": collection, "pipeline": command["pipeline"], "cursor": {}}
    elif name in ("update", "delete"):
        for each in command[f"{name}s"]:
            yield {"find": collection, "filter": dict(each["q"])}
    elif name == "findAndModify":
        yield {"find": collection, "filter": dict(command["query"])}
    else:
        kept = ("filter", "sort", "limit", "projection")
        yield {"find": collection, **{key: command[key] for key in kept if key in command}}


class Traced(Struct):
    """A database, and what was asked of it."""

    mongo: Mongo
    listener: Listener


@pytest.fixture
async def traced(anyio_backend: Any) -> AsyncIterator[Traced]:
    """A database whose queries are noted."""
    listener = Listener()
    async with migrated_database(listeners=[listener]) as mongo:
        listener.on = True
        yield Traced(mongo, listener)


async def plans(traced: Traced) -> list[tuple[Asked, list[str]]]:
    """Each question, and the stages of its plan, with the names of indexes."""
    traced.listener.on = False
    found = []
    for asked in traced.listener.asked:
        answer = await traced.mongo.latest.command("explain", asked.question, verbosity="queryPlanner")
        found.append((asked, list(_stages(answer))))
    return found


def _stages(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield f"{plan['stage']} {plan.get('indexName', '')}".strip()
        for key, value in plan.items():
            if key not in ("rejectedPlans", "executionStats", "command"):
                yield from _stages(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from _stages(value)


async def use_accounts(traced: Traced) -> None:
    accounts, *_ = stores_of(traced.mongo)
    for user in (ANN, BEN, CAT):
        await accounts.create_user(make_user(user, email=f"{user}@example.org", email_verified=True), "hash")
    await accounts.get_user(ANN)
    await accounts.get_users([ANN, BEN])
    await accounts.find_by_name("Ann")
    await accounts.ids_by_names(["ann", "ben"])
    await accounts.search_users("a", 5)
    await accounts.search_users("a", 5, after="ann")
    await accounts.search_users("a", 5, blocked_only=True)
    await accounts.set_display_name(ANN, "Zoë")
    await accounts.set_status(ANN, UserStatus("🌴", "away"))
    await accounts.get_password_hash(ANN)
    await accounts.set_password_hash(ANN, "other")
    await accounts.add_user_block(ANN, BEN, NOW)
    await accounts.list_role_holders(10)
    await accounts.list_user_blocks(ANN)
    await accounts.find_blockers(BEN, [ANN, CAT])
    await accounts.find_blocks([(ANN, BEN)])
    await accounts.remove_user_block(ANN, BEN)
    await accounts.set_blocked(CAT, blocked=True)
    await accounts.add_grant(RefreshGrant(digest=b"0", family="over", user=ANN, expires=1))
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
    documents = MongoDocuments(traced.mongo)
    for revision in (0, 1):
        await documents.put_document(ANN, "{}", revision)
    await documents.get_document(ANN)


async def use_rooms(traced: Traced) -> None:
    accounts, rooms, *_ = stores_of(traced.mongo)
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
    await accounts.find_displayed(ROOM, ["zoe"])
    await rooms.set_member(OTHER_ROOM, BEN, Role.MEMBER, now=NOW, by=ANN)
    await rooms.list_member_ids(ROOM)
    await rooms.find_small_rooms([ROOM], 5)
    await rooms.find_members([(ROOM, BEN)])
    await rooms.remove_member(ROOM, BEN)
    with pytest.raises(Conflict):
        await rooms.remove_member(ROOM, ANN)
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
    history = stores_of(traced.mongo)[2]
    await history.apply_batch([*make_messages(5), make_message(1, ANN_AND_BEN)], [])
    changes: list[Change] = [
        Reacted(conversation=HALL, actor=BEN, ts=NOW, seq=1, emoji="👍"),
        Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text="new"),
        Deleted(conversation=HALL, actor=ANN, ts=NOW, seq=2),
        Moderated(conversation=HALL, actor=ANN, ts=NOW, seq=3, reason="spam"),
        Read(conversation=HALL, actor=BEN, ts=NOW, seq=4),
        Pinned(conversation=HALL, actor=BEN, ts=NOW, seq=5),
    ]
    assert all(await history.apply_batch([], changes))
    assert list(await history.apply_batch([], [Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text="newer")])) == [
        True
    ]
    with pytest.raises(Fenced):
        await history.apply_batch([make_message(6, client_id=make_message(1).client_id)], [])
    await leave(traced.mongo, HALL, 6, "left")
    await history.apply_batch([make_message(6)], [])
    await history.newest_seqs([HALL])
    await history.find_by_client_ids([(ANN, make_message(1).client_id), (BEN, "other")])
    await history.get_message(HALL, 1)
    await history.find_messages([(HALL, 1)])
    await history.find_read_marks([(BEN, HALL)])
    await history.messages_since(HALL, 1, limit=10, max_bytes=1000)
    await history.read_page(HALL, before=3, after=None, limit=2)
    await history.read_page(HALL, before=None, after=3, limit=2)
    await history.summarize_conversations(BEN, [HALL])
    await history.find_messages([(HALL, 1), (HALL, 2), (ANN_AND_BEN, 1)])
    await history.find_seq_at(HALL, NOW)
    await history.list_dms(ANN)
    await history.read_marks(HALL)
    await history.list_pinned(HALL)
    await history.earlier_texts(HALL, 1)
    page = await history.search_messages(Query(terms=exact_terms("message"), conversations=[HALL, ANN_AND_BEN]))
    assert page.messages
    page = await history.search_messages(
        Query(terms=exact_terms("message", "5"), conversations=[HALL, ATTIC], sender=ANN, before=NOW + 10**6)
    )
    assert page.messages
    page = await history.search_messages(
        Query(
            terms=(),
            conversations=[HALL, ATTIC],
            sender=ANN,
            since=NOW,
            contents=[TextContent.CODE],
            before=NOW + 10**6,
        )
    )
    assert not page.messages


async def use_attention(traced: Traced) -> None:
    attention = MongoAttention(traced.mongo)
    await stores_of(traced.mongo)[2].apply_batch([make_message(7, mentions=(BEN,), reply_to=1)], [])
    page = await attention.list_notes(BEN, [HALL], limit=5, since=0, after=AttentionPlace(NOW * 2, ""))
    assert page.notes
    await attention.move_seen(BEN, 5)


async def use_mailings(traced: Traced) -> None:
    mailings, accounts = MongoMailings(traced.mongo), stores_of(traced.mongo)[0]
    token = MailToken(digest=b"d", purpose=TokenPurpose.RESET, user=ANN, expires=NOW + 1)
    await mailings.add_token(token, NOW)
    await mailings.end_tokens(ANN, TokenPurpose.RESET)
    await mailings.use_token(b"d", TokenPurpose.RESET, NOW)
    await mailings.add_pending([PendingMail(id="one", user=ANN, payload=b"", due=NOW, expires=NOW + 1)])
    assert await mailings.claim_pending(NOW, 0, 1)
    await mailings.postpone_pending("one", NOW)
    await mailings.finish_pending("one")
    await mailings.add_bounce("a@b.example", "one", MailFailure.HARD, "", NOW)
    await mailings.get_bounces("a@b.example")
    await mailings.get_secret()
    await accounts.set_email(ANN, "a@b.example")
    await accounts.verify_email(ANN, "a@b.example")
    assert await accounts.find_by_email("a@b.example") is not None


async def use_push(traced: Traced) -> None:
    grant = RefreshGrant(digest=b"push", family=FAMILY, user=ANN, expires=NOW + 1000)
    await stores_of(traced.mongo)[0].add_grant(grant)
    await use_every_call(MongoPushStore(traced.mongo))


async def use_cases(traced: Traced) -> None:
    accounts, _, _, cases, *_ = stores_of(traced.mongo)
    entries = iter([AuditEntry(id=new_id(), at=NOW, by=CAT, action=CaseAction.BLOCK, user=ANN) for _ in range(20)])
    made = [
        Case(
            id=new_id(),
            subject=message_subject(HALL, seq),
            kind=CaseKind.FLAGGED,
            user=ANN,
            opened=NOW + seq,
            revision=0,
        )
        for seq in range(8)
    ]
    for case in made:
        await cases.record_verdict(case, next(entries))
    await cases.add_report(made[0], Report(BEN, "rude", NOW), next(entries))
    await cases.add_appeal(made[0], "sorry", next(entries))
    await cases.record_decision(made[0].id, Verdict.ALLOW, next(entries))
    await cases.find_case(made[0].subject)
    assert await cases.list_cases(CaseState.OPEN, made[1].id, 5)
    assert await cases.list_cases(CaseState.OPEN, None, 5)
    await cases.count_removals([Removal(user=ANN, client_id=new_id(), revision=0, at=NOW) for _ in range(5)])
    await cases.tally_removals([ANN, BEN], NOW - 1)
    await cases.forgive_removals(ANN, new_id())
    await cases.set_block(Block(user=ANN, by=CAT, reason="", since=NOW, until=NOW + 1), next(entries))
    assert await cases.list_due_blocks(NOW + 1, 5)
    assert await cases.next_due() == NOW + 1
    await cases.list_blocks("", 5)
    await cases.end_block(ANN, next(entries), due=NOW + 1)
    await cases.set_strictness(HALL, Strictness.STRICT, next(entries))
    await cases.get_strictness([HALL])
    await cases.set_held(HALL, True, next(entries))
    await cases.held_conversations([HALL])
    await cases.set_held(HALL, False, next(entries))
    (last, *_) = await cases.list_audit_entries(None, 5)
    await cases.list_audit_entries(last.id, 5)
    await cases.list_audit_entries(last.id, 5, user=ANN)
    await accounts.end_families(ANN)


@pytest.mark.parametrize("stamped", [True, False])
async def test_an_edit_reads_earlier_texts_only_where_the_log_does_not_tell_the_order(
    traced: Traced, stamped: bool
) -> None:
    history = stores_of(traced.mongo)[2]
    await history.apply_batch([make_message(1)], [])
    edits = [
        Edited(conversation=HALL, actor=ANN, ts=NOW + n, seq=1, text=str(n), stamp=(n, NOW + n) if stamped else None)
        for n in range(4)
    ]
    await history.apply_batch([], edits[:2])
    traced.listener.asked.clear()
    assert list(await history.apply_batch([], edits[2:])) == [True, True]
    read = [each for each in traced.listener.asked if (each.command, each.collection) == ("find", "originals")]
    assert len(read) == (0 if stamped else 1)
    assert [text for _, text in await history.earlier_texts(HALL, 1)] == ["message 1", "0", "1", "2"]


async def test_no_query_walks_through_a_collection(traced: Traced) -> None:
    await use_accounts(traced)
    await use_rooms(traced)
    await use_history(traced)
    await use_attention(traced)
    await use_cases(traced)
    await use_notifications(MongoNotifications(traced.mongo))
    await use_pending(MongoPendingNotifications(traced.mongo))
    await use_mailings(traced)
    await use_push(traced)
    await stores_of(traced.mongo)[1].delete_room(ROOM)
    found = await plans(traced)
    scans = [(asked, stages) for asked, stages in found if "COLLSCAN" in stages and asked.collection not in SMALL]
    assert scans == []
    assert len(found) > 100


async def test_every_index_is_there_for_some_query(traced: Traced) -> None:
    await use_accounts(traced)
    await use_rooms(traced)
    await use_history(traced)
    await use_attention(traced)
    await use_cases(traced)
    await use_notifications(MongoNotifications(traced.mongo))
    await use_pending(MongoPendingNotifications(traced.mongo))
    await use_mailings(traced)
    await use_push(traced)
    await stores_of(traced.mongo)[1].delete_room(ROOM)
    await stores_of(traced.mongo)[4].delete_account(CAT)
    used = {
        (asked.collection, stage.removeprefix("IXSCAN ")) for asked, stages in await plans(traced) for stage in stages
    }
    made = {(collection, index.document["name"]) for collection, indexes in INDEXES.items() for index in indexes}
    assert made - used == set()


async def test_walk_through_a_collection_would_be_seen(traced: Traced) -> None:
    await stores_of(traced.mongo)[2].apply_batch(make_messages(1), [])
    traced.listener.asked.clear()
    await traced.mongo.latest.messages.find({"ts": 1}).to_list()
    ((_, stages),) = await plans(traced)
    assert "COLLSCAN" in stages
