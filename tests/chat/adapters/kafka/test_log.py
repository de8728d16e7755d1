"""What the log on Kafka keeps beyond the contract: bounds, partitions, rebalances, errors, cancellation."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest
from aiokafka import AIOKafkaProducer
from anyio.lowlevel import checkpoint

from chat.adapters.kafka.batches import key_hash
from chat.adapters.kafka.connection import client_options
from chat.adapters.kafka.log import KafkaLog
from chat.adapters.kafka.topics import TopicAdmin, plan_topic
from chat.errors import Overloaded, TooLong, Unavailable
from chat.ports.log import Ack, Batch, Consumer
from chat.settings import Address, KafkaSettings
from tests.support.cancellation import each_suspension
from tests.support.kafka import KafkaSystem
from tests.support.logs import TOPICS
from tests.support.patience import patient
from tests.support.servers import server_url

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.production,
    pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True),
]
DEADLINE = 20.0


@pytest.fixture
def system() -> KafkaSystem:
    return KafkaSystem(server_url("kafka"), TOPICS)


def values(batches: Sequence[Batch]) -> list[int]:
    return [int(record.value) for batch in batches for record in batch.records]


async def fill(log: KafkaLog, numbers: range, *, keys: int = 1) -> None:
    for number in numbers[:-1]:
        log.produce("t", f"k{number % keys}", b"%d" % number, lambda error: None)
    await log.append("t", f"k{numbers[-1] % keys}", b"%d" % numbers[-1])


async def drain(consumer: Consumer, count: int) -> list[Batch]:
    batches: list[Batch] = []
    with anyio.fail_after(patient(DEADLINE)):
        while sum(len(batch.records) for batch in batches) < count:
            for batch in await consumer.poll(100):
                batches.append(batch)
                await consumer.commit(batch)
    return batches


class Acks:
    """Outcomes of records, each counted once."""

    def __init__(self) -> None:
        self.outcomes: dict[int, Exception | None] = {}

    def of(self, number: int) -> Ack:
        def ack(error: Exception | None) -> None:
            assert number not in self.outcomes
            self.outcomes[number] = error

        return ack


# Producing.


async def test_the_buffer_is_bounded_in_records_and_in_bytes(system: KafkaSystem) -> None:
    acks = Acks()
    async with system.open(buffer_records=10, buffer_bytes=1000) as log:
        for number in range(10):
            log.produce("t", "k", b"x", acks.of(number))
        with pytest.raises(Overloaded, match="slower"):
            log.produce("t", "k", b"x", acks.of(10))
        while len(acks.outcomes) < 10:
            await checkpoint()
        log.produce("t", "k", b"x" * 900, acks.of(11))
        with pytest.raises(Overloaded):
            log.produce("t", "k", b"x" * 200, acks.of(12))
        assert log.statistics().pending == 1
        assert log.statistics().pending_bytes == 901
    assert set(acks.outcomes) == {*range(10), 11}
    assert set(acks.outcomes.values()) == {None}


async def test_a_record_that_kafka_never_takes_is_refused(system: KafkaSystem) -> None:
    async with system.open() as log:
        with pytest.raises(TooLong):
            log.produce("t", "k", bytes(1_000_000), lambda error: None)
        assert log.statistics().pending == 0


async def test_a_topic_that_is_missing_says_what_to_do(system: KafkaSystem) -> None:
    async with system.open(delivery_seconds=1.0) as log:
        with pytest.raises(Unavailable, match=r"rookery topics apply|did not answer"):
            await log.append("nowhere", "k", b"x")
        with pytest.raises(Unavailable, match="nowhere: run `rookery topics apply`"):
            async with log.join_group("g", ["nowhere"]):
                pass
        await log.append("t", "k", b"x")  # and nothing else suffers
        assert log.statistics().pending == 0
        await log.check_health()


async def test_a_key_has_the_partition_that_kafkas_own_clients_choose(system: KafkaSystem) -> None:
    keys = [f"room:{number}" for number in range(50)] + ["ünïcode", ""]
    async with system.open(partitions=5) as log:
        for key in keys:
            await log.append("t", key, b"ours")
        options = client_options(system.settings, 5.0)
        async with AIOKafkaProducer(**options) as other:
            for key in keys:
                sent = await other.send_and_wait(system.prefix + "t", b"theirs", key=key.encode())
                assert sent.partition == key_hash(key) % 5
        homes: dict[str, set[int]] = {}
        async with log.join_group("g", ["t"]) as consumer:
            for batch in await drain(consumer, 2 * len(keys)):
                for record in batch.records:
                    homes.setdefault(record.key, set()).add(batch.partition)
    assert set(homes) == set(keys)
    assert all(len(home) == 1 for home in homes.values())


async def test_after_a_batch_that_kafka_refuses_the_next_ones_go_on(system: KafkaSystem) -> None:
    acks = Acks()
    async with system.open(partitions=2) as log, TopicAdmin.open(system.settings) as topics:
        narrow = plan_topic(
            system.prefix + "t", partitions=2, replication=1, min_insync=1, retention_hours=1, record_bytes=0
        )
        narrow.configs["max.message.bytes"] = "2000"
        await topics.apply_plans([narrow])
        await log.append("t", "k", b"0")
        log.produce("t", "k", bytes(5000), acks.of(1))
        for number in range(2, 30):
            log.produce("t", f"k{number}", b"%d" % number, acks.of(number))
        while len(acks.outcomes) < 29:
            await checkpoint()
        failed = {number for number, error in acks.outcomes.items() if error is not None}
        assert 1 in failed
        await fill(log, range(100, 110))
        assert log.statistics().replaced >= 1
        async with log.join_group("g", ["t"]) as consumer:
            came = values(await drain(consumer, 11 + 29 - len(failed)))
    assert sorted(came) == sorted({0, *range(100, 110), *(set(acks.outcomes) - failed)})


async def test_what_is_left_at_the_end_is_told_once(system: KafkaSystem) -> None:
    acks = Acks()
    async with system.open(close_s=0.0) as log:
        for number in range(20):
            log.produce("t", "k", b"x", acks.of(number))
    assert len(acks.outcomes) == 20
    with pytest.raises(Unavailable, match="closing"):
        log.produce("t", "k", b"x", acks.of(20))


async def test_leaving_while_cancelled_stores_what_was_taken(system: KafkaSystem) -> None:
    acks = Acks()
    with anyio.CancelScope() as scope:
        async with system.open() as log:
            for number in range(20):
                log.produce("t", "k", b"%d" % number, acks.of(number))
            scope.cancel()
    assert acks.outcomes == dict.fromkeys(range(20))
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        assert values(await drain(consumer, 20)) == list(range(20))


async def test_nobody_there_is_said_at_once() -> None:
    with pytest.raises(Unavailable, match="Kafka could not take a producer"):
        async with KafkaLog.open(KafkaSettings(brokers=(Address("127.0.0.1", 9),))):
            pass


# Consuming.


async def has_nothing(consumer: Consumer) -> bool:
    """Whether a poll waits."""
    with anyio.move_on_after(0.1):
        return not await consumer.poll(100)
    return True


async def test_what_is_not_finished_in_time_moves_and_what_stays_is_not_given_twice(system: KafkaSystem) -> None:
    async with system.open(partitions=2, hand_over_seconds=0.2) as log, log.join_group("g", ["t"]) as old:
        await fill(log, range(40), keys=20)
        in_hand: list[Batch] = []
        while len(in_hand) < 2:
            in_hand.extend(await old.poll(5))
        async with log.join_group("g", ["t"]) as new:
            with anyio.fail_after(patient(DEADLINE)):
                (again,) = await new.poll(5)
            assert again in in_hand  # its old owner had its time
            assert await has_nothing(old)  # the other partition came back, and its batch is still in hand
            for batch in in_hand:
                await old.commit(batch)  # of the partition that has moved, this does nothing
            assert await has_nothing(new)
            await new.commit(again)
            kept = [batch for batch in in_hand if batch.partition != again.partition]
            rest: list[Batch] = []
            with anyio.fail_after(patient(DEADLINE)):
                for consumer in (old, new):
                    rest.extend(await consumer.poll(100))
            for batch in rest:
                await (new if batch.partition == again.partition else old).commit(batch)
            assert sorted(values([*kept, again, *rest])) == list(range(40))
            assert await old.lag() == await new.lag() == 0
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        assert await has_nothing(consumer)


async def test_a_member_that_dies_without_a_word_is_replaced(system: KafkaSystem) -> None:
    async with system.open() as log:
        await fill(log, range(3))
        with anyio.CancelScope() as scope:
            async with log.join_group("g", ["t"]) as dies:
                await dies.poll(2)
                scope.cancel()
        async with log.join_group("g", ["t"]) as consumer:
            assert values(await drain(consumer, 3)) == [0, 1, 2]


async def test_lag_of_a_member_without_partitions_is_none(system: KafkaSystem) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as one:
        await fill(log, range(3))
        assert await one.lag() == 3
        async with log.join_group("g", ["t"]) as other:
            assert sorted([await one.lag(), await other.lag()]) == [0, 3]


async def test_a_foreign_record_comes_whole(system: KafkaSystem) -> None:
    async with system.open() as log:
        async with AIOKafkaProducer(**client_options(system.settings, 5.0)) as other:
            topic = system.prefix + "t"
            await other.send_and_wait(topic, None, key=b"\xff\x00")
            await other.send_and_wait(topic, b"v", headers=[("none", None)])
        async with log.join_group("g", ["t"]) as consumer:
            first, second = [record for batch in await drain(consumer, 2) for record in batch.records]
        assert first.value == b""
        assert (second.key, second.value, second.headers) == ("", b"v", (("none", b""),))
        await log.append("t", first.key, b"back")
        async with log.join_group("g", ["t"]) as consumer:
            (back,) = await drain(consumer, 1)
        assert back.records[0].key == first.key


async def test_two_tasks_cannot_poll_at_once(system: KafkaSystem) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as consumer, anyio.create_task_group() as tasks:
        tasks.start_soon(consumer.poll, 1)
        await checkpoint()
        with pytest.raises(anyio.BusyResourceError):
            await consumer.poll(1)
        tasks.cancel_scope.cancel()
    with pytest.raises(anyio.ClosedResourceError):
        await consumer.poll(1)


async def test_a_member_whose_driver_breaks_down_joins_again(system: KafkaSystem) -> None:
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        await fill(log, range(3))
        assert values(await drain(consumer, 3)) == [0, 1, 2]
        consumer._require_driver()._fetcher._fetch_task.cancel()
        with pytest.raises(Unavailable, match="joins again"), anyio.fail_after(patient(DEADLINE)):
            await consumer.poll(1)
        await fill(log, range(3, 6))
        assert values(await drain(consumer, 3)) == [3, 4, 5]


# Cancellation.


async def test_appending_may_be_cancelled_anywhere(system: KafkaSystem) -> None:
    number = 0
    async with system.open() as log:
        await log.append("t", "k", b"0")

        async def append() -> None:
            nonlocal number
            number += 1
            await log.append("t", "k", b"%d" % number)

        async for _ in each_suspension(append):
            assert log.statistics().failed == 0
        async with log.join_group("g", ["t"]) as consumer:
            assert values(await drain(consumer, number + 1)) == list(range(number + 1))


async def test_polling_and_committing_may_be_cancelled_anywhere(system: KafkaSystem) -> None:
    came: list[int] = []
    async with system.open() as log, log.join_group("g", ["t"]) as consumer:
        await fill(log, range(100))

        async def work() -> None:
            for batch in await consumer.poll(1):
                came.extend(values([batch]))
                await consumer.commit(batch)

        with anyio.fail_after(patient(DEADLINE)):
            async for _ in each_suspension(work):
                pass
            while len(came) < 100:
                await work()
        assert await consumer.lag() == 0
    assert came == list(range(100))


async def test_a_password_is_not_shown() -> None:
    settings = KafkaSettings(
        brokers=(Address("k", 9092),), security="sasl_ssl", username="rookery", password="very secret"
    )
    assert client_options(settings, 5.0)["sasl_plain_password"] == "very secret"
    assert "very secret" not in repr(settings)
