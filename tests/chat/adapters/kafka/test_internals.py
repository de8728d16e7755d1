"""The inner parts of aiokafka that the adapter relies on are as they were when they were read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import aiokafka
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.producer.sender import Sender

from chat.adapters.kafka.internals import require_known_driver
from chat.settings import SettingsError

READ: list[tuple[Callable[..., Any], str]] = [
    (AIOKafkaProducer.__del__, "785f6702b00b23af"),
    (AIOKafkaProducer.stop, "43ef97147111893b"),
    (Sender.start, "ef0a0cbbf1f69e7d"),
    (Sender.close, "f60b3d023d2526f4"),
    (Sender._fail_all, "5a67e3b6f87be0c5"),
    (MessageAccumulator.close, "f1d449c7937fbc6b"),
    (MessageAccumulator.flush, "2b0eaa3da8519269"),
    (AIOKafkaClient.close, "02119d4d618ae493"),
    (AIOKafkaConsumer.stop, "bc5da9c98595299a"),
    (GroupCoordinator.close, "f30d831089456312"),
    (GroupCoordinator._stop_heartbeat_task, "b3022a920670abc0"),
    (GroupCoordinator._stop_commit_offsets_refresh_task, "c621b6c8285084b6"),
    (Fetcher.close, "1cd24bc1c442149e"),
    (Fetcher.fetched_records, "be4348896b9b66af"),
    (Fetcher._fetch_requests_routine, "2a8ec5932644c9b0"),
]


@pytest.mark.parametrize(("part", "digest"), READ, ids=[part.__qualname__ for part, _ in READ])
def test_a_part_is_as_it_was_read(part: Callable[..., Any], digest: str) -> None:
    found = sha256(inspect.getsource(part).encode()).hexdigest()[:16]
    assert found == digest, (
        f"aiokafka {aiokafka.__version__} has changed {part.__qualname__}: read it again, beside what "
        f"chat/adapters/kafka/internals.py says of it, and put {found} here"
    )


def test_the_installed_driver_is_known() -> None:
    require_known_driver()


def test_an_unknown_driver_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"aiokafka 0\.15\.1 is installed"):
        require_known_driver("0.15.1")
