"""SIGKILL of the database server, between and during writes: what was acknowledged is there, in order and whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from chat.adapters.mongo.client import Mongo, open_mongo
from chat.adapters.mongo.history import MongoHistory
from chat.adapters.mongo.schema import migrate
from chat.concurrency import Backoff
from chat.domain.conversations import room_key
from chat.domain.ids import new_id
from chat.domain.records import Reacted, Read
from chat.errors import Unavailable
from chat.settings import MongoSettings
from tests.support.builders import ANN, HALL, NOW, make_messages, make_user
from tests.support.mongo import all_of, handler_of, sent, stores_of
from tests.support.patience import patient
from tests.support.servers import ROOT

pytestmark = [pytest.mark.anyio, pytest.mark.production, pytest.mark.slow]
WRITERS = 3
EACH = 8
BATCHES = 40
KILL_AT = (10, 40, 75)
DEADLINE = 240.0
SECONDS = 3.0


class Server:
    """A server whose data is in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._command = [str(ROOT / "scripts/servers"), "--folder", str(folder)]
        self._was_there = False

    def start(self) -> str:
        """Start it where it was; its URL. Skips when it cannot be had; one that was there has to come back."""
        told = self._run("url", "mongo")
        if told.returncode:
            assert not self._was_there, told.stderr
            said = told.stderr.strip().splitlines() or ["needs MongoDB"]
            pytest.skip(next((line for line in said if line.startswith("needs")), f"needs MongoDB: {said[-1]}"))
        self._was_there = True
        return told.stdout.strip()

    def kill(self) -> None:
        """SIGKILL."""
        for pid in self._run("pids", "mongo").stdout.split():
            os.kill(int(pid), signal.SIGKILL)

    def restart(self) -> None:
        """Kill it, and start it on the same data and port."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """End it."""
        self._run("stop", "mongo")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHON": sys.executable}
        command = [*self._command, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that may be killed."""
    made = Server(tmp_path / "servers")
    try:
        yield made
    finally:
        made.stop()


async def test_what_was_acknowledged_outlives_a_kill(server: Server, anyio_backend: Any) -> None:
    url = await anyio.to_thread.run_sync(server.start)
    async with open_mongo(MongoSettings(url=url, timeout_seconds=SECONDS)) as mongo:
        await migrate(mongo)
        accounts, _, history, *_ = stores_of(mongo)
        await accounts.create_user(make_user(ANN), "hash")
        await history.apply_batch(make_messages(20), [Read(conversation=HALL, actor=ANN, ts=NOW, seq=20)])
        await anyio.to_thread.run_sync(server.kill)
        with pytest.raises(Unavailable):
            await history.newest_seqs([HALL])
        await anyio.to_thread.run_sync(server.start)
        assert (await until_available(accounts.get_password_hash, ANN)) == "hash"
        assert list(await history.messages_since(HALL, 0, limit=50, max_bytes=10_000) or ()) == make_messages(20)
        assert await history.read_marks(HALL) == {ANN: 20}


async def until_available(call: Any, *arguments: Any) -> Any:
    """What the call answers, as soon as there is somebody to answer."""
    delays = Backoff(base=0.05, cap=0.5, jitter=0.5).delays()
    while True:
        try:
            return await call(*arguments)
        except Unavailable:
            await anyio.sleep(delays.next_delay())


class Round:
    """Writers with conversations of their own, as the owners of partitions, and one who kills the server."""

    def __init__(self, mongo: Mongo, server: Server) -> None:
        self.mongo = mongo
        self.server = server
        self.rooms = [[room_key(new_id()), room_key(new_id())] for _ in range(WRITERS)]
        self.said: dict[str, list[str]] = {room: [] for rooms in self.rooms for room in rooms}
        self.acknowledged = 0
        self.moved = anyio.Event()

    async def write(self, rooms: list[str]) -> None:
        """One batch after the other, each until it is acknowledged."""
        handler = handler_of(self.mongo)
        for number in range(BATCHES):
            batch = [sent(f"{number}:{index}", room) for index in range(EACH) for room in rooms]
            changes = [Reacted(conversation=room, actor=f"{number}", ts=NOW, seq=1, emoji="👍") for room in rooms]
            await until_available(handler.handle_records, [*batch, *changes])
            for record in batch:
                self.said[record.conversation].append(record.text)
            self.acknowledged += 1
            self.moved.set()
            self.moved = anyio.Event()

    async def kill(self) -> None:
        """While the writers write."""
        for count in KILL_AT:
            while self.acknowledged < count:
                await self.moved.wait()
            await anyio.to_thread.run_sync(self.server.restart)

    async def watch(self) -> None:
        """A reader never sees a part of a conversation's batch, nor a hole."""
        history = MongoHistory(self.mongo)
        while True:
            for room in self.said:
                found = await until_available(texts, history, room)
                assert len(found) % EACH == 0
            await anyio.sleep(0.05)


async def texts(history: MongoHistory, room: str) -> list[str | None]:
    return [message.text for message in await all_of(history, room)]


async def test_kills_while_writers_write_lose_and_double_nothing(server: Server, anyio_backend: Any) -> None:
    url = await anyio.to_thread.run_sync(server.start)
    async with open_mongo(MongoSettings(url=url, timeout_seconds=SECONDS)) as mongo:
        await migrate(mongo)
        round_ = Round(mongo, server)
        with anyio.fail_after(patient(DEADLINE)):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(round_.watch)
                async with anyio.create_task_group() as writers:
                    writers.start_soon(round_.kill)
                    for rooms in round_.rooms:
                        writers.start_soon(round_.write, rooms)
                tasks.cancel_scope.cancel()
        history = MongoHistory(mongo)
        for room, said in round_.said.items():
            assert await texts(history, room) == said
            assert len(said) == BATCHES * EACH
            first = await history.get_message(room, 1)
            assert first is not None
            assert first.reactions == {"👍": [str(number) for number in range(BATCHES)]}
