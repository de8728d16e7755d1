"""`rookery topics apply`: makes Kafka's topics as the settings say, and prints what differed."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chat.assembly import require_drivers
from chat.domain.audit_notes import NoteCode, make_note
from chat.settings import KafkaSettings, Settings, SettingsError
from chat.wire.account_mails import ACCOUNT_MAIL_TOPIC
from chat.wire.notices import NOTIFICATION_TOPIC
from chat.wire.records import DM_TOPIC, ROOM_TOPIC
from chat.wire.verdicts import VERDICT_TOPIC
from chat.wire.webhooks import WEBHOOK_TOPIC
from rookery.cli.operator import note_beside_store, print_json
from workers.dead_letters import dead_topic

if TYPE_CHECKING:  # the driver is not there with the embedded engines alone
    from chat.adapters.kafka.topics import Difference, TopicPlan

TOPICS = (ROOM_TOPIC, DM_TOPIC, VERDICT_TOPIC, NOTIFICATION_TOPIC, ACCOUNT_MAIL_TOPIC, WEBHOOK_TOPIC)
"""The topics of the system; each has one for its dead letters beside it."""


async def apply_topics(settings: Settings, options: argparse.Namespace) -> int:
    """Apply the settings. The exit code: 0 when the topics are as they should be, 1 when something is left to do."""
    check_backend(settings)
    with require_drivers():
        from chat.adapters.kafka.topics import TopicAdmin
    async with TopicAdmin.open(settings.kafka) as topics:
        wanted = plan_topics(settings.kafka)
        found = await topics.apply_plans(wanted, raise_partitions=options.raise_partitions, dry_run=options.dry_run)
    changed = sorted({difference.topic for difference in found if difference.done})
    if changed:
        await note_beside_store(settings, make_note(NoteCode.TOPICS_CHANGED, topics=", ".join(changed)))
    if options.json:
        print_json([describe_topic(topic, found) for topic in wanted])
    else:
        print_plan(wanted, found)
    return 0 if all(difference.done for difference in found) else 1


def check_backend(settings: Settings) -> None:
    """Raises `SettingsError` on a backend that Kafka's driver does not run on."""
    if settings.backend == "trio":
        raise SettingsError("Kafka's driver runs on asyncio: give --backend uvloop or asyncio")
    if not settings.kafka.brokers:
        raise SettingsError("ROOKERY_KAFKA is not set: give Kafka's brokers, such as kafka-1:9092,kafka-2:9092")


def plan_topics(kafka: KafkaSettings, names: Sequence[str] = TOPICS) -> list[TopicPlan]:
    """The topics that the settings want. Dead letters are few: one partition."""
    from chat.adapters.kafka.producer import LARGEST_RECORD
    from chat.adapters.kafka.topics import plan_topic

    wanted = []
    for name in names:
        for topic, partitions, hours in (
            (name, kafka.partitions, kafka.retention_hours),
            (dead_topic(name), 1, kafka.dead_retention_hours),
        ):
            wanted.append(
                plan_topic(
                    kafka.prefix + topic,
                    partitions=partitions,
                    replication=kafka.replication,
                    min_insync=kafka.min_insync,
                    retention_hours=hours,
                    record_bytes=max(LARGEST_RECORD, kafka.batch_bytes),
                )
            )
    return wanted


def describe_topic(topic: TopicPlan, found: Sequence[Difference]) -> dict[str, object]:
    """A topic, and what differed; `done` says whether it was changed, else `remedy` what to do."""
    differences = [
        {"what": each.what, "has": each.has, "wanted": each.wanted, "done": each.done, "remedy": each.remedy}
        for each in found
        if each.topic == topic.name
    ]
    return {"topic": topic.name, "differences": differences}


def print_plan(wanted: Sequence[TopicPlan], found: Sequence[Difference], tell: Callable[[str], None] = print) -> None:
    """A line for each topic that is as it should be, and for each difference."""
    differing = {difference.topic for difference in found}
    for topic in wanted:
        if topic.name not in differing:
            tell(f"{topic.name}: as it should be")
    for each in found:
        if each.what == "topic":
            tell(f"{each.topic}: {'made' if each.done else 'is missing'}, {each.wanted}")
        elif each.done:
            tell(f"{each.topic}: {each.what} was {each.has}, is now {each.wanted}")
        else:
            tell(f"{each.topic}: {each.what} is {each.has}, should be {each.wanted}; {each.remedy or 'not changed'}")
