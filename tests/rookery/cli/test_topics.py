"""`rookery topics apply` makes what is missing, changes what is safe, and tells the rest."""

from __future__ import annotations

import argparse
import time
import uuid
from pathlib import Path

import anyio
import pytest

from chat.adapters.kafka.topics import TopicAdmin
from chat.assembly import Engines
from chat.errors import Unavailable
from chat.settings import Address, Settings, SettingsError, parse_address
from rookery.cli import topics
from rookery.cli.operator import name_operator
from tests.support.patience import patient
from tests.support.servers import server_url
from tests.support.settings import make_settings

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.production,
    pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True),
]
APPLY = argparse.Namespace(raise_partitions=False, dry_run=False, json=False)
RAISE = argparse.Namespace(raise_partitions=True, dry_run=False, json=False)
LOOK = argparse.Namespace(raise_partitions=False, dry_run=True, json=False)


@pytest.fixture
def settings() -> Settings:
    prefix = f"test-{int(time.time())}-{uuid.uuid4().hex[:8]}."
    return make_settings(
        kafka=(parse_address(server_url("kafka")),), kafka_prefix=prefix, kafka_partitions=3, kafka_replication=1
    )


async def apply(settings: Settings, options: argparse.Namespace, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code, and what was said, without the prefix."""
    code = await topics.apply_topics(settings, options)
    return code, capsys.readouterr().out.replace(settings.kafka.prefix, "")


async def shown(administration: TopicAdmin, topic: str, setting: str, value: str) -> dict[str, str]:
    """A topic's own settings, once a change is among them: a broker takes a moment to learn of it."""
    with anyio.fail_after(patient(30)):
        while True:
            own, _ = await administration._describe_configs(topic)
            if own.get(setting) == value:
                return own
            await anyio.sleep(0.05)


async def test_what_it_changes_stands_in_the_audit_log(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = make_settings(settings, data=tmp_path)
    async with Engines.open(make_settings(data=tmp_path)) as engines:
        cases = (await engines.open_store()).cases
        for options in (LOOK, APPLY, APPLY):
            await apply(settings, options, capsys)
        (entry,) = await cases.list_audit_entries(None, 10)
        assert entry.by == name_operator()
        assert f"{settings.kafka.prefix}room-messages" in entry.reason


async def test_it_makes_them_once(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = await apply(settings, LOOK, capsys)
    assert code == 1
    assert "room-messages: is missing, 3 partitions, 1 replicas\n" in said
    code, said = await apply(settings, APPLY, capsys)
    assert code == 0
    assert "room-messages: made, 3 partitions, 1 replicas\n" in said
    assert "dm-messages.dead: made, 1 partitions, 1 replicas\n" in said
    code, said = await apply(settings, APPLY, capsys)
    assert code == 0
    assert said.count("as it should be") == 2 * len(topics.TOPICS)


async def test_settings_are_changed_and_what_is_not_ours_stays(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await apply(settings, APPLY, capsys)
    async with TopicAdmin.open(settings.kafka) as administration:
        room, *_ = topics.plan_topics(settings.kafka)
        room.configs["segment.ms"] = "3600000"
        await administration.apply_plans([room])
        await shown(administration, room.name, "segment.ms", "3600000")
    longer = make_settings(settings, kafka_retention_hours=200.0)
    code, said = await apply(longer, APPLY, capsys)
    assert code == 0
    assert "room-messages: retention.ms was 604800000, is now 720000000\n" in said
    async with TopicAdmin.open(settings.kafka) as administration:
        own = await shown(administration, room.name, "retention.ms", "720000000")
    assert own["segment.ms"] == "3600000"


async def test_partitions_are_raised_only_when_asked(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    await apply(settings, APPLY, capsys)
    more = make_settings(settings, kafka_partitions=5)
    code, said = await apply(more, APPLY, capsys)
    assert code == 1
    assert "room-messages: partitions is 3, should be 5; --raise-partitions adds them" in said
    code, said = await apply(more, RAISE, capsys)
    assert code == 0
    assert "room-messages: partitions was 3, is now 5\n" in said
    code, said = await apply(settings, RAISE, capsys)
    assert code == 1
    assert "Kafka cannot remove partitions" in said


async def test_what_cannot_be_is_told(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unavailable, match="replication factor"):
        await apply(make_settings(settings, kafka_replication=7), APPLY, capsys)
    await apply(settings, APPLY, capsys)
    code, said = await apply(make_settings(settings, kafka_replication=2, kafka_min_insync=1), APPLY, capsys)
    assert code == 1
    assert "room-messages: replication is 1, should be 2; move them" in said
    with pytest.raises(SettingsError, match="ROOKERY_KAFKA is not set"):
        await apply(make_settings(settings, kafka=()), APPLY, capsys)
    with pytest.raises(SettingsError, match="backend"):
        await apply(make_settings(settings, backend="trio"), APPLY, capsys)
    with pytest.raises(Unavailable, match="administer"):
        await apply(make_settings(settings, kafka=(Address("127.0.0.1", 9),)), APPLY, capsys)
