"""People who use our client library: they talk in a room, and keep what they were shown."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx

from rookery.client import Client, Connected, Disconnected, Message, connect
from tests.support.cluster_process import Seeded, User
from tests.support.patience import patient
from tests.support.traffic import history

_PACE_SECONDS = 0.2
_SECONDS = 150.0


class LibraryTalk:
    """All users of a seeded room. `waits`: after how many seconds the library meant to come back, each time."""

    def __init__(self, ws: str, http: str, seeded: Seeded) -> None:
        ((self._room, self._people),) = seeded.rooms.items()
        self._ws = ws
        self._http = http
        self._acked: dict[str, list[str]] = {user.id: [] for user in self._people}
        self._shown: dict[str, list[tuple[int, str]]] = {user.id: [] for user in self._people}
        self.sessions = Counter[str]()
        self.waits: list[float] = []
        self._talking = True

    @asynccontextmanager
    async def flows(self) -> AsyncIterator[None]:
        """They talk; at the end, all is awaited and judged."""
        async with anyio.create_task_group() as tasks:
            for user in self._people:
                tasks.start_soon(self._take_part, user)
            yield
            self._talking = False
            with anyio.fail_after(patient(_SECONDS)):
                while not self._is_all_shown():  # noqa: ASYNC110 - the clients notify nobody
                    await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()
        await self._judge()

    async def _take_part(self, user: User) -> None:
        async with connect(self._ws, token=user.token, timeout=patient(_SECONDS)) as client:
            await client.subscribe(self._room)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._talk, client, user)
                async for event in client:
                    match event:
                        case Message():
                            self._shown[user.id].append((event.seq, event.client_id))
                        case Connected():
                            self.sessions[user.id] += 1
                        case Disconnected():
                            self.waits.append(event.retry_after_s)
                        case _:
                            pass

    async def _talk(self, client: Client, user: User) -> None:
        while self._talking:
            client_id = str(uuid.uuid4())
            await client.send(self._room, "hello", client_id)
            self._acked[user.id].append(client_id)
            await anyio.sleep(_PACE_SECONDS)

    def _is_all_shown(self) -> bool:
        said = {client_id for acked in self._acked.values() for client_id in acked}
        return all(said <= {client_id for _, client_id in shown} for shown in self._shown.values())

    async def _judge(self) -> None:
        async with httpx.AsyncClient(base_url=self._http, timeout=patient(30), trust_env=False) as http:
            items = await history(http, self._people[0], f"/api/rooms/{self._room}/messages")
        stored = [(item["seq"], item["client_id"]) for item in items]
        assert [seq for seq, _ in stored] == list(range(1, len(stored) + 1))
        for user in self._people:
            # Who subscribed after the first messages was shown the rest.
            shown = self._shown[user.id]
            assert shown == stored[len(stored) - len(shown) :], f"{user.name} was shown something else"
            mine = [item["client_id"] for item in items if item["sender"]["id"] == user.id]
            assert [each for each in mine if each in set(self._acked[user.id])] == self._acked[user.id]
            assert len(mine) == len(set(mine))
