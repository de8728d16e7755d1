"""The messages of one user in MongoDB, by the index over (sender, client_id)."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import ASCENDING

from chat.adapters.mongo import conversations
from chat.adapters.mongo.client import Mongo
from chat.adapters.mongo.messages import WITHOUT_TERMS, to_message
from chat.domain.models import Message


class MongoExports:
    """`chat.ports.exports.Exports` on MongoDB."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._database = mongo.latest

    async def list_messages(self, user: str, after: str, limit: int) -> Sequence[Message]:
        with self._mongo.call():
            while True:
                wanted = {"sender": user, "client_id": {"$gt": after}}
                found = self._database.messages.find(wanted, WITHOUT_TERMS).sort([("client_id", ASCENDING)])
                documents = await found.limit(limit).to_list()
                heads = await conversations.find_by_key(self._database, {each["conversation"] for each in documents})
                messages = []
                for document in documents:
                    head = heads.get(document["conversation"])
                    if head is not None and document["seq"] <= head.newest:
                        messages.append(to_message(head.name, document))
                if messages or not documents:
                    return messages
                after = documents[-1]["client_id"]  # a whole page of deleted rooms
