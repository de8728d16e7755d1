"""What is kept for mail, in MongoDB: `mail_tokens`, `pending_mails`, `bounces`, and the secret in `mail_secret`.

The `_id` of a token is its purpose and its digest. Conditions stand in the update and not in the filter, because a
filter by the id alone is the cheapest of all.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec
from pymongo import ASCENDING, DESCENDING, ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from chat.adapters.mongo.client import Document, Mongo
from chat.domain.mailing import Bounces, MailFailure, MailToken, TokenPurpose, add_bounce
from chat.domain.text import fold_email
from chat.errors import Unavailable
from chat.ports.mailings import TOKENS_OF_USER, PendingMail

_ATTEMPTS = 20
_DUPLICATE = 11000
_SECRET = "secret"  # noqa: S105 - the id of a document


class MongoMailings:
    """`chat.ports.mailings.Mailings` on MongoDB."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._tokens = mongo.committed.mail_tokens
        self._pending = mongo.committed.pending_mails
        self._bounces = mongo.committed.bounces
        self._secrets = mongo.committed.mail_secret

    async def add_token(self, token: MailToken, now: int) -> None:
        document = {**msgspec.structs.asdict(token), "purpose": token.purpose.value}
        document["_id"] = _make_id(token.digest, token.purpose)
        del document["digest"]
        of_user = {"user": token.user, "purpose": token.purpose.value}
        with self._mongo.call():
            await self._tokens.delete_many({"expires": {"$lte": now}})
            await self._tokens.insert_one(document)
            newest = self._tokens.find(of_user, {"_id": True}).sort("expires", DESCENDING)
            surplus = [each["_id"] for each in await newest.to_list()][TOKENS_OF_USER:]
            if surplus:
                await self._tokens.delete_many({"_id": {"$in": surplus}})

    async def use_token(self, digest: bytes, purpose: TokenPurpose, now: int) -> MailToken | None:
        with self._mongo.call():
            found = await self._tokens.find_one_and_delete({"_id": _make_id(digest, purpose)})
        if found is None or found["expires"] <= now:
            return None
        return MailToken(
            digest=digest,
            purpose=purpose,
            user=found["user"],
            expires=found["expires"],
            email=found["email"],
            bound=bytes(found["bound"]),
        )

    async def end_tokens(self, user: str, purpose: TokenPurpose) -> None:
        with self._mongo.call():
            await self._tokens.delete_many({"user": user, "purpose": purpose.value})

    async def add_pending(self, mails: Sequence[PendingMail]) -> None:
        if not mails:
            return
        documents = [{"_id": each.id, **_to_document(each)} for each in mails]
        with self._mongo.call():
            try:
                await self._pending.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                if any(each["code"] != _DUPLICATE for each in error.details["writeErrors"]):
                    raise

    async def claim_pending(self, now: int, lease_ms: int, limit: int) -> Sequence[PendingMail]:
        found: list[PendingMail] = []
        claim = {"$set": {"due": now + lease_ms}, "$inc": {"attempts": 1}}
        with self._mongo.call():
            if await self._pending.find_one({"due": {"$lte": now}}) is None:
                return []
            await self._pending.delete_many({"expires": {"$lte": now}})
            while len(found) < limit:
                document = await self._pending.find_one_and_update(
                    {"due": {"$lte": now}}, claim, sort=[("due", ASCENDING)], return_document=ReturnDocument.AFTER
                )
                if document is None:
                    break
                found.append(_to_pending(document))
        return found

    async def finish_pending(self, mail: str) -> None:
        # The id stays until the document expires, so that the same record of the log is not sent again.
        with self._mongo.call():
            await self._pending.update_one({"_id": mail}, {"$unset": {"due": "", "payload": ""}})

    async def postpone_pending(self, mail: str, due: int) -> None:
        unless_sent = {"$cond": [{"$gt": ["$due", 0]}, due, "$$REMOVE"]}
        with self._mongo.call():
            await self._pending.update_one({"_id": mail}, [{"$set": {"due": unless_sent}}])

    async def add_bounce(self, address: str, mail: str, failure: MailFailure, reason: str, now: int) -> Bounces:
        """What was read is replaced if it is still the same, so two at once both count."""
        place = fold_email(address)
        with self._mongo.call():
            for _ in range(_ATTEMPTS):
                found = await self._bounces.find_one({"_id": place})
                after = add_bounce(_to_bounces(found), mail, failure, reason, now)
                fields = {**msgspec.structs.asdict(after), "hard": list(after.hard)}
                if await self._replace_bounces(place, found, fields):
                    return after
        raise Unavailable("this address bounces many times at once; try again")

    async def _replace_bounces(self, place: str, found: Document | None, fields: Document) -> bool:
        revision = found["revision"] if found else 0
        document = {**fields, "revision": revision + 1}
        if found is not None:
            done = await self._bounces.replace_one({"_id": place, "revision": revision}, document)
            return done.matched_count > 0
        try:
            await self._bounces.insert_one({"_id": place, **document})
        except DuplicateKeyError:
            return False
        return True

    async def get_bounces(self, address: str) -> Bounces:
        with self._mongo.call():
            return _to_bounces(await self._bounces.find_one({"_id": fold_email(address)}))

    async def forget_bounces(self, address: str) -> None:
        with self._mongo.call():
            await self._bounces.delete_one({"_id": fold_email(address)})

    async def get_secret(self) -> bytes:
        with self._mongo.call():
            found = await self._secrets.find_one_and_update(
                {"_id": _SECRET},
                {"$setOnInsert": {"secret": secrets.token_bytes(32)}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        if found is None:
            raise Unavailable("MongoDB did not give the secret of mails; try again")
        return bytes(found["secret"])


def _make_id(digest: bytes, purpose: TokenPurpose) -> bytes:
    return purpose.value.encode() + b" " + digest


def _to_document(mail: PendingMail) -> Document:
    fields = msgspec.structs.asdict(mail)
    del fields["id"]
    return fields


def _to_pending(document: Document) -> PendingMail:
    return PendingMail(
        id=document["_id"],
        user=document["user"],
        payload=bytes(document["payload"]),
        due=document["due"],
        expires=document["expires"],
        attempts=document["attempts"],
    )


def _to_bounces(document: Document | None) -> Bounces:
    if document is None:
        return Bounces()
    return Bounces(hard=tuple(document["hard"]), last=document["last"], reason=document["reason"])
