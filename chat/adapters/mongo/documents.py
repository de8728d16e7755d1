"""Documents with a revision in MongoDB: in `documents`, `_id` is the user, or empty for the instance."""

from __future__ import annotations

from chat.adapters.mongo.client import Mongo, Session
from chat.errors import Conflict
from chat.ports.documents import CHANGED_MEANWHILE, RevisedDocument


class MongoDocuments:
    """`chat.ports.documents.Documents`."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._documents = mongo.committed.documents

    async def get_document(self, owner: str) -> RevisedDocument:
        with self._mongo.call():
            found = await self._documents.find_one({"_id": owner})
        return RevisedDocument(found["revision"], found["content"]) if found else RevisedDocument()

    async def put_document(self, owner: str, content: str, revision: int) -> int:
        async def job(session: Session) -> int:
            found = await self._documents.find_one({"_id": owner}, session=session)
            if (found["revision"] if found else 0) != revision:
                raise Conflict(CHANGED_MEANWHILE, field="revision")
            fields = {"revision": revision + 1, "content": content}
            await self._documents.update_one({"_id": owner}, {"$set": fields}, upsert=True, session=session)
            return revision + 1

        return await self._mongo.transaction(job)
