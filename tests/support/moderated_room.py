"""A room in which something rude was said, a moderator of the instance, and their REST."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from chat.domain.cases import POLICY, AuditEntry, Case, CaseAction, CaseKind, CaseState, message_subject
from chat.domain.conversations import room_key
from chat.domain.ids import new_id
from chat.domain.moderation import Verdict
from chat.domain.records import Moderated
from chat.wire.records import DM_TOPIC, ROOM_TOPIC, decode_record
from tests.support.rest import Rest, User, open_rest
from tests.support.settings import make_settings


class ModeratedRoom:
    """A moderator, Ann with a room in which she and Ben talk, and a stranger."""

    def __init__(self, rest: Rest, people: list[User], room: str) -> None:
        self.rest = rest
        self.mod, self.ann, self.ben, self.stranger = people
        self.room = room
        self.key = room_key(room)

    async def withdraw(self, seq: int, user: User, reason: str = "rude") -> None:
        """As the workers do."""
        record = Moderated(conversation=self.key, actor=POLICY, ts=self.rest.clock(), seq=seq, reason=reason)
        assert await self.rest.services.history.apply_batch([], [record]) == [True]
        now = self.rest.clock()
        case = Case(
            id=new_id(),
            subject=message_subject(self.key, seq),
            kind=CaseKind.REMOVED,
            user=user.id,
            opened=now,
            state=CaseState.DECIDED,
            conversation=self.key,
            seq=seq,
            client_id="c",
            revision=0,
            rule="slurs",
            reason=reason,
            verdict=Verdict.REMOVE,
            decided_by=POLICY,
            decided=now,
        )
        entry = AuditEntry(id=new_id(), at=now, by=POLICY, action=CaseAction.REMOVE, user=user.id)
        await self.rest.services.cases.record_verdict(case, entry)

    async def records(self) -> list[Any]:
        """What was appended to the log, of rooms and then of direct messages."""
        log: Any = self.rest.services.log
        found = [await log.read_recent(topic, 0, 100) for topic in (ROOM_TOPIC, DM_TOPIC)]
        return [decode_record(record.value) for records in found for record in records]

    async def apply(self) -> None:
        """As the persistence worker does."""
        await self.rest.services.history.apply_batch([], await self.records())


@asynccontextmanager
async def open_moderated_room(**replaced: Any) -> AsyncIterator[ModeratedRoom]:
    """`replaced` are collaborators that a test brings."""
    settings = make_settings(rate_limits=False, moderators=("Mod", "someone-else"))
    async with open_rest(settings=settings, **replaced) as rest:
        people = [await rest.user(name) for name in ("mod", "Ann", "Ben", "Stranger")]
        room = await people[1].room()
        await people[2]("POST", f"/api/rooms/{room}/join")
        made = ModeratedRoom(rest, people, room)
        await rest.say(made.key, people[1], "hello", "something rude", "good bye")
        yield made
