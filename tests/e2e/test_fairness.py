"""REST and the edge share the event loop of `rookery serve`: however hard REST is loaded, sessions get their turns."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from tests.support.patience import patient
from tests.support.people import Chat, Person, new_id
from tests.support.process import ROOT, ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

CONNECTIONS = 64
PING_SECONDS = 0.25
MESSAGE_SECONDS = 1.0
"""Five times what a quiet machine keeps, see `scripts/bench fairness`."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server without limits of rate, so that what a load costs is all that limits it."""
    with ServerProcess("test_fairness", tmp_path, rate_limits="off") as process:
        yield process
        process.check()


@asynccontextmanager
async def loading(server: ServerProcess, load: str, token: str, room: str) -> AsyncIterator[None]:
    """Another process sends the requests of this load, until the end of the context; the first was answered."""
    host, _, port = server.http_address.rpartition(":")
    sent = json.dumps({"tokens": [token], "room": room, "http": [host, int(port)]}).encode()
    command = [sys.executable, "-m", "perf.fairness", "--load", load, f"--connections={CONNECTIONS}"]
    async with await anyio.open_process(command, cwd=ROOT, stderr=None) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            await process.stdin.send(sent + b"\n")
            with anyio.fail_after(patient(30)):
                await process.stdout.receive()
            yield
        finally:
            process.kill()


async def fill(chat: Chat, room: str) -> None:
    """Texts that make pages of 1 MiB, and much to look at for a search."""
    for number in range(120):
        text = ("lorem ipsum dolor sit amet " * 700)[: 16_000 if number % 2 else 300]
        await chat.ok("send", room=room, text=text, client_id=new_id())


LOADS = [
    "pages of 1 MiB",
    "searches that find nothing",
    "lists of lists, 1 MiB",
    "numbers, 20 KB",
    "a string of 1 MiB",
    "1,000 wrong ids",
    "wrong passwords",
    "the OpenAPI document",
    "metrics",
]


@pytest.mark.parametrize("load", LOADS)
async def test_a_session_gets_its_turns_under_load(server: ServerProcess, ada: Person, bob: Person, load: str) -> None:
    room = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{room}/join")
    async with ada.chat() as one, bob.chat() as other:
        await fill(one, room)
        await other.ok("subscribe", room=room)
        async with loading(server, load, bob.token, room):
            for _ in range(20):
                with anyio.fail_after(patient(PING_SECONDS)):
                    await (await other.ws.ping())
                with anyio.fail_after(patient(MESSAGE_SECONDS)):
                    client_id = new_id()
                    await one.ok("send", room=room, text="hello", client_id=client_id)
                    await other.event("message", client_id=client_id)
