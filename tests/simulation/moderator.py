"""The owner of the rooms, who changes memberships by calling the REST services until they succeed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio

from chat.domain.conversations import room_key
from chat.domain.models import Role, User
from chat.errors import NotFound, Unavailable
from services.chat import members
from services.chat.models import RoleChoice
from services.common.collaborators import Services
from tests.simulation.faults import Process

if TYPE_CHECKING:
    from tests.simulation.cluster import Cluster

Request = Callable[[Services], Awaitable[object]]
ANSWER_SECONDS = 20.0
_WHO = "owner"


class Moderator:
    """The owner of all rooms. Changes are made one after the other."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._turn = anyio.Lock()
        self._requests = 0
        self._wanted = 0
        self.owner = cluster.plan.people[0]

    async def change_membership(self, room: str, user: User, kind: str) -> None:
        """`kind` is `ban`, `kick`, `reader` or `member`; the last lifts a ban, too. Returns when it is done."""
        self._wanted += 1
        async with self._turn:
            story = self._cluster.story
            where = f"{user.name} in {story.name(room_key(room))}"
            role = {"ban": None, "kick": None, "reader": Role.READER, "member": Role.MEMBER}[kind]
            self._cluster.ledger.rights.begin_change(user.id, room_key(room), role)
            story.tell(_WHO, f"wants {where}: {kind}")
            if kind == "ban":
                await self._repeat_until_done(lambda services: members.ban_user(room, user.id, self.owner, services))
            elif kind == "kick":
                await self._repeat_until_done(
                    lambda services: members.remove_member(room, user.id, self.owner, services)
                )
            else:
                assert role is not None
                choice = RoleChoice(role=role)
                await self._repeat_until_done(lambda services: members.unban_user(room, user.id, self.owner, services))
                await self._repeat_until_done(
                    lambda services: members.set_member(room, user.id, choice, self.owner, services)
                )
            story.tell(_WHO, f"knows that it is done for {where}: {kind}")
        self._wanted -= 1

    @property
    def done(self) -> bool:
        """Whether no request is under way."""
        return not self._wanted

    async def _repeat_until_done(self, request: Request) -> None:
        """Repeat a request until the service has carried it out, or says that there is nothing to do."""
        while True:
            self._requests += 1
            process = Process(f"rest-{self._requests}", self._cluster.faults)
            with anyio.move_on_after(ANSWER_SECONDS):
                try:
                    await request(self._cluster.services(process))
                except NotFound:
                    return
                except Unavailable as error:
                    process.tell(f"answers 503: {error.message}")
                else:
                    return
            await anyio.sleep(self._cluster.rng.random())
