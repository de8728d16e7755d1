"""`rookery dead-letters replay TOPIC`: puts dead letters back into the topic that they came from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import anyio

from chat.assembly import Engines
from chat.ports.log import Batch, Consumer, Log, LogRecord
from chat.settings import Settings
from rookery.cli.topics import check_backend
from workers.appending import NewRecord, append_all
from workers.dead_letters import SUFFIX, dead_topic

GROUP = "dead-letters"
MAX_RECORDS = 500
IDLE_SECONDS = 10.0
LOOK_SECONDS = 2.0
_DEAD_HEADERS = ("dead-reason", "dead-topic", "dead-partition", "dead-offset")

Headers = tuple[tuple[str, bytes], ...]


async def replay_dead_letters(settings: Settings, options: argparse.Namespace) -> int:
    """Replay what is there now. Interrupted and called again, it may put some back twice, which workers drop."""
    if settings.kafka.brokers:
        check_backend(settings)
    async with Engines.open(settings) as engines:
        log = await engines.open_log()
        if options.dry_run:
            await look(log, options.topic)
            return 0
        count, left = await replay(log, options.topic)
    print(f"{count} dead letters replayed" + (f", {left} could not be read" if left else ""), file=sys.stderr)
    return 1 if left else 0


async def replay(log: Log, topic: str, *, idle_s: float = IDLE_SECONDS) -> tuple[int, int]:
    """Put all that are there back, in their order, with their original headers; how many, and how many are left.

    What dies again meanwhile is not replayed again. One is committed after it is durable in its topic. Raises
    `Unavailable`; then what was not committed is replayed by the next call.
    """
    dead = dead_name(topic)
    count = 0
    async with log.join_group(GROUP, [dead]) as consumer:
        left = await consumer.lag()
        while left > 0:
            batches = await _poll(consumer, min(left, MAX_RECORDS), idle_s)
            if not batches:
                break
            for batch in batches:
                await _revive(log, dead.removesuffix(SUFFIX), batch)
                await consumer.commit(batch)
                count += len(batch.records)
                left -= len(batch.records)
    return count, left


async def look(log: Log, topic: str, *, tell: Callable[[str], None] = print, wait_s: float = LOOK_SECONDS) -> None:
    """Show when, why and whence each died; never what it says."""
    dead = dead_name(topic)
    async with log.join_group(GROUP, [dead]) as consumer:
        total = await consumer.lag()
        shown = 0
        while shown < total:
            batches = await _poll(consumer, MAX_RECORDS, wait_s)
            if not batches:
                break
            for batch in batches:
                for record in batch.records:
                    tell(_line(record))
                shown += len(batch.records)
        tell(f"{total} dead letters in {dead}, {shown} shown")


def dead_name(topic: str) -> str:
    """The topic of the dead letters, whichever of the two is named."""
    return topic if topic.endswith(SUFFIX) else dead_topic(topic)


async def _poll(consumer: Consumer, count: int, wait_s: float) -> list[Batch]:
    with anyio.move_on_after(wait_s):
        return list(await consumer.poll(count))
    return []


async def _revive(log: Log, fallback: str, batch: Batch) -> None:
    """Append every record of the batch to its topic, and wait until all are durable."""
    entries = []
    for record in batch.records:
        topic, headers = original(record, fallback)
        entries.append(NewRecord(topic, record.key, record.value, headers))
    await append_all(log, entries)


def original(record: LogRecord, fallback: str) -> tuple[str, Headers]:
    """The topic and the headers that a dead letter had when it lived; without a word of it, the fallback topic."""
    told = dict(record.headers[: len(_DEAD_HEADERS)])
    topic = told.get("dead-topic", b"").decode(errors="replace") or fallback
    begin = 0
    while begin < min(len(record.headers), len(_DEAD_HEADERS)) and record.headers[begin][0] in _DEAD_HEADERS:
        begin += 1
    return topic, record.headers[begin:]


def _line(record: LogRecord) -> str:
    told = {name: value.decode(errors="replace") for name, value in record.headers[: len(_DEAD_HEADERS)]}
    when = datetime.fromtimestamp(record.timestamp / 1000, UTC).isoformat(timespec="seconds")
    whence = f"{told.get('dead-topic', '?')}/{told.get('dead-partition', '?')}@{told.get('dead-offset', '?')}"
    return f"{when} {whence} {record.key}: {told.get('dead-reason', 'no reason was given')}"
