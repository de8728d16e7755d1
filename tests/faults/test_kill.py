"""SIGKILL in the middle of 2,000 sends, several times over: each acknowledged message is there once, and in order.

The senders and the subscriber use the client library, which repeats unanswered messages by `client_id` and resumes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from rookery.client import Account, Backoff, Client, Message, Missed, Rewound, connect, login
from tests.support.patience import patient
from tests.support.people import PASSWORD, Person, register
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SENDERS = 8
EACH = 250
KILL_AT = (200, 700, 1200, 1700)
DEADLINE = 240.0
BACKOFF = Backoff(base=0.1, cap=1.0)


class Round:
    """What was acknowledged, what was seen, and who kills."""

    def __init__(self, server: ServerProcess, room: str) -> None:
        self.server = server
        self.room = room
        self.acknowledged: dict[str, tuple[int, int]] = {}
        self.seen: list[Message] = []
        self.lost: list[object] = []
        self.progress = anyio.Event()

    async def send(self, account: Account, sender: int) -> None:
        """One message after the other, each until it is acknowledged."""
        async with connect(self.server.ws, token=account.token, backoff=BACKOFF, timeout=patient(DEADLINE)) as client:
            for number in range(EACH):
                client_id = await client.send(self.room, f"{sender}:{number}")
                self.acknowledged[client_id] = (sender, number)
                self.moved()

    async def listen(self, client: Client) -> None:
        """Everything that the room says, from the beginning."""
        await client.subscribe(self.room, since=0)
        async for event in client:
            if isinstance(event, Message):
                self.seen.append(event)
                self.moved()
            elif isinstance(event, Missed | Rewound):
                self.lost.append(event)

    async def kill(self) -> None:
        """SIGKILL each time that so many are acknowledged, and start again on the same data."""
        for count in KILL_AT:
            await self.until(lambda count=count: len(self.acknowledged) >= count)
            assert len(self.acknowledged) < SENDERS * EACH
            await anyio.to_thread.run_sync(self.server.restart)

    def moved(self) -> None:
        self.progress.set()
        self.progress = anyio.Event()

    async def until(self, true: Any) -> None:
        while not true():
            await self.progress.wait()


async def test_nothing_that_was_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    with ServerProcess("test_kill", tmp_path, rate_limits="off") as server:
        async with httpx.AsyncClient(trust_env=False) as http:
            people = [await register(server, http) for _ in range(SENDERS)]
            room = await people[0].new_room()
            for person in people[1:]:
                await person.call("POST", f"/api/rooms/{room}/join")
            accounts = [await login(server.http, person.name, PASSWORD) for person in people]
            round_ = Round(server, room)
            with anyio.fail_after(patient(DEADLINE)):
                await _run(round_, accounts)
                await _check(round_, people)
        server.check()


async def _run(round_: Round, accounts: list[Account]) -> None:
    options: Any = {"backoff": BACKOFF, "timeout": patient(DEADLINE)}
    async with (
        connect(round_.server.ws, token=accounts[0].token, **options) as client,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(round_.listen, client)
        async with anyio.create_task_group() as senders:
            senders.start_soon(round_.kill)
            for number, account in enumerate(accounts):
                senders.start_soon(round_.send, account, number)
        await round_.until(lambda: len(round_.seen) >= SENDERS * EACH)
        assert client.statistics().connections > 1
        tasks.cancel_scope.cancel()


async def _check(round_: Round, people: list[Person]) -> None:
    items = await people[0].history(f"/api/rooms/{round_.room}/messages")
    total = SENDERS * EACH
    assert len(round_.acknowledged) == total
    assert [item["seq"] for item in items] == list(range(1, total + 1))
    assert {item["client_id"] for item in items} == set(round_.acknowledged)
    for sender, person in enumerate(people):
        said = [item["text"] for item in items if item["sender"]["id"] == person.id]
        assert said == [f"{sender}:{number}" for number in range(EACH)]
    assert round_.lost == []
    assert [(message.seq, message.client_id) for message in round_.seen] == [
        (item["seq"], item["client_id"]) for item in items
    ]
