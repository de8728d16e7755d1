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
    """Replay the dead letters of this moment. After an interruption, some may be put back twice; workers drop those."""
    if settings.kafka.brokers:
        check_backend(settings)
    async with Engines.open(settings) as engines:
        log = await engines.open_log()
        if options.dry_run:
            await show_dead_letters(log, options.topic)
            return 0
        count, left = await replay_topic(log, options.topic)
    print(f"{count} dead letters replayed" + (f", {left} could not be read" if left else ""), file=sys.stderr)
    return 1 if left else 0


async def replay_topic(log: Log, topic: str, *, idle_s: float = IDLE_SECONDS) -> tuple[int, int]:
    """Put all dead letters back, in their order, with their original headers; how many, and how many are left.

    A record that fails again meanwhile is not replayed again. A dead letter is committed after its record is durable
    in its topic. Raises `Unavailable`; the next call replays what was not committed.
    """
    dead = dead_name(topic)
    count = 0
    async with log.join_group(GROUP, [dead]) as consumer:
        left = await consumer.lag()
        while left > 0:
            batches = await _poll_batches(consumer, min(left, MAX_RECORDS), idle_s)
            if not batches:
                break
            for batch in batches:
                await _append_originals(log, dead.removesuffix(SUFFIX), batch)
                await consumer.commit(batch)
                count += len(batch.records)
                left -= len(batch.records)
    return count, left


async def show_dead_letters(
    log: Log, topic: str, *, tell: Callable[[str], None] = print, wait_s: float = LOOK_SECONDS
) -> None:
    """Show when and why each was written, and where it comes from; never its text."""
    dead = dead_name(topic)
    async with log.join_group(GROUP, [dead]) as consumer:
        total = await consumer.lag()
        shown = 0
        while shown < total:
            batches = await _poll_batches(consumer, MAX_RECORDS, wait_s)
            if not batches:
                break
            for batch in batches:
                for record in batch.records:
                    tell(_format_letter(record))
                shown += len(batch.records)
        tell(f"{total} dead letters in {dead}, {shown} shown")


def dead_name(topic: str) -> str:
    """The topic of the dead letters of a topic; either of the two may be given."""
    return topic if topic.endswith(SUFFIX) else dead_topic(topic)


async def _poll_batches(consumer: Consumer, count: int, wait_s: float) -> list[Batch]:
    with anyio.move_on_after(wait_s):
        return list(await consumer.poll(count))
    return []


async def _append_originals(log: Log, fallback: str, batch: Batch) -> None:
    """Append every record of the batch to its topic, and wait until all are durable."""
    entries = []
    for record in batch.records:
        topic, headers = read_original(record, fallback)
        entries.append(NewRecord(topic, record.key, record.value, headers))
    await append_all(log, entries)


def read_original(record: LogRecord, fallback: str) -> tuple[str, Headers]:
    """The topic and the headers that the record had; the fallback topic if the dead letter does not say."""
    told = dict(record.headers[: len(_DEAD_HEADERS)])
    topic = told.get("dead-topic", b"").decode(errors="replace") or fallback
    begin = 0
    while begin < min(len(record.headers), len(_DEAD_HEADERS)) and record.headers[begin][0] in _DEAD_HEADERS:
        begin += 1
    return topic, record.headers[begin:]


def _format_letter(record: LogRecord) -> str:
    told = {name: value.decode(errors="replace") for name, value in record.headers[: len(_DEAD_HEADERS)]}
    when = datetime.fromtimestamp(record.timestamp / 1000, UTC).isoformat(timespec="seconds")
    origin = f"{told.get('dead-topic', '?')}/{told.get('dead-partition', '?')}@{told.get('dead-offset', '?')}"
    return f"{when} {origin} {record.key}: {told.get('dead-reason', 'no reason was given')}"
