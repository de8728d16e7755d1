"""Push and webhooks in a process: the keys, the channels, and their figures."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.adapters.webpush.notifier import WebPushNotifier, open_push
from chat.adapters.webpush.sender import PushSender
from chat.adapters.webpush.vapid import VapidKey, load_keys, read_keys
from chat.assembly import Store
from chat.engines.executor import ThreadExecutor
from chat.settings import Settings

_logger = logging.getLogger("rookery")
_NOBODY = "mailto:nobody@localhost.localdomain"


def find_push_keys(settings: Settings, *, make: bool = False) -> list[VapidKey]:
    """The keys of push, the present one first; none where push is off or has no keys.

    With `make`, for a process that runs everything, they are kept in the data folder unless the settings name some.
    Raises `SettingsError`.
    """
    if not settings.push.enabled:
        return []
    if settings.push.vapid_keys:
        return read_keys(settings.push.vapid_keys, "ROOKERY_VAPID_KEYS")
    return load_keys(settings.embedded.data) if make else []


def list_public_keys(keys: Sequence[VapidKey]) -> tuple[str, ...]:
    """What browsers are given."""
    return tuple(key.public for key in keys)


def find_contact(settings: Settings) -> str:
    """Whom push services write to (RFC 8292, section 2.1). Some refuse pushes of a sender whom they cannot reach."""
    if settings.push.push_contact:
        return settings.push.push_contact
    parts = urlsplit(settings.http.public_url)
    if parts.scheme == "https":
        return f"https://{parts.netloc}"
    _logger.warning(
        "no contact is named for push services, and Apple's refuses pushes without one: set ROOKERY_PUSH_CONTACT to "
        "mailto:ADDRESS"
    )
    return _NOBODY


class PushCollector(Collector):
    """Reports attempts to deliver pushes, by push service and outcome."""

    def __init__(self, sender: PushSender) -> None:
        self._sender = sender

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily("rookery_push_sent", "Attempts to deliver a push", labels=["service", "outcome"])
        for (service, outcome), count in self._sender.sent.items():
            family.add_metric([service, outcome], count)
        yield family


@asynccontextmanager
async def open_push_channel(
    settings: Settings, store: Store, keys: Sequence[VapidKey]
) -> AsyncIterator[tuple[WebPushNotifier, PushCollector]]:
    """The channel of push, which sends while the context lasts. `keys` is not empty."""
    contact = find_contact(settings)
    async with open_push(settings.push, keys, contact, store.push, ThreadExecutor()) as (notifier, sender):
        yield notifier, PushCollector(sender)
