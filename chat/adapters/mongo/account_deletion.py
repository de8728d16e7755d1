"""Deleted accounts in MongoDB: gone at once; what their users wrote is deleted in steps.

`deleted_users` has the users, with the time `at` of their deletion. A crash between two steps leaves texts, which the
next call deletes; a cancellation waits for the end of a step. A message's new `version` makes whoever changes it at the
same time decide again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bson import ObjectId

from chat.adapters.mongo.client import Document, Mongo, Session
from chat.domain.ids import now_ms
from chat.domain.models import DELETED_NAME
from chat.errors import NotFound
from chat.ports.account_deletion import REMEMBERED_MS

STEP = 500


class MongoAccountDeletion:
    """`chat.ports.account_deletion.AccountDeletion` on MongoDB. `clock` gives milliseconds since the epoch."""

    def __init__(self, mongo: Mongo, *, clock: Callable[[], int] = now_ms) -> None:
        self._mongo = mongo
        self._database = mongo.latest
        self._clock = clock

    async def delete_account(self, user: str) -> None:
        async def job(session: Session) -> None:
            found = await self._database.users.find_one_and_delete({"_id": user}, session=session)
            if found is None:
                raise NotFound("there is no such user")
            await self._database.bounces.delete_one({"_id": found.get("folded_email")}, session=session)
            for name in (
                "families",
                "members",
                "bans",
                "former_members",
                "mail_tokens",
                "pending_mails",
                "push_subscriptions",
                "notification_choices",
                "pending_notifications",
                "attention",
            ):
                await self._database[name].delete_many({"user": user}, session=session)
            for name in ("documents", "notification_settings", "notification_digests", "attention_seen"):
                await self._database[name].delete_one({"_id": user}, session=session)
            await self._database.invites.delete_many({"creator": user}, session=session)
            await self._database.user_blocks.delete_many({"user": user}, session=session)
            await self._database.user_blocks.delete_many({"other": user}, session=session)
            noted = {"$set": {"at": self._clock()}}
            await self._database.deleted_users.update_one({"_id": user}, noted, upsert=True, session=session)

        await self._mongo.transaction(job)

    async def clear_deleted_users(self) -> None:
        with self._mongo.shield_write(), self._mongo.call():
            users = [document["_id"] for document in await self._database.deleted_users.find().to_list()]
        for user in users:
            await self._clear_messages(user)
            await self._clear_reactions(user)
            with self._mongo.shield_write(), self._mongo.call():
                await self._database.read_marks.delete_many({"user": user})
        with self._mongo.shield_write(), self._mongo.call():
            await self._database.deleted_users.delete_many({"at": {"$lt": self._clock() - REMEMBERED_MS}})

    async def _clear_messages(self, user: str) -> None:
        found = STEP
        while found == STEP:
            with self._mongo.shield_write(), self._mongo.call():
                documents = await self._find_messages({"sender": user, "sender_name": {"$ne": DELETED_NAME}})
                found = len(documents)
                await self._clear_documents(documents)

    async def _clear_documents(self, documents: Sequence[Document]) -> None:
        change = {
            "$set": {"deleted": True, "sender_name": DELETED_NAME, "version": ObjectId()},
            "$unset": dict.fromkeys(("text", "terms", "pin", "pinned_in", "edits"), ""),
        }
        await self._database.messages.update_many({"_id": {"$in": [each["_id"] for each in documents]}}, change)
        seqs: dict[ObjectId, list[int]] = {}
        for document in documents:
            seqs.setdefault(document["conversation"], []).append(document["seq"])
        for key, some in seqs.items():
            await self._database.originals.delete_many({"conversation": key, "seq": {"$in": some}})

    async def _clear_reactions(self, user: str) -> None:
        # No index leads from a user to their reactions: it would cost each reaction, for what happens once in a while.
        theirs: Mapping[str, Any] = {"reactions": {"$elemMatch": {"$elemMatch": {"$eq": user}}}}
        others = {"$filter": {"input": "$reactions", "as": "each", "cond": {"$not": {"$in": [user, "$$each"]}}}}
        found = STEP
        while found == STEP:
            with self._mongo.shield_write(), self._mongo.call():
                documents = await self._find_messages(theirs)
                found = len(documents)
                ids = [document["_id"] for document in documents]
                changed = [{"$set": {"reactions": others, "version": ObjectId()}}]
                await self._database.messages.update_many({"_id": {"$in": ids}}, changed)

    async def _find_messages(self, wanted: Mapping[str, Any]) -> list[Document]:
        return await self._database.messages.find(wanted, {"conversation": True, "seq": True}).limit(STEP).to_list()
