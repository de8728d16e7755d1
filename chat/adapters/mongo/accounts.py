"""Accounts in MongoDB.

A user is a document of `users`; its `_id` is the user's id, and `folded` and `folded_email` are what is compared.
Only a verified address has `folded_email`, which is unique: so it is kept from others. A member has a copy of
`folded_display_name`, by which members of a room are found; what is shown is read from the user.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

import msgspec
from msgspec.structs import replace
from pymongo import DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from chat.adapters.mongo.client import Document, Mongo, Session
from chat.adapters.mongo.families import has_token, make_token, read_grant, read_log_in, read_token, replace_tokens
from chat.adapters.mongo.names import display_fields, find_by_prefix
from chat.adapters.mongo.user_documents import read_user, user_document
from chat.domain.ids import now_ms
from chat.domain.instance import require_owner_role
from chat.domain.models import InstanceRole, User, UserStatus
from chat.domain.privacy import AddedBy, require_blockable
from chat.domain.text import fold_email, fold_name
from chat.domain.token_families import Rotation, decide_rotation
from chat.errors import Conflict, NotFound, Unavailable
from chat.ports.accounts import EMAIL_TAKEN, OpenLogIn, RefreshGrant, SigningKey

_ATTEMPTS = 50
_PURGE_AFTER_MS = 24 * 3600 * 1000
_PURGE_AT_ONCE = 50
_PUBLIC = {"password_hash": False}
_TAKEN = {
    "folded": Conflict("the name is taken; choose another", field="name"),
    "folded_email": Conflict(EMAIL_TAKEN, field="email"),
    "_id": Conflict("the id is taken; make a new one", field="id"),
}


class MongoAccounts:
    """`chat.ports.accounts.Accounts`.

    Each new grant makes some families be forgotten that expired more than a day ago. `clock` gives milliseconds since
    the epoch.
    """

    def __init__(self, mongo: Mongo, *, clock: Callable[[], int] = now_ms) -> None:
        self._mongo = mongo
        self._clock = clock
        self._latest = mongo.latest
        self._users = mongo.committed.users
        self._members = mongo.committed.members
        self._families = mongo.committed.families
        self._invites = mongo.committed.invites
        self._user_blocks = mongo.committed.user_blocks
        self._ended = mongo.committed.ended_families
        self._keys = mongo.committed.signing_keys

    async def create_user(
        self, user: User, password_hash: str | None, *, role_of_first: InstanceRole | None = None
    ) -> User:
        if role_of_first is not None and not await self._has_users():
            first = replace(user, instance_role=role_of_first)
            with suppress(Conflict):  # another one was faster, or has the name: what follows says so
                if await self._mongo.transaction(lambda session: self._create_first(first, password_hash, session)):
                    return first
        with self._mongo.call():
            try:
                await self._users.insert_one(user_document(user, password_hash))
            except DuplicateKeyError as error:
                (field,) = (error.details or {}).get("keyPattern", {"_id": 1})
                raise Conflict(_TAKEN[field].message, field=_TAKEN[field].field) from None
        return user

    async def _has_users(self) -> bool:
        with self._mongo.call():
            return await self._users.find_one({}, {"_id": True}) is not None

    async def _create_first(self, user: User, password_hash: str | None, session: Session) -> bool:
        """Add the user, unless there is an account, or was one that got a role as the first. All who try at once write
        the same document, so that one of them succeeds and the others begin again, and find an account."""
        if await self._latest.users.find_one({}, {"_id": True}, session=session) is not None:
            return False
        if await self._latest.first_account.find_one({}, session=session) is not None:
            return False
        await self._latest.first_account.insert_one({"_id": 1, "user": user.id}, session=session)
        await self._latest.users.insert_one(user_document(user, password_hash), session=session)
        return True

    async def get_user(self, user: str) -> User | None:
        with self._mongo.call():
            found = await self._users.find_one({"_id": user}, _PUBLIC)
        return read_user(found) if found else None

    async def get_users(self, users: Collection[str]) -> dict[str, User]:
        with self._mongo.call():
            found = await self._users.find({"_id": {"$in": list(set(users))}}, _PUBLIC).to_list()
        return {document["_id"]: read_user(document) for document in found}

    async def find_by_name(self, name: str) -> User | None:
        with self._mongo.call():
            found = await self._users.find_one({"folded": fold_name(name)}, _PUBLIC)
        return read_user(found) if found else None

    async def ids_by_names(self, names: Collection[str]) -> dict[str, str]:
        with self._mongo.call():
            found = await self._users.find({"folded": {"$in": list(set(names))}}, {"folded": True}).to_list()
        return {document["folded"]: document["_id"] for document in found}

    async def search_users(
        self, prefix: str, limit: int, *, after: str = "", blocked_only: bool = False
    ) -> Sequence[User]:
        if limit < 1:
            return []
        with self._mongo.call():
            only = {"blocked": True} if blocked_only else None
            found = await find_by_prefix(self._users, {}, prefix, after, limit, only=only)
        return [read_user(user) for user in found]

    async def set_display_name(self, user: str, display_name: str) -> User:
        """The copies in the members are written last: whoever dies in between sets the name again."""
        fields = display_fields(display_name)
        with self._mongo.call():
            found = await self._users.find_one_and_update(
                {"_id": user}, {"$set": fields}, projection=_PUBLIC, return_document=ReturnDocument.AFTER
            )
            if found is None:
                raise NotFound("there is no such user")
            copied = {"folded_display_name": fields["folded_display_name"]}
            await self._members.update_many({"user": user}, {"$set": copied})
        return read_user(found)

    async def set_status(self, user: str, status: UserStatus | None) -> User:
        change = {"$set": {"status": msgspec.to_builtins(status)}} if status else {"$unset": {"status": ""}}
        with self._mongo.call():
            found = await self._users.find_one_and_update(
                {"_id": user}, change, projection=_PUBLIC, return_document=ReturnDocument.AFTER
            )
        if found is None:
            raise NotFound("there is no such user")
        return read_user(found)

    async def find_displayed(self, room: str, names: Collection[str]) -> dict[str, str]:
        if not names:
            return {}
        counting: list[Document] = [
            {"$match": {"room": room, "folded_display_name": {"$in": list(set(names))}}},
            {"$group": {"_id": "$folded_display_name", "user": {"$min": "$user"}, "count": {"$sum": 1}}},
        ]
        with self._mongo.call():
            async with await self._members.aggregate(counting) as cursor:
                found = await cursor.to_list()
        return {each["_id"]: each["user"] for each in found if each["count"] == 1}

    async def get_password_hash(self, user: str) -> str | None:
        with self._mongo.call():
            found = await self._users.find_one({"_id": user}, {"password_hash": True})
        return found["password_hash"] if found else None

    async def set_password_hash(self, user: str, password_hash: str) -> None:
        await self._update(user, {"password_hash": password_hash})

    async def find_by_email(self, email: str) -> User | None:
        with self._mongo.call():
            found = await self._users.find_one({"folded_email": fold_email(email)}, _PUBLIC)
        return read_user(found) if found else None

    async def set_email(self, user: str, email: str | None) -> None:
        if email is None:
            await self._change(user, {"$unset": dict.fromkeys(("email", "folded_email", "pending_email"), "")})
            return
        is_verified, given = {"$gt": ["$folded_email", None]}, {"$literal": email}
        fields = {
            "email": {"$cond": [is_verified, "$email", given]},
            "pending_email": {"$cond": [is_verified, given, "$$REMOVE"]},
        }
        await self._change(user, [{"$set": fields}])

    async def verify_email(self, user: str, email: str) -> str | None:
        given, folded = {"$literal": email}, {"$literal": fold_email(email)}
        is_theirs = {"$in": [given, ["$email", "$pending_email"]]}
        fields = {
            "email": {"$cond": [is_theirs, given, "$email"]},
            "folded_email": {"$cond": [is_theirs, folded, "$folded_email"]},
            "pending_email": {"$cond": [is_theirs, "$$REMOVE", "$pending_email"]},
        }
        with self._mongo.call():
            try:
                before = await self._users.find_one_and_update({"_id": user}, [{"$set": fields}])
            except DuplicateKeyError:
                raise Conflict(EMAIL_TAKEN, field="email") from None
        if before is None or email not in {before.get("email"), before.get("pending_email")}:
            raise NotFound("this address is not that of the account any more", field="email")
        return before["email"] if "folded_email" in before and before["email"] != email else None

    async def set_blocked(self, user: str, blocked: bool) -> None:
        await self._update(user, {"blocked": blocked})
        if blocked:  # repeated, it ends what a crash between the two left
            with self._mongo.call():
                await self._invites.delete_many({"creator": user})

    async def set_instance_role(self, user: str, role: InstanceRole | None, *, by: str | None = None) -> None:
        change = {"$unset": {"instance_role": ""}} if role is None else {"$set": {"instance_role": role.value}}

        async def job(session: Session) -> None:
            if by is not None:  # written, so that of two who take each other's role one begins again
                counted = {"$inc": {"roles_given": 1}}
                owner = await self._latest.users.find_one_and_update({"_id": by}, counted, session=session)
                given = owner.get("instance_role") if owner else None
                require_owner_role(InstanceRole(given) if given else None)
            done = await self._latest.users.update_one({"_id": user}, change, session=session)
            if not done.matched_count:
                raise NotFound("there is no such user")

        await self._mongo.transaction(job)

    async def list_role_holders(self, limit: int) -> Sequence[User]:
        if limit < 1:
            return []
        with self._mongo.call():
            found = await self._users.find({"instance_role": {"$gt": ""}}, _PUBLIC).limit(limit).to_list()
        return [read_user(document) for document in found]

    async def get_added_by(self, user: str) -> AddedBy | None:
        with self._mongo.call():
            found = await self._users.find_one({"_id": user}, {"added_by": True})
        choice = found.get("added_by") if found else None
        return AddedBy(choice) if choice else None

    async def set_added_by(self, user: str, choice: AddedBy | None) -> None:
        await self._update(user, {"added_by": choice.value if choice else None})

    async def add_user_block(self, user: str, other: str, now: int) -> None:
        if len(await self.get_users([user, other])) < len({user, other}):
            raise NotFound("there is no such user", field="user")
        with self._mongo.call():
            there = await self._user_blocks.count_documents({"user": user})
            require_blockable(user, other, there)
            place = {"_id": f"{user} {other}"}
            block = {"$setOnInsert": {"user": user, "other": other, "at": now}}
            await self._user_blocks.update_one(place, block, upsert=True)

    async def remove_user_block(self, user: str, other: str) -> bool:
        with self._mongo.call():
            done = await self._user_blocks.delete_one({"_id": f"{user} {other}"})
        return done.deleted_count > 0

    async def list_user_blocks(self, user: str) -> Sequence[str]:
        with self._mongo.call():
            found = await self._user_blocks.find({"user": user}).to_list()
        return [block["other"] for block in sorted(found, key=lambda block: (block["at"], block["other"]))]

    async def find_blockers(self, other: str, users: Collection[str]) -> set[str]:
        if not users:
            return set()
        with self._mongo.call():
            ids = [f"{user} {other}" for user in set(users)]
            found = await self._user_blocks.find({"_id": {"$in": ids}}, {"user": True}).to_list()
        return {block["user"] for block in found}

    async def find_blocks(self, pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        wanted = {"_id": {"$in": [f"{user} {other}" for user, other in pairs]}}
        with self._mongo.call():
            found = await self._user_blocks.find(wanted, {"user": True, "other": True}).to_list()
        return {(block["user"], block["other"]) for block in found}

    async def add_grant(self, grant: RefreshGrant) -> None:
        with self._mongo.call():
            await self._purge()
            change = {
                "$push": {"tokens": make_token(grant.digest, grant.expires)},
                "$set": {"user": grant.user, "begun": grant.begun, "agent": grant.agent},
                "$max": {"expires": grant.expires},
            }
            await self._families.update_one({"_id": grant.family}, change, upsert=True)

    async def rotate_grant(
        self, digest: bytes, successor: bytes, expires: int, now: int
    ) -> tuple[Rotation, RefreshGrant | None]:
        """Cancelled, it waits for the server's answer: what becomes of a token is decided by then."""
        with self._mongo.shield_write(), self._mongo.call():
            for _ in range(_ATTEMPTS):
                family = await self._families.find_one({"tokens.digest": digest})
                decision = decide_rotation(read_token(family, digest) if family else None, now)
                if family is None or decision.outcome is Rotation.EXPIRED:
                    return decision.outcome, None
                if decision.outcome is Rotation.REUSED:  # whatever happened to it since, it stays reused
                    await self._end_family(family["_id"], now)
                    return Rotation.REUSED, read_grant(family, digest)
                after = await self._families.find_one_and_update(
                    {"_id": family["_id"]},
                    replace_tokens(family, decision.replaced, successor, expires),
                    return_document=ReturnDocument.AFTER,
                )
                if after and has_token(after, successor):
                    return Rotation.ROTATED, read_grant(after, successor)
        raise Unavailable("this log-in is being refreshed many times at once; try again")

    async def end_family(self, digest: bytes) -> RefreshGrant | None:
        with self._mongo.call():
            found = await self._families.find_one({"tokens.digest": digest})
            if found is not None:
                await self._end_family(found["_id"], self._clock())
        return read_grant(found, digest) if found else None

    async def end_families(self, user: str, *, keep: str | None = None) -> Sequence[str]:
        with self._mongo.call():
            found = await self._families.find({"user": user}, {"_id": True}).to_list()
            ended = [family["_id"] for family in found if family["_id"] != keep]
            for family in ended:
                await self._end_family(family, self._clock())
        return ended

    async def end_log_in(self, user: str, family: str) -> bool:
        with self._mongo.call():
            found = await self._families.find_one({"_id": family}, {"user": True})
            if found is None or found["user"] != user:
                return False
            await self._end_family(family, self._clock())
        return True

    async def list_log_ins(self, user: str, now: int, limit: int) -> Sequence[OpenLogIn]:
        with self._mongo.call():
            found = await self._families.find({"user": user}).to_list()
        log_ins = [read_log_in(family) for family in found if family["expires"] > now]
        return sorted(log_ins, key=lambda log_in: (-log_in.used, log_in.family))[:limit]

    async def list_ended_families(self, since: int, limit: int) -> Sequence[str]:
        with self._mongo.call():
            newest = self._ended.find({"ended": {"$gte": since}}).sort("ended", DESCENDING).limit(limit)
            return [document["_id"] for document in reversed(await newest.to_list())]

    async def _end_family(self, family: str, now: int) -> None:
        """It is noted before it is deleted: whoever dies in between has ended it, and can end it again."""
        await self._ended.replace_one({"_id": family}, {"ended": now}, upsert=True)
        await self._families.delete_one({"_id": family})
        await self._ended.delete_many({"ended": {"$lt": now - _PURGE_AFTER_MS}})

    async def signing_keys(self) -> Sequence[SigningKey]:
        with self._mongo.call():
            found = await self._keys.find().to_list()
        keys = [SigningKey(key["_id"], bytes(key["private"]), key["created"], key["expires"]) for key in found]
        return sorted(keys, key=lambda key: (key.created, key.kid))

    async def add_signing_key(self, key: SigningKey, *, keep_from: int) -> None:
        document = {"private": key.private, "created": key.created, "expires": key.expires}
        with self._mongo.call():
            with suppress(DuplicateKeyError):  # another process was first in the same moment
                await self._keys.update_one({"_id": key.kid}, {"$setOnInsert": document}, upsert=True)
            await self._keys.delete_many({"_id": {"$ne": key.kid}, "expires": {"$lt": keep_from}})

    async def _update(self, user: str, fields: Document) -> None:
        await self._change(user, {"$set": fields})

    async def _change(self, user: str, change: Document | list[Document]) -> None:
        with self._mongo.call():
            done = await self._users.update_one({"_id": user}, change)
        if not done.matched_count:
            raise NotFound("there is no such user")

    async def _purge(self) -> None:
        over = {"expires": {"$lt": self._clock() - _PURGE_AFTER_MS}}
        found = await self._families.find(over, {"_id": True}).limit(_PURGE_AT_ONCE).to_list()
        if found:
            await self._families.delete_many({"_id": {"$in": [document["_id"] for document in found]}})
