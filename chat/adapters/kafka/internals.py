"""What we use of aiokafka that it does not offer in public: all of it stands here, each with its reason.

Everything else goes through its public classes, of which `AIOKafkaProducer.client` is one (`AIOKafkaClient`).
`tests/chat/adapters/kafka/test_internals.py` fails when the driver's own code for these parts changes, and
`require_known_driver` refuses another series of versions at the start: what holds for 0.14 has to be read again.
"""

from __future__ import annotations

import aiokafka
import anyio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from chat.settings import SettingsError

KNOWN_SERIES = "0.14."
LEAVE_SECONDS = 5.0
REQUEST_SECONDS = 5.0
DISCONNECT_SECONDS = 2.0


def require_known_driver(version: str = aiokafka.__version__) -> None:
    """Raises `SettingsError` for a version of aiokafka whose inner parts nobody has looked at."""
    if not version.startswith(KNOWN_SERIES):
        raise SettingsError(f"aiokafka {version} is installed, but Rookery needs {KNOWN_SERIES}x: install that version")


async def abandon_producer(kafka: AIOKafkaProducer) -> None:
    """Close a producer that has started, without waiting for its batches.

    `stop()` first waits for every batch, and an idempotent producer sends a batch again until Kafka takes it: while
    Kafka is away, that never ends. Closing `kafka.client` alone does not help, for the sender connects again; it could
    even deliver an old batch behind those of the producer that has taken over. So the sender's task is ended first, and
    `_closed` is set, which tells `stop()`, and the warning about producers that were forgotten, that this is done.
    """
    kafka._closed = True
    with anyio.move_on_after(REQUEST_SECONDS, shield=True):
        await kafka._sender.close()
    with anyio.move_on_after(DISCONNECT_SECONDS, shield=True):
        await kafka.client.close()


async def leave_group(kafka: AIOKafkaConsumer) -> None:
    """Leave the group and close the consumer; if Kafka does not let it go in time, without saying so.

    `stop()` waits for answers of the group's coordinator, of which each may take as long as a whole rebalance. It
    cannot be called twice, so what an interrupted one has left running is ended here part by part.
    """
    with anyio.move_on_after(LEAVE_SECONDS, shield=True) as scope:
        await kafka.stop()
    if not scope.cancelled_caught:
        return
    with anyio.move_on_after(DISCONNECT_SECONDS, shield=True):
        if kafka._coordinator is not None:
            await kafka._coordinator._stop_heartbeat_task()
            await kafka._coordinator._stop_commit_offsets_refresh_task()
        if kafka._fetcher is not None:
            await kafka._fetcher.close()
        await kafka._client.close()


def has_stopped_fetching(kafka: AIOKafkaConsumer) -> bool:
    """Whether the task that fetches has ended, after which `getmany` gives nothing for ever, without an error.

    `last_poll_timestamp`, which is public, does not change then. But it does not change either while a partition has no
    leader, and to join again on a wrong guess would cost the whole group a rebalance.
    """
    return bool(kafka._fetcher.error_future.done())
