"""Push in MongoDB: the subscriptions of browsers, and a document for each push that waits for one or is shown on one.

`push_subscriptions`: `_id` is made of the endpoint. `pushes`: `_id` is the subscription's and the conversation; `stamp`
changes with each write, and a write takes effect only if the stamp is the one that was read, so who was slower decides
again. A place that is empty now has no `version`, and is forgotten in time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence

import msgspec
from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, PyMongoError

from chat.adapters.mongo.client import Document, Mongo, Session
from chat.adapters.mongo.errors import is_duplicate
from chat.domain import push_queue
from chat.domain.push import SUBSCRIPTIONS_PER_USER, PushSubscription
from chat.domain.push_queue import PushContent, PushPlace
from chat.errors import Unavailable
from chat.ports.push import KEPT_MS, ClaimedPush

_ATTEMPTS = 20
_CLEARED_AT_ONCE = 500
_PLACE = PushPlace.__struct_fields__
Decision = Callable[[PushPlace], PushPlace | None]
Write = InsertOne[Document] | UpdateOne


class MongoPushStore:
    """`chat.ports.push.PushStore` on MongoDB."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._subscriptions = mongo.latest.push_subscriptions
        self._pushes = mongo.latest.pushes
        self._families = mongo.latest.families

    async def add_subscription(self, subscription: PushSubscription) -> None:
        with self._mongo.shield_write(), self._mongo.call():
            document = {"_id": _make_id(subscription.endpoint), **msgspec.structs.asdict(subscription)}
            document |= {"rest_until": 0, "added": ObjectId()}
            await self._pushes.delete_many({"subscription": document["_id"]})
            await self._subscriptions.replace_one({"_id": document["_id"]}, document, upsert=True)
            found = await self._find_open({"user": subscription.user})
            await self._remove([each["_id"] for each in found[SUBSCRIPTIONS_PER_USER:]])

    async def list_subscriptions(self, user: str) -> Sequence[PushSubscription]:
        with self._mongo.call():
            return [_to_subscription(each) for each in await self._find_open({"user": user})]

    async def remove_subscription(self, user: str, endpoint: str) -> bool:
        return await self._remove_if(endpoint, lambda known: bool(known["user"] == user))

    async def find_subscribed(self, users: Collection[str]) -> set[str]:
        with self._mongo.call():
            return {each["user"] for each in await self._find_open({"user": {"$in": list(users)}})}

    async def queue_pushes(self, pushes: Sequence[PushContent]) -> int:
        if not pushes:
            return 0
        with self._mongo.shield_write(), self._mongo.call():
            users = sorted({each.user for each in pushes})
            devices: dict[str, list[Document]] = {}
            for each in await self._find_open({"user": {"$in": users}}):
                devices.setdefault(each["user"], []).append(each)
            left = [(pushed, device) for pushed in pushes for device in devices.get(pushed.user, ())]
            count = 0
            for _ in range(_ATTEMPTS):
                added, left = await self._queue_contents(left)
                count += added
                if not left:
                    return count
        raise Unavailable("pushes of this user are being changed many times at once; try again")

    async def _queue_contents(
        self, contents: Sequence[tuple[PushContent, Document]]
    ) -> tuple[int, list[tuple[PushContent, Document]]]:
        """Decide and store; how many wait more than before, and those whose place somebody else has changed."""
        ids = [f"{device['_id']} {pushed.conversation}" for pushed, device in contents]
        found = {each["_id"]: each async for each in self._pushes.find({"_id": {"$in": ids}})}
        writes: list[Write] = []
        left: list[tuple[PushContent, Document]] = []
        count, busy = 0, set[str]()
        for id_, (pushed, device) in zip(ids, contents, strict=True):
            known = found.get(id_)
            before = _to_place(known)
            after = push_queue.queue_content(before, pushed, device["rest_until"])
            if id_ in busy:  # two of the same conversation in one call: one after the other
                left.append((pushed, device))
            elif after is not before:
                where = {"_id": id_, "subscription": device["_id"], "service": device["service"]}
                where["conversation"] = pushed.conversation
                writes.append(_make_write(where, known, after))
                count += after is not None
                busy.add(id_)
        if writes and not await self._write_all(writes):
            return 0, list(contents)
        return count, left

    async def _write_all(self, writes: Sequence[Write]) -> bool:
        """Whether all took effect: if not, what did is found again as it is."""
        try:
            done = await self._pushes.bulk_write(list(writes), ordered=False)
        except BulkWriteError as error:
            if not is_duplicate(error):
                raise
            return False
        return done.inserted_count + done.modified_count == len(writes)

    async def claim_pushes(self, service: str, now: int, until: int, limit: int) -> Sequence[ClaimedPush]:
        with self._mongo.shield_write(), self._mongo.call():
            due = self._pushes.find({"service": service, "due": {"$lte": now}}).sort("due", ASCENDING).limit(limit)
            found = await due.to_list()
            open_ = {
                each["_id"]: each for each in await self._find_open({"_id": {"$in": _list_subscriptions_of(found)}})
            }
            await self._remove(set(_list_subscriptions_of(found)) - open_.keys())
            claimed: list[ClaimedPush] = []
            for document in found:
                device = open_.get(document["subscription"])
                found_place = _to_place(document)
                place = push_queue.claim_place(found_place, now, until) if found_place else None
                if device is not None and place is not None and await self._store_place(document, place):
                    push = ClaimedPush(
                        subscription=_to_subscription(device), conversation=document["conversation"], place=place
                    )
                    claimed.append(push)
            return claimed

    async def note_delivered(self, push: ClaimedPush) -> None:
        version, closes = push.place.version, push.place.closes
        await self._change_place(push, lambda place: push_queue.finish_delivered(place, version, closes=closes))

    async def note_later(self, push: ClaimedPush, due: int, *, device: bool) -> None:
        await self._change_place(push, lambda place: push_queue.finish_later(place, push.place.version, due))
        if device:
            id_ = _make_id(push.subscription.endpoint)
            with self._mongo.shield_write(), self._mongo.call():
                await self._subscriptions.update_one({"_id": id_}, {"$set": {"rest_until": due}})
                waiting = {"subscription": id_, "due": {"$lt": due}, "claimed": 0}
                await self._pushes.update_many(waiting, {"$set": {"due": due, "stamp": ObjectId()}})

    async def drop_push(self, push: ClaimedPush) -> None:
        await self._change_place(push, lambda place: push_queue.finish_dropped(place, push.place.version))

    async def drop_subscription(self, push: ClaimedPush) -> None:
        gone = push.subscription
        await self._remove_if(gone.endpoint, lambda known: _to_subscription(known) == gone)

    async def _remove_if(self, endpoint: str, is_meant: Callable[[Document], bool]) -> bool:
        """Remove the subscription of an endpoint, with its pushes, if it is the one that is meant."""
        id_ = _make_id(endpoint)

        async def job(session: Session) -> bool:
            known = await self._subscriptions.find_one({"_id": id_}, session=session)
            if known is None or not is_meant(known):
                return False
            await self._subscriptions.delete_one({"_id": id_}, session=session)
            await self._pushes.delete_many({"subscription": id_}, session=session)
            return True

        return await self._mongo.transaction(job)

    async def find_next_due(self, service: str) -> int | None:
        with self._mongo.call():
            waiting = {"service": service, "due": {"$gt": 0}}
            found = await self._pushes.find_one(waiting, {"due": True}, sort=[("due", ASCENDING)])
        return int(found["due"]) if found else None

    async def clear_pushes(self, now: int) -> None:
        with self._mongo.shield_write(), self._mongo.call():
            await self._pushes.delete_many({"queued": {"$lt": now - KEPT_MS}})
        last = ""
        while True:
            with self._mongo.shield_write(), self._mongo.call():
                later = self._subscriptions.find({"user": {"$gte": last}}).sort("user", ASCENDING)
                cursor = later.limit(_CLEARED_AT_ONCE)
                found = await cursor.to_list()
                alive = await self._find_families(found)
                await self._remove([each["_id"] for each in found if each["family"] not in alive])
            if len(found) < _CLEARED_AT_ONCE:
                return
            last = found[-1]["user"]  # once more: there may be others of this user

    async def _find_open(self, wanted: Document) -> list[Document]:
        """Subscriptions whose log-in has not ended, the newest first."""
        found = await self._subscriptions.find(wanted).sort("added", DESCENDING).to_list()
        alive = await self._find_families(found)
        return [each for each in found if each["family"] in alive]

    async def _find_families(self, subscriptions: Sequence[Document]) -> set[str]:
        if not subscriptions:
            return set()
        families = sorted({each["family"] for each in subscriptions})
        return {each["_id"] async for each in self._families.find({"_id": {"$in": families}}, {"_id": True})}

    async def _remove(self, subscriptions: Collection[str]) -> None:
        if subscriptions:
            await self._subscriptions.delete_many({"_id": {"$in": list(subscriptions)}})
            await self._pushes.delete_many({"subscription": {"$in": list(subscriptions)}})

    async def _change_place(self, push: ClaimedPush, decide: Decision) -> None:
        id_ = f"{_make_id(push.subscription.endpoint)} {push.conversation}"
        with self._mongo.shield_write(), self._mongo.call():
            for _ in range(_ATTEMPTS):
                document = await self._pushes.find_one({"_id": id_})
                place = _to_place(document)
                if document is None or place is None or await self._store_place(document, decide(place)):
                    return
        raise Unavailable("this push is being changed many times at once; try again")

    async def _store_place(self, document: Document, place: PushPlace | None) -> bool:
        """Whether the place was still as it was read."""
        where = {key: document[key] for key in ("_id", "subscription", "service", "conversation")}
        try:
            return await self._write_all([_make_write(where, document, place)])
        except PyMongoError as error:
            if is_duplicate(error):
                return False
            raise


def _make_id(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()


def _list_subscriptions_of(pushes: Sequence[Document]) -> list[str]:
    return sorted({each["subscription"] for each in pushes})


def _make_write(where: Document, known: Document | None, place: PushPlace | None) -> Write:
    document = {**where, "stamp": ObjectId()}
    document |= {"queued": known["queued"] if known else 0} if place is None else msgspec.structs.asdict(place)
    if known is None:
        return InsertOne(document)
    is_as_read = {"$eq": ["$stamp", known["stamp"]]}
    change = {"$replaceWith": {"$cond": [is_as_read, {"$literal": document}, "$$ROOT"]}}
    return UpdateOne({"_id": known["_id"]}, [change])


def _to_place(document: Document | None) -> PushPlace | None:
    """None for a place that is empty."""
    if document is None or "version" not in document:
        return None
    found = {name: document[name] for name in _PLACE if name in document}  # `trace` came later
    return PushPlace(**found | {"content": bytes(document["content"])})


def _to_subscription(document: Document) -> PushSubscription:
    fields = {name: document[name] for name in PushSubscription.__struct_fields__}
    return PushSubscription(**fields | {"p256dh": bytes(fields["p256dh"]), "auth": bytes(fields["auth"])})
