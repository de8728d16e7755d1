"""What of Kafka's driver goes into the log."""

from __future__ import annotations

import logging

import pytest
from aiokafka.errors import KafkaConnectionError

from chat.adapters.kafka.connection import quieten_driver_logs


def test_an_abandoned_request_is_not_logged_and_a_defect_is(caplog: pytest.LogCaptureFixture) -> None:
    quieten_driver_logs()
    logger = logging.getLogger("asyncio")
    # The words with which asyncio's loop tells of a task whose outcome nobody asked for.
    logger.error("Task exception was never retrieved\nfuture: …", exc_info=KafkaConnectionError("the broker is gone"))
    logger.error("Task exception was never retrieved\nfuture: …", exc_info=LookupError("a defect"))
    logger.error("Exception in callback", exc_info=KafkaConnectionError("in a callback"))
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == [
        "a defect",
        "KafkaConnectionError: in a callback",
    ]
