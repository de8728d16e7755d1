"""The log on Kafka while its broker is killed, paused and started again. The broker is the tests' own."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import anyio
import pytest

from chat.adapters.kafka.log import KafkaLog
from chat.errors import Overloaded, Unavailable
from tests.support.kafka import Broker, KafkaSystem
from tests.support.logs import TOPICS
from tests.support.patience import patient

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.production,
    pytest.mark.slow,
    pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True),
]
DEADLINE = 120.0
T = TypeVar("T")
KEYS = 8
PACE_SECONDS = 0.005


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker
    broker.stop()


class Sender:
    """Sends numbers at a steady pace, each to the next key, and keeps what was said of them."""

    def __init__(self, log: KafkaLog) -> None:
        self._log = log
        self.sent = 0
        self.refused = 0
        self.acked: set[int] = set()
        self.failed: set[int] = set()

    async def run(self) -> None:
        while True:
            self.send()
            await anyio.sleep(PACE_SECONDS)

    def send(self, padding: int = 0) -> None:
        number = self.sent
        try:
            self._log.produce("t", f"k{number % KEYS}", b"%d%s" % (number, b" " * padding), self._ack(number))
        except Overloaded:
            self.refused += 1
        else:
            self.sent += 1

    def _ack(self, number: int) -> Callable[[Exception | None], None]:
        def ack(error: Exception | None) -> None:
            assert number not in self.acked | self.failed
            assert error is None or isinstance(error, Unavailable)
            (self.acked if error is None else self.failed).add(number)

        return ack

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        with anyio.fail_after(patient(DEADLINE)):
            while not condition():  # noqa: ASYNC110 - processes outside tell nobody
                await anyio.sleep(PACE_SECONDS)


class Receiver:
    """Consumes, commits, and keeps the numbers of each key in the order in which they came."""

    def __init__(self, log: KafkaLog) -> None:
        self._log = log
        self.came: dict[str, list[int]] = {}
        self.count = 0

    async def run(self) -> None:
        async with self._log.join_group("g", ["t"]) as consumer:
            while True:
                for batch in await patiently(consumer.poll, 50):
                    for record in batch.records:
                        self.came.setdefault(record.key, []).append(int(record.value))
                        self.count += 1
                    # One that is given up here would stay in hand, and its partition stand still.
                    await patiently(consumer.commit, batch)

    def check_order(self) -> None:
        """What came the first time came in order; a batch may come again after a crash."""
        for numbers in self.came.values():
            first_times = list(dict.fromkeys(numbers))
            assert first_times == sorted(first_times)

    @property
    def numbers(self) -> set[int]:
        return {number for numbers in self.came.values() for number in numbers}


async def patiently(call: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    """Its result, once the broker is there again."""
    while True:
        try:
            return await call(*arguments)
        except Unavailable:
            await anyio.sleep(0.1)


async def in_thread(call: Callable[[], object]) -> None:
    await anyio.to_thread.run_sync(call)


async def test_a_broker_that_is_killed_and_started_again_loses_nothing_that_was_acknowledged(broker: Broker) -> None:
    system = KafkaSystem(broker.start(), TOPICS)
    async with system.open(partitions=3, delivery_seconds=60.0) as log, anyio.create_task_group() as tasks:
        sender, receiver = Sender(log), Receiver(log)
        tasks.start_soon(sender.run)
        tasks.start_soon(receiver.run)
        for _ in range(2):
            before = len(sender.acked)
            await sender.wait_until(lambda before=before: len(sender.acked) > before + 200)  # type: ignore[misc]
            broker.kill()
            killed_at = sender.sent
            await sender.wait_until(lambda killed_at=killed_at: sender.sent > killed_at + 100)  # type: ignore[misc]
            await in_thread(broker.start)
        before = len(sender.acked)
        await sender.wait_until(lambda: len(sender.acked) > before + 200)
        total = sender.sent
        await sender.wait_until(lambda: set(range(total)) <= sender.acked <= receiver.numbers)
        tasks.cancel_scope.cancel()
    assert sender.failed == set()
    receiver.check_order()
    # And the log has each exactly once.
    async with system.open() as log, log.join_group("again", ["t"]) as consumer:
        again: list[int] = []
        with anyio.fail_after(patient(DEADLINE)):
            while len(again) < sender.sent:
                for batch in await consumer.poll(500):
                    again.extend(int(record.value) for record in batch.records)
                    await consumer.commit(batch)
        assert await consumer.lag() == 0
    assert sorted(again) == list(range(sender.sent))


async def test_while_the_broker_is_away_memory_is_bounded_and_senders_are_told(broker: Broker) -> None:
    bound = 100_000
    system = KafkaSystem(broker.start(), TOPICS)
    async with system.open(partitions=3, buffer_bytes=bound, batch_bytes=10_000, delivery_seconds=2.0) as log:
        sender = Sender(log)
        sender.send()
        await sender.wait_until(lambda: len(sender.acked) == 1)
        broker.kill()
        while not sender.refused:
            sender.send(padding=1000)
        full = sender.sent
        assert log.statistics().pending_bytes <= bound
        await sender.wait_until(lambda: len(sender.failed) == full - 1)  # everyone was told
        sender.send(padding=1000)  # and there is room again, but for what may have been under way
        assert sender.sent == full + 1
        assert log.statistics().pending_bytes <= bound
        await in_thread(broker.start)
        sender.send()
        await sender.wait_until(lambda: sender.sent - 1 in sender.acked)
        assert log.statistics().pending_bytes == 0


async def test_a_paused_broker_delays_and_leaving_does_not_wait_for_it(broker: Broker) -> None:
    system = KafkaSystem(broker.start(), TOPICS)
    async with system.open(close_s=0.5) as log:
        sender = Sender(log)
        sender.send()
        await sender.wait_until(lambda: len(sender.acked) == 1)
        with anyio.fail_after(patient(DEADLINE)):
            async with log.join_group("g", ["t"]) as consumer:
                await consumer.poll(1)
                broker.kill(signal.SIGSTOP)
                sender.send()
                with pytest.raises(Unavailable):
                    await consumer.lag()
    try:
        assert sender.acked == {0}
        assert sender.failed == {1}
    finally:
        broker.kill(signal.SIGCONT)


async def test_three_members_go_on_after_the_broker_was_away(broker: Broker) -> None:
    system = KafkaSystem(broker.start(), TOPICS)
    async with system.open(partitions=6, delivery_seconds=60.0) as log, anyio.create_task_group() as tasks:
        sender = Sender(log)
        receivers = [Receiver(log) for _ in range(3)]
        for receiver in receivers:
            tasks.start_soon(receiver.run)
        tasks.start_soon(sender.run)
        await sender.wait_until(lambda: all(receiver.count > 20 for receiver in receivers))
        broker.kill()
        await in_thread(broker.start)
        counts = [receiver.count for receiver in receivers]
        await sender.wait_until(lambda: sum(receiver.count for receiver in receivers) > sum(counts) + 200)
        total = sender.sent
        await sender.wait_until(
            lambda: set(range(total)) <= set().union(*(receiver.numbers for receiver in receivers)),
        )
        tasks.cancel_scope.cancel()
    for receiver in receivers:
        receiver.check_order()
