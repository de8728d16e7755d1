"""Dead letters are put back as they were, each once, and what dies again stays dead."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chat.assembly import Engines
from chat.ports.log import Batch, Log, LogRecord
from chat.settings import SettingsError
from chat.wire.records import ROOM_TOPIC
from rookery.cli import dead_letters
from rookery.cli.dead_letters import read_dead_letters, read_original, replay_topic, show_dead_letters
from rookery.cli.operator import name_operator
from tests.support.kafka import KafkaSystem
from tests.support.logs import SqliteSystem
from tests.support.servers import marked, server_url
from tests.support.settings import make_settings
from workers.dead_letters import dead_headers, dead_topic

pytestmark = pytest.mark.anyio
HEADERS = (("trace", b"\xff"), ("dead-reason", b"the sender's own"))


class System:
    """A log with the topic `t` and its dead letters."""

    def __init__(self, name: str, folder: Path, backend: str) -> None:
        self.inner: Any
        if name == "kafka":
            if backend != "asyncio":
                pytest.skip("Kafka's driver runs on asyncio only")
            self.inner = KafkaSystem(server_url("kafka"), ("t", dead_topic("t")))
        else:
            self.inner = SqliteSystem(folder, backend)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Log]:
        async with self.inner.open() as log:
            yield log


@pytest.fixture(params=marked(["sqlite", "kafka"]))
def system(request: pytest.FixtureRequest, tmp_path: Path, anyio_backend_name: str) -> System:
    return System(request.param, tmp_path, anyio_backend_name)


async def bury(log: Log, *numbers: int, topic: str = "t") -> None:
    for number in numbers:
        record = LogRecord(number, f"k{number % 3}", b"%d" % number, HEADERS)
        batch = Batch(topic, 0, [record])
        await log.append(dead_topic(topic), record.key, record.value, dead_headers(batch, record, "why"))


async def living(log: Log, count: int) -> list[LogRecord]:
    """The next `count` records of the topic."""
    found: list[LogRecord] = []
    async with log.join_group("reader", ["t"]) as consumer:
        while len(found) < count:
            for batch in await consumer.poll(100):
                found.extend(batch.records)
                await consumer.commit(batch)
        assert await consumer.lag() == 0
    return found


async def test_they_come_back_in_order_with_their_headers(system: System) -> None:
    async with system.open() as log:
        await bury(log, *range(20))
        assert await replay_topic(log, "t") == (20, 0)
        records = await living(log, 20)
    assert [record.value for record in records] == [b"%d" % number for number in range(20)]
    assert {record.headers for record in records} == {HEADERS}
    assert [record.key for record in records] == [f"k{number % 3}" for number in range(20)]


async def test_each_comes_back_once(system: System) -> None:
    async with system.open() as log:
        await bury(log, 1, 2)
        assert await replay_topic(log, "t.dead") == (2, 0)
        assert await replay_topic(log, "t") == (0, 0)
        await bury(log, 3)
        assert await replay_topic(log, "t") == (1, 0)
        assert [record.value for record in await living(log, 3)] == [b"1", b"2", b"3"]


async def test_looking_changes_nothing_and_shows_no_text(system: System) -> None:
    said: list[str] = []
    async with system.open() as log:
        await bury(log, 41, 42)
        total, letters = await read_dead_letters(log, "t")
        show_dead_letters("t.dead", total, letters, said.append)
        assert await replay_topic(log, "t") == (2, 0)
    assert said[0].endswith("t/0@41 k2: why")
    assert said[-1] == "2 dead letters in t.dead, 2 shown"


def test_one_without_its_headers_goes_to_the_topic_that_was_named() -> None:
    record = LogRecord(0, "k", b"", (("trace", b"1"),))
    assert read_original(record, "t") == ("t", (("trace", b"1"),))
    assert read_original(LogRecord(0, "k", b""), "t") == ("t", ())


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_the_command_works_on_the_embedded_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = make_settings(data=tmp_path)
    async with Engines.open(settings) as engines:
        log = await engines.open_log()
        await bury(log, 1, 2, topic=ROOM_TOPIC)
    options = {"topic": ROOM_TOPIC, "dry_run": True, "json": False}

    async def run(**given: bool) -> None:
        assert await dead_letters.replay_dead_letters(settings, argparse.Namespace(**{**options, **given})) == 0

    await run()
    assert "2 dead letters in room-messages.dead" in capsys.readouterr().out
    await run(json=True)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["dead_letters"], [letter["reason"] for letter in shown["shown"]]) == (2, ["why", "why"])
    await run(dry_run=False)
    assert capsys.readouterr().err == "2 dead letters replayed\n"
    await run(dry_run=False, json=True)
    assert json.loads(capsys.readouterr().out) == {"topic": "room-messages.dead", "replayed": 0, "left": 0}
    async with Engines.open(settings) as engines:
        (entry,) = await (await engines.open_store()).cases.list_audit_entries(None, 10)
    assert (entry.by, entry.reason) == (name_operator(), "replayed 2 dead letters of room-messages.dead")


@pytest.mark.parametrize("topic", ["verdicts", "verdicts.dead", "nonsense"])
async def test_a_topic_that_is_none_of_ours_is_refused_with_those_that_are(topic: str, tmp_path: Path) -> None:
    options = argparse.Namespace(topic=topic, dry_run=True, json=False)
    with pytest.raises(SettingsError, match=f"there is no topic {topic}; the topics are .*moderation-verdicts"):
        await dead_letters.replay_dead_letters(make_settings(data=tmp_path), options)
