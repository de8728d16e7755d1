"""Push as a channel of notifications: it queues durably, and the sender does the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio

from chat.adapters.outbound.addresses import AddressGuard
from chat.adapters.outbound.http_client import HttpClient
from chat.adapters.webpush.delivery import PushDelivery
from chat.adapters.webpush.encryption import PushEncryption
from chat.adapters.webpush.payload import write_closing, write_payload
from chat.adapters.webpush.sender import PushSender
from chat.adapters.webpush.vapid import VapidKey, VapidSigner
from chat.domain.ids import now_ms
from chat.domain.push_queue import PushContent
from chat.ports.executor import Executor
from chat.ports.notifier import Notification, Retraction
from chat.ports.push import PushStore
from chat.settings import PushSettings

_IDLE_SECONDS = 15.0

T = TypeVar("T", Notification, Retraction)


class WebPushNotifier:
    """Implements `chat.ports.notifier.Notifier`. Users without a subscription cost a query for all of them."""

    name = "push"

    def __init__(self, store: PushStore, wake: Callable[[], None], *, clock: Callable[[], int] = now_ms) -> None:
        self._store = store
        self._wake = wake
        self._clock = clock

    async def notify(self, notifications: Sequence[Notification]) -> None:
        await self._queue_contents([(each, write_payload(each)) for each in await self._find_reached(notifications)])

    async def retract(self, retractions: Sequence[Retraction]) -> None:
        await self._queue_contents(
            [(each, write_closing(each)) for each in await self._find_reached(retractions)], closes=True
        )

    async def _find_reached(self, items: Sequence[T]) -> list[T]:
        """Those whose users have a subscription."""
        reached = await self._store.find_subscribed({each.user for each in items})
        return [each for each in items if each.user in reached]

    async def _queue_contents(
        self, contents: Sequence[tuple[Notification | Retraction, bytes]], *, closes: bool = False
    ) -> None:
        now = self._clock()
        queued = [
            PushContent(
                user=each.user,
                conversation=each.conversation,
                seq=each.seq,
                queued=now,
                content=content,
                closes=closes,
                trace=each.trace if isinstance(each, Notification) else "",
            )
            for each, content in contents
        ]
        if queued and await self._store.queue_pushes(queued):
            self._wake()


@asynccontextmanager
async def open_push(
    settings: PushSettings, keys: Sequence[VapidKey], contact: str, store: PushStore, executor: Executor
) -> AsyncIterator[tuple[WebPushNotifier, PushSender]]:
    """The channel, and its sender at work while the context lasts. `contact` is a `mailto:` or https URL."""
    guard = AddressGuard(admitted=[host for host in settings.services if ":" in host])
    async with HttpClient.open(guard) as http, anyio.create_task_group() as tasks:
        delivery = PushDelivery(
            http.post,
            PushEncryption(executor).encrypt_body,
            VapidSigner(keys, contact),
            clock=now_ms,
            seconds=settings.push_timeout_seconds,
        )
        sender = PushSender(
            store,
            delivery,
            settings.services,
            concurrency=settings.push_concurrency,
            seconds=settings.push_timeout_seconds,
            clock=now_ms,
        )
        await tasks.start(sender.run)
        tasks.start_soon(_close_idle_connections, http)
        yield WebPushNotifier(store, sender.wake_lanes), sender
        tasks.cancel_scope.cancel()


async def _close_idle_connections(http: HttpClient) -> None:
    while True:
        await anyio.sleep(_IDLE_SECONDS)
        await http.close_idle()
