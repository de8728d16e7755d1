"""Users who talk while something breaks, and the judge who says afterwards whether the six promises were kept."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
from anyio.abc import TaskGroup

from tests.support.cluster_process import Cluster, Seeded, User
from tests.support.participant import Json, Participant
from tests.support.patience import patient

DEADLINE = 150.0
PACE_SECONDS = 0.15
LOOK_SECONDS = 0.05
_LONGEST_SECONDS = 300.0
_PAGE = 200
_REST_SECONDS = 30.0


class Traffic:
    """All users of the rooms; `senders` of them talk, one message each in about `pace` seconds.

    Neighbours in the list of users are partners, who write to each other directly, too. With `obeys`, they come back
    when `closing` says, and not sooner.
    """

    def __init__(
        self,
        cluster: Cluster,
        seeded: Seeded,
        *,
        senders: int,
        pace: float = PACE_SECONDS,
        ws: str | None = None,
        obeys: bool = False,
    ) -> None:
        self.cluster = cluster
        self.seeded = seeded
        self.ws = ws or cluster.ws
        self.obeys = obeys
        self.pace = pace
        self.flowing = True
        self._tasks: TaskGroup | None = None
        rooms: dict[str, list[str]] = {user.id: [] for user in seeded.users}
        for room, members in seeded.rooms.items():
            for member in members:
                rooms[member.id].append(room)
        self.participants: list[Participant] = []
        for number, user in enumerate(seeded.users):
            partner = seeded.users[number ^ 1] if (number | 1) < senders else None
            self.participants.append(Participant(self, user, rooms[user.id], partner, sends=number < senders))

    @property
    def acked(self) -> int:
        """How many messages were acknowledged."""
        return sum(len(each.acked) for each in self.participants)

    @property
    def refused(self) -> int:
        """How many commands got an error that may pass."""
        return sum(each.refused for each in self.participants)

    @property
    def gaps(self) -> int:
        """How many `gap` events came."""
        return sum(each.gaps for each in self.participants)

    @property
    def breaches(self) -> list[str]:
        """What the participants saw that must not be."""
        return [breach for each in self.participants for breach in each.breaches]

    def start(self, work: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> None:
        """Run among the participants."""
        if self._tasks is not None:
            self._tasks.start_soon(work, *arguments)

    @asynccontextmanager
    async def flows(self, acked: int = 20) -> AsyncIterator[None]:
        """Everyone is there, and so many messages are acknowledged. At the end of the block, all is awaited and
        judged."""
        with anyio.fail_after(patient(_LONGEST_SECONDS)):
            async with self._everyone():
                await self.until_acked(acked)
                yield
                await self._settle()
            await self.judge()
            await self._ready()

    @asynccontextmanager
    async def _everyone(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as self._tasks:
            for each in self.participants:
                self._tasks.start_soon(each.run)
            await self.until(lambda: all(each.sessions for each in self.participants), "everyone is there")
            yield
            self._tasks.cancel_scope.cancel()

    async def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for it. Fails when it does not come, and at the first breach."""
        with anyio.move_on_after(patient(DEADLINE)) as scope:
            while not true():
                await anyio.sleep(LOOK_SECONDS)
                assert not self.breaches, self.breaches[:5]
        assert not scope.cancelled_caught, f"not in time: {what}. {self._story()}"

    async def until_acked(self, more: int) -> None:
        """Wait until so many more messages are acknowledged."""
        wanted = self.acked + more
        await self.until(lambda: self.acked >= wanted, f"{more} more acknowledged")

    async def until_shown(self) -> None:
        """Wait until everyone was shown what is acknowledged now."""
        wanted = Counter(target for each in self.participants for target, _ in each.acked)
        views = [(each, room) for each in self.participants for room in each.rooms]
        await self.until(lambda: all(len(each.views[room]) >= wanted[room] for each, room in views), "all is shown")

    async def _settle(self) -> None:
        self.flowing = False
        await self.until(lambda: all(each.idle for each in self.participants), "all is acknowledged")
        await self.until_shown()
        partners = [each for each in self.participants if each.partner is not None]
        wanted = self._direct_counts()
        await self.until(
            lambda: all(len(each.direct) >= wanted[_pair(each)] for each in partners), "direct messages are stored"
        )
        await self.until(
            lambda: all(set(each.direct.values()) <= each.shown for each in partners), "direct messages are shown"
        )

    def _direct_counts(self) -> Counter[frozenset[str]]:
        return Counter(
            frozenset((each.user.id, target))
            for each in self.participants
            for target, _ in each.acked
            if target not in self.seeded.rooms
        )

    async def judge(self) -> None:
        """The promises: what was acknowledged is there, once, in order, without holes, and the same for everyone."""
        assert self.breaches == []
        async with httpx.AsyncClient(
            base_url=self.cluster.http, timeout=patient(_REST_SECONDS), trust_env=False
        ) as http:
            for room, members in self.seeded.rooms.items():
                items = await self._room_history(http, room, members[0])
                self._judge_conversation(items, [(each, room) for each in self.participants])
                said = [(item["seq"], item["client_id"]) for item in items]
                for each in self.participants:
                    if room in each.rooms:
                        assert each.views[room] == said, f"{each.user.name} was shown something else"
            for one, other in itertools.pairwise(self.participants):
                if one.partner is not None and one.partner.id == other.user.id and other.partner is not None:
                    items = await history(http, one.user, f"/api/dms/{other.user.id}/messages")
                    self._judge_conversation(items, [(one, other.user.id), (other, one.user.id)])
                    told = {item["seq"]: item["client_id"] for item in items}
                    assert one.direct == other.direct == told

    async def _room_history(self, http: httpx.AsyncClient, room: str, user: User) -> list[Json]:
        """All that is in a room, as soon as the changes that were acknowledged are in it; nothing else awaits them."""
        changes = [(at, text) for each in self.participants for at, text in each.changed.items()]
        changed = {seq: text for (at, seq), text in changes if at == room}
        with anyio.move_on_after(patient(DEADLINE)):
            while True:
                items = await history(http, user, f"/api/rooms/{room}/messages")
                if {item["seq"]: item["text"] for item in items if item["seq"] in changed} == changed:
                    return items
                await anyio.sleep(LOOK_SECONDS)
        raise AssertionError("an acknowledged edit or deletion is not in history")

    async def _ready(self) -> None:
        """Every process says so, by itself."""
        async with httpx.AsyncClient(timeout=patient(_REST_SECONDS), trust_env=False) as http:
            with anyio.fail_after(patient(_REST_SECONDS)):
                for process in self.cluster.processes.values():
                    while process.alive and (await http.get(f"{process.http}/readyz")).status_code != 200:  # noqa: ASYNC110
                        await anyio.sleep(LOOK_SECONDS)

    @staticmethod
    def _judge_conversation(items: list[Json], senders: list[tuple[Participant, str]]) -> None:
        """`senders`, each with the conversation by the name that it knows it by."""
        seqs = [item["seq"] for item in items]
        assert seqs == list(range(1, len(items) + 1)), f"history has a hole or a double: {seqs}"
        count = 0
        for each, target in senders:
            said = [
                item["client_id"]
                for item in items
                if item["sender" if "sender" in item else "from"]["id"] == each.user.id
            ]
            assert said == [client_id for to, client_id in each.acked if to == target], each.user.name
            count += len(said)
        assert count == len(items)

    def _story(self) -> str:
        wanted = Counter(target for each in self.participants for target, _ in each.acked)
        behind = [
            f"{each.user.name} session {each.sessions}: {len(each.sent)} sent, {len(each.acked)} acked, "
            f"{each.refused} refused, "
            + " ".join(f"{len(each.views[room])}/{wanted[room]}" for room in each.rooms)
            + f", direct {len(each.direct)}/{self._direct_counts()[_pair(each)]} shown {len(each.shown)}"
            for each in self.participants
            if len(each.acked) < len(each.sent) or any(len(each.views[room]) < wanted[room] for room in each.rooms)
        ]
        return "\n".join([f"{len(behind)} are behind:", *behind[:8]])


def _pair(each: Participant) -> frozenset[str]:
    assert each.partner is not None
    return frozenset((each.user.id, each.partner.id))


async def history(http: httpx.AsyncClient, user: User, path: str) -> list[Json]:
    """All messages of a conversation, oldest first."""
    found: list[Json] = []
    while True:
        after = f"&after={found[-1]['seq']}" if found else "&after=0"
        answer = await http.get(f"{path}?limit={_PAGE}{after}", headers={"Authorization": f"Bearer {user.token}"})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["messages"]
        if not page["more"]:
            return found
