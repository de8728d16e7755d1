"""What moderation keeps, in MongoDB.

`cases`: `_id` is the subject, so that there is one case for it, and `case` the id. `audit`: `_id` is the entry's id, as
is `entry`, for the index. Both carry the whole as JSON in `content`, beside the fields that are asked for.
`removals`: `_id` is made of what names the text. `blocks`: `_id` is the user, as is `user`. `strictness` and `held`:
`_id` is the conversation. A change and its entry in the audit log are written in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec
from msgspec.structs import replace
from pymongo import ASCENDING, DESCENDING, UpdateOne

from chat.adapters.mongo.client import Document, Mongo, Session
from chat.domain.cases import (
    AuditEntry,
    Case,
    CaseChange,
    CaseState,
    Removal,
    Report,
    Tally,
    appeal_case,
    decide_case,
    judge_case,
    report_case,
)
from chat.domain.moderation import Block, Strictness, Verdict
from chat.errors import NotFound

_encode = msgspec.json.Encoder().encode
_case: msgspec.json.Decoder[Case] = msgspec.json.Decoder(Case)
_entry: msgspec.json.Decoder[AuditEntry] = msgspec.json.Decoder(AuditEntry)


class MongoCases:
    """`chat.ports.cases.Cases`."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._database = mongo.committed

    async def record_verdict(self, case: Case, entry: AuditEntry) -> CaseChange:
        return await self._change_case(case.subject, lambda known: judge_case(known, case), entry)

    async def add_report(self, case: Case, report: Report, entry: AuditEntry) -> CaseChange:
        return await self._change_case(case.subject, lambda known: report_case(known, case, report), entry)

    async def add_appeal(self, case: Case, text: str, entry: AuditEntry) -> Case:
        changed, _ = await self._change_case(case.subject, lambda known: appeal_case(known, case, text), entry)
        return changed

    async def record_decision(self, case: str, verdict: Verdict, entry: AuditEntry) -> Case:
        async def job(session: Session) -> Case:
            known = await self._find_case({"case": case}, session)
            decided = decide_case(known, verdict, entry.by, entry.at)
            await self._put_case(decided, session)
            await self._add_entry(entry, session)
            return known or decided

        return await self._mongo.transaction(job)

    async def get_case(self, case: str) -> Case | None:
        return await self._get_case({"case": case})

    async def find_case(self, subject: str) -> Case | None:
        return await self._get_case({"_id": subject})

    async def list_cases(self, state: CaseState, after: str | None, limit: int) -> Sequence[Case]:
        mine: Document = {"state": state.value}
        pages: list[Document] = [mine]
        if after is not None:
            place = await self.get_case(after)
            if place is None:
                raise _no_such_place()
            same = {"opened": place.opened, "case": {"$gt": place.id}}
            pages = [{**mine, **same}, {**mine, "opened": {"$gt": place.opened}}]
        order = [("opened", ASCENDING), ("case", ASCENDING)]
        return [_case.decode(content) for content in await self._read_pages("cases", pages, order, limit)]

    async def count_removals(self, removals: Sequence[Removal]) -> None:
        if not removals:
            return
        with self._mongo.call():
            await self._database.removals.bulk_write([_count_once(each) for each in removals], ordered=False)

    async def tally_removals(self, users: Collection[str], since: int) -> dict[str, Tally]:
        tallies = {}
        with self._mongo.call():
            for user in users:
                wanted = {"user": user, "forgiven": False, "at": {"$gt": since}}
                found = await self._database.removals.find(wanted, {"blocking": True}).to_list()
                tallies[user] = Tally(len(found), sum(each["blocking"] for each in found))
        return tallies

    async def forgive_removals(self, user: str, client_id: str) -> None:
        with self._mongo.call():
            mine = {"user": user, "client_id": client_id}
            await self._database.removals.update_many(mine, {"$set": {"forgiven": True}})

    async def set_block(self, block: Block, entry: AuditEntry) -> None:
        fields = {
            "user": block.user,
            "by": block.by,
            "reason": block.reason,
            "since": block.since,
            "until": block.until,
        }

        async def job(session: Session) -> None:
            await self._database.blocks.replace_one({"_id": block.user}, fields, upsert=True, session=session)
            await self._add_entry(entry, session)

        await self._mongo.transaction(job)

    async def end_block(self, user: str, entry: AuditEntry, *, due: int | None = None) -> bool:
        wanted: Document = {"user": user} if due is None else {"user": user, "until": {"$gte": 0, "$lte": due}}

        async def job(session: Session) -> bool:
            ended = await self._database.blocks.delete_one(wanted, session=session)
            if ended.deleted_count:
                await self._add_entry(entry, session)
            return bool(ended.deleted_count)

        return await self._mongo.transaction(job)

    async def get_block(self, user: str) -> Block | None:
        found = await self._find_blocks({"_id": user}, "_id", 1)
        return found[0] if found else None

    async def list_blocks(self, after: str, limit: int) -> Sequence[Block]:
        return await self._find_blocks({"user": {"$gt": after}}, "user", limit)

    async def list_due_blocks(self, until: int, limit: int) -> Sequence[Block]:
        return await self._find_blocks({"until": {"$gte": 0, "$lte": until}}, "until", limit)

    async def next_due(self) -> int | None:
        found = await self._find_blocks({"until": {"$gte": 0}}, "until", 1)
        return found[0].until if found else None

    async def set_strictness(self, conversation: str, strictness: Strictness, entry: AuditEntry) -> None:
        async def job(session: Session) -> None:
            fields = {"level": strictness.value}
            await self._database.strictness.replace_one({"_id": conversation}, fields, upsert=True, session=session)
            await self._add_entry(entry, session)

        await self._mongo.transaction(job)

    async def get_strictness(self, conversations: Collection[str]) -> dict[str, Strictness]:
        with self._mongo.call():
            found = await self._database.strictness.find({"_id": {"$in": list(conversations)}}).to_list()
        return {document["_id"]: Strictness(document["level"]) for document in found}

    async def set_held(self, conversation: str, held: bool, entry: AuditEntry) -> None:
        async def job(session: Session) -> None:
            if held:
                mine = {"_id": conversation}
                done = await self._database.held.update_one(mine, {"$setOnInsert": mine}, upsert=True, session=session)
                changed = done.upserted_id is not None
            else:
                done_away = await self._database.held.delete_one({"_id": conversation}, session=session)
                changed = done_away.deleted_count > 0
            if changed:
                await self._add_entry(entry, session)

        await self._mongo.transaction(job)

    async def held_conversations(self, conversations: Collection[str]) -> set[str]:
        with self._mongo.call():
            found = await self._database.held.find({"_id": {"$in": list(conversations)}}).to_list()
        return {document["_id"] for document in found}

    async def add_audit_entry(self, entry: AuditEntry) -> None:
        await self._mongo.transaction(lambda session: self._add_entry(entry, session))

    async def list_audit_entries(
        self, before: str | None, limit: int, *, user: str | None = None
    ) -> Sequence[AuditEntry]:
        mine: Document = {} if user is None else {"user": user}
        pages: list[Document] = [mine]
        if before is not None:
            with self._mongo.call():
                place = await self._database.audit.find_one({"_id": before}, {"at": True})
            if place is None:
                raise _no_such_place()
            same = {"at": place["at"], "entry": {"$lt": before}}
            pages = [{**mine, **same}, {**mine, "at": {"$lt": place["at"]}}]
        order = [("at", DESCENDING), ("entry", DESCENDING)]
        return [_entry.decode(content) for content in await self._read_pages("audit", pages, order, limit)]

    async def _read_pages(
        self, collection: str, pages: Sequence[Document], order: Sequence[tuple[str, int]], limit: int
    ) -> list[str]:
        """What goes on from a place: first what is equal to it in the first field of the order, and then the rest. Two
        questions, because each is one walk along an index."""
        found: list[str] = []
        with self._mongo.call():
            for wanted in pages:
                if len(found) < limit:
                    asked = self._database[collection].find(wanted, {"content": True}).sort(list(order))
                    found += [each["content"] for each in await asked.limit(limit - len(found)).to_list()]
        return found

    async def _get_case(self, wanted: Document) -> Case | None:
        with self._mongo.call():
            found = await self._database.cases.find_one(wanted)
        return _case.decode(found["content"]) if found else None

    async def _find_case(self, wanted: Document, session: Session) -> Case | None:
        """The case, within a transaction."""
        found = await self._database.cases.find_one(wanted, session=session)
        return _case.decode(found["content"]) if found else None

    async def _find_blocks(self, wanted: Document, order: str, limit: int) -> list[Block]:
        with self._mongo.call():
            found = await self._database.blocks.find(wanted).sort(order, ASCENDING).limit(limit).to_list()
        return [
            Block(user=each["_id"], by=each["by"], reason=each["reason"], since=each["since"], until=each["until"])
            for each in found
        ]

    async def _change_case(
        self, subject: str, decide: Callable[[Case | None], CaseChange], entry: AuditEntry
    ) -> CaseChange:
        async def job(session: Session) -> CaseChange:
            case, changed = decide(await self._find_case({"_id": subject}, session))
            if changed:
                await self._put_case(case, session)
                await self._add_entry(replace(entry, case=case.id), session)
            return case, changed

        return await self._mongo.transaction(job)

    async def _put_case(self, case: Case, session: Session) -> None:
        fields = {
            "case": case.id,
            "state": case.state.value,
            "opened": case.opened,
            "content": _encode(case).decode(),
        }
        await self._database.cases.replace_one({"_id": case.subject}, fields, upsert=True, session=session)

    async def _add_entry(self, entry: AuditEntry, session: Session) -> None:
        fields = {
            "_id": entry.id,
            "entry": entry.id,
            "at": entry.at,
            "user": entry.user,
            "content": _encode(entry).decode(),
        }
        await self._database.audit.insert_one(fields, session=session)


def _count_once(removal: Removal) -> UpdateOne:
    fields = {
        "user": removal.user,
        "client_id": removal.client_id,
        "at": removal.at,
        "blocking": removal.blocking,
        "forgiven": False,
    }
    name = f"{removal.user} {removal.client_id} {removal.revision}"
    return UpdateOne({"_id": name}, {"$setOnInsert": fields}, upsert=True)


def _no_such_place() -> NotFound:
    return NotFound("there is nothing with this id to go on from; begin again")
