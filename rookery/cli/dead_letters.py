"""`rookery dead-letters replay TOPIC`: puts dead letters back into the topic that they came from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import anyio

from chat.assembly import Engines
from chat.domain.audit_notes import NoteCode, make_note
from chat.ports.cases import Cases
from chat.ports.log import Batch, Consumer, Log, LogRecord
from chat.settings import Settings, SettingsError
from rookery.cli.operator import note_action, print_json
from rookery.cli.topics import TOPICS, check_backend
from workers.appending import NewRecord, append_all
from workers.dead_letters import SUFFIX, dead_topic

GROUP = "dead-letters"
MAX_RECORDS = 500
IDLE_SECONDS = 10.0
LOOK_SECONDS = 2.0
_DEAD_HEADERS = ("dead-reason", "dead-topic", "dead-partition", "dead-offset")

Headers = tuple[tuple[str, bytes], ...]


async def replay_dead_letters(settings: Settings, options: argparse.Namespace) -> int:
    """Replay the dead letters of this moment. After an interruption, some may be put back twice; workers drop those.

    Raises `SettingsError` for a topic that is none of ours.
    """
    if settings.kafka.brokers:
        check_backend(settings)
    dead = dead_name(options.topic)
    if dead.removesuffix(SUFFIX) not in TOPICS:
        raise SettingsError(f"there is no topic {options.topic}; the topics are {', '.join(sorted(TOPICS))}")
    async with Engines.open(settings) as engines:
        store, log = await engines.open_store(), await engines.open_log()
        if options.dry_run:
            total, letters = await read_dead_letters(log, options.topic)
            if options.json:
                print_json(
                    {"topic": dead, "dead_letters": total, "shown": [_describe_letter(each) for each in letters]}
                )
            else:
                show_dead_letters(dead, total, letters)
            return 0
        count, left = await replay_topic(log, options.topic)
        await _note_replay(store.cases, dead, count)
    if options.json:
        print_json({"topic": dead, "replayed": count, "left": left})
    else:
        print(f"{count} dead letters replayed" + (f", {left} could not be read" if left else ""), file=sys.stderr)
    return 1 if left else 0


async def _note_replay(cases: Cases, dead: str, count: int) -> None:
    """What changes something stands in the audit log."""
    if count:
        await note_action(cases, make_note(NoteCode.DEAD_LETTERS_REPLAYED, count=count, topic=dead))


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


async def read_dead_letters(log: Log, topic: str, *, wait_s: float = LOOK_SECONDS) -> tuple[int, list[LogRecord]]:
    """How many dead letters there are, and at most 500 of a partition."""
    found: list[LogRecord] = []
    async with log.join_group(GROUP, [dead_name(topic)]) as consumer:
        total = await consumer.lag()
        while len(found) < total:
            batches = await _poll_batches(consumer, MAX_RECORDS, wait_s)
            if not batches:
                break
            found += [record for batch in batches for record in batch.records]
    return total, found


def show_dead_letters(dead: str, total: int, letters: Sequence[LogRecord], tell: Callable[[str], None] = print) -> None:
    """Show when and why each was written, and where it comes from; never its text."""
    for record in letters:
        tell(_format_letter(record))
    tell(f"{total} dead letters in {dead}, {len(letters)} shown")


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


def _describe_letter(record: LogRecord) -> dict[str, str]:
    told = {name: value.decode(errors="replace") for name, value in record.headers[: len(_DEAD_HEADERS)]}
    return {
        "at": datetime.fromtimestamp(record.timestamp / 1000, UTC).isoformat(timespec="seconds"),
        "topic": told.get("dead-topic", "?"),
        "partition": told.get("dead-partition", "?"),
        "offset": told.get("dead-offset", "?"),
        "key": record.key,
        "reason": told.get("dead-reason", "no reason was given"),
    }


def _format_letter(record: LogRecord) -> str:
    letter = _describe_letter(record)
    origin = f"{letter['topic']}/{letter['partition']}@{letter['offset']}"
    return f"{letter['at']} {origin} {letter['key']}: {letter['reason']}"
