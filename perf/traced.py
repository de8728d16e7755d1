"""A role that notes when a message passes: `python -m perf.traced FILE ROLE …`; used by `perf.rooms`.

FILE gets a line for each passage: the stage, the message's client id, and the monotonic clock in nanoseconds, which is
the same in all processes of a machine. Notes are kept in memory and written at the end.
"""

from __future__ import annotations

import atexit
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_ID = re.compile(rb'"client_id":"([^"]+)"')
_notes: list[tuple[str, bytes, int]] = []


def note(stage: str, text: bytes) -> None:
    """The message in this text passes the stage now."""
    found = _ID.search(text)
    if found:
        _notes.append((stage, found[1], time.monotonic_ns()))


def before(owner: type[Any], method: str, look: Callable[..., None]) -> None:
    """Call `look` with the arguments before each call."""
    original = getattr(owner, method)

    def wrapped(self: Any, *arguments: Any, **named: Any) -> Any:
        look(*arguments)
        return original(self, *arguments, **named)

    setattr(owner, method, wrapped)


def after(owner: type[Any], method: str, look: Callable[..., None]) -> None:
    """Call `look` with the result, and the arguments, after each call of a coroutine function."""
    original = getattr(owner, method)

    async def wrapped(self: Any, *arguments: Any, **named: Any) -> Any:
        result = await original(self, *arguments, **named)
        look(result, *arguments)
        return result

    setattr(owner, method, wrapped)


def trace_roles() -> None:
    """Wrap the adapters' calls that a message passes."""
    from chat.adapters.kafka_consumer import Member
    from chat.adapters.kafka_log import KafkaLog
    from chat.adapters.mongo_history import MongoHistory
    from chat.adapters.redis_listener import RedisListener
    from chat.adapters.redis_relay import RedisRelay

    produce: Any = KafkaLog.produce

    def produced(self: Any, topic: str, key: str, value: bytes, ack: Any, *rest: Any) -> None:
        note("edge", value)

        def acknowledged(error: Exception | None) -> None:
            note("acknowledged", value)
            ack(error)

        produce(self, topic, key, value, acknowledged, *rest)

    KafkaLog.produce = produced  # type: ignore[method-assign]

    def polled(batches: Sequence[Any]) -> None:
        for batch in batches:
            for record in batch.records:
                note("polled", record.value)

    def stored(_outcomes: object, messages: Sequence[Any], *_: object) -> None:
        for message in messages:
            _notes.append(("stored", message.client_id.encode(), time.monotonic_ns()))

    def published(_: object, publications: Sequence[Any]) -> None:
        for publication in publications:
            note("published", publication.payload)

    def received(deliveries: Sequence[Any]) -> None:
        for delivery in deliveries:
            if delivery.payload:
                note("received", delivery.payload)

    after(Member, "poll", lambda result, *_: polled(result))
    after(MongoHistory, "apply", stored)
    after(RedisRelay, "publish", published)
    after(RedisListener, "receive", lambda result, *_: received(result))


def main() -> None:
    """Trace, and be the role."""
    file = Path(sys.argv.pop(1))

    def write() -> None:
        file.write_text("".join(f"{stage} {key.decode()} {when}\n" for stage, key, when in _notes))

    atexit.register(write)
    trace_roles()
    from rookery.cli.main import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
