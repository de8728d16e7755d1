"""Topics as they should be, and what it takes to make Kafka's so.

Rule 1: a topic that is missing is made; one that is there is compared.
Rule 2: what affects the records of a topic happens only when it is asked for. More partitions give keys other
partitions, so `raise_partitions` asks for that. Fewer partitions, or other replicas, are only reported.
Rule 3: settings of a topic that are not ours stay as they are.
Rule 4: what was changed is seen when the call returns. A broker learns of a change some time after the controller has
  answered; without the wait, whoever looks next finds the old state and takes it for a difference.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code
from msgspec import Struct

from chat.adapters.kafka.connection import client_options, quieten_driver_logs, translated_errors
from chat.concurrency import Backoff
from chat.errors import Unavailable
from chat.settings import KafkaSettings

REQUEST_SECONDS = 10.0
CALL_SECONDS = 30.0
_LOOK_AGAIN = Backoff(base=0.02, cap=0.5, jitter=0.5)
_TOPIC_SOURCE = 1  # Kafka's DYNAMIC_TOPIC_CONFIG: the topic's own, not a default
_EXISTS = 36
_UNKNOWN = 3


class TopicPlan(Struct, frozen=True, kw_only=True):
    """A topic: its name in Kafka, its numbers, and those of its settings that are ours."""

    name: str
    partitions: int
    replication: int
    configs: dict[str, str]


class Difference(Struct, frozen=True):
    """What a topic has, and what it should have. `done`: it was changed; else `remedy` says what to do."""

    topic: str
    what: str
    has: str
    wanted: str
    done: bool = False
    remedy: str = ""


def plan_topic(
    name: str, *, partitions: int, replication: int, min_insync: int, retention_hours: float, record_bytes: int
) -> TopicPlan:
    """A topic of the log. `record_bytes` bounds a batch; the log's own time stamps do not depend on senders' clocks."""
    return TopicPlan(
        name=name,
        partitions=partitions,
        replication=replication,
        configs={
            "cleanup.policy": "delete",
            "retention.ms": str(int(retention_hours * 3_600_000)),
            "min.insync.replicas": str(max(1, min(min_insync, replication))),
            "max.message.bytes": str(max(1_048_588, record_bytes + 1024)),
            "message.timestamp.type": "LogAppendTime",
            "unclean.leader.election.enable": "false",
        },
    )


class TopicAdmin:
    """The administration of topics; made by `TopicAdmin.open`. Its methods raise `Unavailable`."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: KafkaSettings) -> AsyncIterator[TopicAdmin]:
        """Connect. Raises `Unavailable` when no broker answers."""
        quieten_driver_logs()
        admin = AIOKafkaAdminClient(**client_options(settings, REQUEST_SECONDS))
        try:
            async with translated_errors("administer its topics", CALL_SECONDS):
                await admin.start()
            yield cls(admin)
        finally:
            await admin.close()

    async def list_names(self) -> list[str]:
        """The names of all topics."""
        async with translated_errors("list its topics", CALL_SECONDS):
            found: list[str] = await self._admin.list_topics()
        return found

    async def apply_plans(
        self, wanted: Sequence[TopicPlan], *, raise_partitions: bool = False, dry_run: bool = False
    ) -> list[Difference]:
        """Make the topics as they should be; what differed, in the order of the plans.

        `raise_partitions`: where there are fewer partitions than wanted, add the others. `dry_run`: change nothing.
        """
        async with translated_errors("apply its topics", CALL_SECONDS):
            found = await self._apply_differences(wanted, raise_partitions, dry_run)
            await self._await_changes(wanted, [each for each in found if each.done])  # rule 4
        return found

    async def _apply_differences(
        self, wanted: Sequence[TopicPlan], raise_partitions: bool, dry_run: bool
    ) -> list[Difference]:
        there = await self._describe_topics([topic.name for topic in wanted])
        found: list[Difference] = []
        for topic in wanted:
            known = there.get(topic.name)
            if known is None:  # rule 1
                found.append(await self._create_topic(topic, dry_run))
                continue
            found += await self._apply_numbers(topic, known, raise_partitions, dry_run)
            found += await self._apply_configs(topic, dry_run)
        return found

    async def _await_changes(self, wanted: Sequence[TopicPlan], done: Sequence[Difference]) -> None:
        """Until none of these differences is seen any more."""
        changed = {(each.topic, each.what) for each in done}
        plans = [topic for topic in wanted if topic.name in {name for name, _ in changed}]
        delays = _LOOK_AGAIN.delays()
        while changed:
            left = await self._apply_differences(plans, raise_partitions=False, dry_run=True)
            changed &= {(each.topic, each.what) for each in left}
            if changed:
                await anyio.sleep(delays.next_delay())

    async def delete_topics(self, names: Sequence[str]) -> None:
        """Delete topics, with all that is in them."""
        async with translated_errors("delete topics", CALL_SECONDS):
            await self._admin.delete_topics(list(names))

    async def _describe_topics(self, names: Sequence[str]) -> dict[str, list[Any]]:
        """Topic → its partitions, for the topics that exist."""
        described = await self._admin.describe_topics(list(names))
        for topic in described:
            if topic["error_code"] not in (0, _UNKNOWN):
                raise for_code(topic["error_code"])(topic["topic"])
        return {topic["topic"]: topic["partitions"] for topic in described if topic["error_code"] == 0}

    async def _create_topic(self, topic: TopicPlan, dry_run: bool) -> Difference:
        difference = Difference(topic.name, "topic", "none", _show_numbers(topic.partitions, topic.replication))
        if dry_run:
            return difference
        new = NewTopic(topic.name, topic.partitions, topic.replication, topic_configs=topic.configs)
        answer = await self._admin.create_topics([new])
        (_, code, why) = answer.topic_errors[0]
        if code not in (0, _EXISTS):
            raise Unavailable(f"Kafka could not create the topic {topic.name}: {why}")
        return Difference(difference.topic, difference.what, difference.has, difference.wanted, done=code == 0)

    async def _apply_numbers(
        self, topic: TopicPlan, partitions: Sequence[Any], raise_partitions: bool, dry_run: bool
    ) -> list[Difference]:
        found = []
        count = len(partitions)
        if count != topic.partitions:
            remedy, done = "Kafka cannot remove partitions: set ROOKERY_KAFKA_PARTITIONS to what there is", False
            if count < topic.partitions:  # rule 2
                remedy = "--raise-partitions adds them; conversations change their partition then, so drain first"
                if raise_partitions and not dry_run:
                    await self._admin.create_partitions({topic.name: NewPartitions(topic.partitions)})
                    done = True
            found.append(Difference(topic.name, "partitions", str(count), str(topic.partitions), done, remedy))
        replicas = min((len(partition["replicas"]) for partition in partitions), default=0)
        if replicas != topic.replication:
            remedy = "move them with Kafka's kafka-reassign-partitions"
            found.append(Difference(topic.name, "replication", str(replicas), str(topic.replication), remedy=remedy))
        return found

    async def _apply_configs(self, topic: TopicPlan, dry_run: bool) -> list[Difference]:
        own, effective = await self._describe_configs(topic.name)
        differing = {name: value for name, value in topic.configs.items() if effective.get(name) != value}
        if differing and not dry_run:
            # This request replaces all of a topic's own settings: name them all (rule 3).
            resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, {**own, **topic.configs})
            (answer,) = await self._admin.alter_configs([resource])
            code, why, *_ = answer.resources[0]
            if code:
                raise Unavailable(f"Kafka could not change the settings of {topic.name}: {why}")
        return [
            Difference(topic.name, name, effective.get(name, "none"), value, done=not dry_run)
            for name, value in differing.items()
        ]

    async def _describe_configs(self, name: str) -> tuple[dict[str, str], dict[str, str]]:
        """The settings that are the topic's own, and all that are in effect."""
        (answer,) = await self._admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        code, why, _, _, entries = answer.resources[0]
        if code:
            raise Unavailable(f"Kafka could not read the settings of {name}: {why}")
        effective = {entry[0]: entry[1] or "" for entry in entries}
        own = {entry[0]: entry[1] or "" for entry in entries if entry[3] == _TOPIC_SOURCE}
        return own, effective


def _show_numbers(partitions: int, replication: int) -> str:
    return f"{partitions} partitions, {replication} replicas"
