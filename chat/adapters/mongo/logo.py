"""The logo in MongoDB: the only document of `logo`, with the `_id` 1."""

from __future__ import annotations

from chat.adapters.mongo.client import Mongo
from chat.ports.logos import Logo

_ONLY_ONE = {"_id": 1}


class MongoLogoStore:
    """`chat.ports.logos.LogoStore`."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._logo = mongo.committed.logo

    async def get_digest(self) -> str:
        with self._mongo.call():
            found = await self._logo.find_one(_ONLY_ONE, {"digest": True})
        return str(found["digest"]) if found else ""

    async def get_logo(self, digest: str) -> Logo | None:
        with self._mongo.call():
            found = await self._logo.find_one({**_ONLY_ONE, "digest": digest})
        return Logo(found["digest"], found["media_type"], bytes(found["content"])) if found else None

    async def put_logo(self, logo: Logo) -> None:
        fields = {"digest": logo.digest, "media_type": logo.media_type, "content": logo.content}
        with self._mongo.call():
            await self._logo.replace_one(_ONLY_ONE, fields, upsert=True)

    async def delete_logo(self) -> bool:
        with self._mongo.call():
            gone = await self._logo.delete_one(_ONLY_ONE)
        return gone.deleted_count > 0
