"""How the adapters reach Kafka: addresses, security, and what its errors mean here."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from aiokafka.errors import KafkaError

from chat.errors import Unavailable
from chat.settings import KafkaSettings

RETRY_MS = 200
METADATA_AGE_MS = 60_000
CLIENT_ID = "rookery"
REPEAT_SECONDS = 30.0


def client_options(settings: KafkaSettings, request_s: float) -> dict[str, Any]:
    """What every client of aiokafka is made with; the driver gives up a request after `request_s`."""
    options: dict[str, Any] = {
        "bootstrap_servers": [str(broker) for broker in settings.brokers],
        "client_id": CLIENT_ID,
        "request_timeout_ms": int(request_s * 1000),
        "retry_backoff_ms": RETRY_MS,
        "metadata_max_age_ms": METADATA_AGE_MS,
        "security_protocol": settings.security.upper(),
    }
    if settings.security.endswith("ssl"):
        options["ssl_context"] = ssl.create_default_context(cafile=settings.ca_file)
    if settings.security.startswith("sasl"):
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.username
        options["sasl_plain_password"] = settings.password
    return options


def missing_topics(*topics: str) -> Unavailable:
    """The error for topics that Kafka does not have."""
    return Unavailable(f"Kafka has no topic {', '.join(sorted(topics))}: run `rookery topics apply`")


@asynccontextmanager
async def translated_errors(doing: str, seconds: float) -> AsyncIterator[None]:
    """Give Kafka `seconds` for what is `doing`. Its errors and its silence become `Unavailable`, which names that."""
    try:
        with anyio.fail_after(seconds):
            yield
    except TimeoutError:
        raise Unavailable(f"Kafka did not answer within {seconds:g} s when asked to {doing}") from None
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka could not {doing}: {error}") from error


class _RepeatFilter(logging.Filter):
    """Lets the same message through once in `seconds`: a driver without a broker repeats it several times a second."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._last_logged: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        message = str(record.msg)  # the template: there are only so many
        if now - self._last_logged.get(message, -self._seconds) < self._seconds:
            return False
        self._last_logged[message] = now
        return True


class _AbandonedFilter(logging.Filter):
    """Drops asyncio's complaint about a request of the driver's that failed when nobody waited for it any more.

    The driver shields its requests from the cancellation of whoever waits, and that task has reported the error."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not (isinstance(error, KafkaError) and record.getMessage().startswith("Task exception was never"))


_LOGGERS = (
    "aiokafka",
    "aiokafka.client",
    "aiokafka.conn",
    "aiokafka.cluster",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.sender",
)


def quieten_driver_logs() -> None:
    """Keep aiokafka's log short, and never at `debug`: at that level it shows the bytes of every request."""
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, _RepeatFilter) for known in logger.filters):
            logger.addFilter(_RepeatFilter(REPEAT_SECONDS))
    asyncio_logger = logging.getLogger("asyncio")
    if not any(isinstance(known, _AbandonedFilter) for known in asyncio_logger.filters):
        asyncio_logger.addFilter(_AbandonedFilter())
