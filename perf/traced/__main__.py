"""A role that notes when a message passes: `python -m perf.traced FILE ROLE …`; used by `perf.rooms`.

FILE gets a line for each passage: the stage, the message's client id, and the monotonic clock in nanoseconds, which is
the same in all processes of a machine. Notes are kept in memory and written at the end.
"""

from __future__ import annotations

import atexit
import re
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from chat.adapters.kafka.consumer import KafkaConsumer
from chat.adapters.kafka.log import KafkaLog
from chat.adapters.mongo.history import MongoHistory
from chat.adapters.redis.listener import RedisListener
from rookery.cli.main import main as run

_ID = re.compile(rb'"client_id":"([^"]+)"')
_notes: list[tuple[str, bytes, int]] = []


def note(stage: str, texts: Iterable[bytes | None]) -> None:
    """The messages in these texts pass the stage now."""
    now = time.monotonic_ns()
    found = (_ID.search(text) for text in texts if text)
    _notes.extend((stage, each[1], now) for each in found if each)


def after(owner: type[Any], method: str, look: Callable[..., None]) -> None:
    """Call `look` with the result, and the arguments, after each call of a coroutine function."""
    original = getattr(owner, method)

    async def wrapped(self: Any, *arguments: Any) -> Any:
        result = await original(self, *arguments)
        look(result, *arguments)
        return result

    setattr(owner, method, wrapped)


def trace_produce() -> None:
    """Note what goes into the log, and when that acknowledges it."""
    original: Any = KafkaLog.produce

    def produce(self: Any, topic: str, key: str, value: bytes, ack: Any, *rest: Any) -> None:
        def acknowledged(error: Exception | None) -> None:
            note("acknowledged", [value])
            ack(error)

        note("edge", [value])
        original(self, topic, key, value, acknowledged, *rest)

    KafkaLog.produce = produce  # type: ignore[method-assign,assignment]


def polled(batches: Any, *_: object) -> None:
    """The worker has these batches."""
    note("polled", (record.value for batch in batches for record in batch.records))


def stored(_outcomes: object, messages: Any, *_: object) -> None:
    """These messages are history."""
    now = time.monotonic_ns()
    _notes.extend([("stored", message.client_id.encode(), now) for message in messages])


def received(deliveries: Any, *_: object) -> None:
    """An edge has these deliveries."""
    note("received", (delivery.payload for delivery in deliveries))


def main() -> None:
    """Trace, and be the role."""
    file = Path(sys.argv.pop(1))
    atexit.register(lambda: file.write_text("".join(f"{stage} {key.decode()} {when}\n" for stage, key, when in _notes)))
    trace_produce()
    after(KafkaConsumer, "poll", polled)
    after(MongoHistory, "apply_batch", stored)
    after(RedisListener, "receive", received)
    sys.exit(run())


main()
