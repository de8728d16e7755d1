"""Topics are applied when the call returns, although brokers learn of changes later."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest

from chat.adapters.kafka.topics import TopicAdmin, TopicPlan, plan_topic

pytestmark = pytest.mark.anyio

BEHIND = 3


class LateBroker:
    """An administration's client, as aiokafka has it, of a broker that shows each change only to the fourth look.

    The controller knows all changes at once.
    """

    def __init__(self) -> None:
        self.topics: dict[str, dict[str, Any]] = {}
        self._seen: list[dict[str, dict[str, Any]]] = [{}] * (BEHIND + 1)

    def _look(self) -> dict[str, dict[str, Any]]:
        self._seen = [*self._seen[1:], deepcopy(self.topics)]
        return self._seen[0]

    async def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        seen = self._look()
        replicas = {"replicas": [1]}
        return [
            {"error_code": 0, "topic": name, "partitions": [replicas] * seen[name]["partitions"]}
            if name in seen
            else {"error_code": 3, "topic": name, "partitions": []}
            for name in names
        ]

    async def create_topics(self, new: list[Any]) -> Any:
        (topic,) = new
        if topic.name in self.topics:
            return SimpleNamespace(topic_errors=[(topic.name, 36, "exists")])
        self.topics[topic.name] = {"partitions": topic.num_partitions, "configs": dict(topic.topic_configs)}
        return SimpleNamespace(topic_errors=[(topic.name, 0, None)])

    async def create_partitions(self, wanted: dict[str, Any]) -> None:
        for name, new in wanted.items():
            self.topics[name]["partitions"] = new.total_count

    async def describe_configs(self, resources: list[Any]) -> list[Any]:
        (resource,) = resources
        configs = self._seen[0][resource.name]["configs"]
        entries = [(name, value, False, 1) for name, value in configs.items()]
        return [SimpleNamespace(resources=[(0, None, 2, resource.name, entries)])]

    async def alter_configs(self, resources: list[Any]) -> list[Any]:
        (resource,) = resources
        self.topics[resource.name]["configs"] = dict(resource.configs)
        return [SimpleNamespace(resources=[(0, None, 2, resource.name)])]


def plan(partitions: int = 3, hours: float = 1) -> TopicPlan:
    return plan_topic("t", partitions=partitions, replication=1, min_insync=1, retention_hours=hours, record_bytes=0)


async def test_a_topic_that_was_made_is_there_for_whoever_looks_next() -> None:
    admin = TopicAdmin(LateBroker())
    assert [each.done for each in await admin.apply_plans([plan()])] == [True]
    assert await admin.apply_plans([plan()]) == []


async def test_settings_and_partitions_that_were_changed_are_there_too() -> None:
    broker = LateBroker()
    admin = TopicAdmin(broker)
    await admin.apply_plans([plan()])
    changed = await admin.apply_plans([plan(5, hours=2)], raise_partitions=True)
    assert [(each.what, each.done) for each in changed] == [("partitions", True), ("retention.ms", True)]
    assert await admin.apply_plans([plan(5, hours=2)]) == []
    assert await admin.apply_plans([plan(5, hours=1)], dry_run=True) != []
    assert broker.topics["t"]["configs"]["retention.ms"] == "7200000"
