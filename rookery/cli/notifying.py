"""Notifications in a process: the pool that decides, the loops that announce and send digests, and their channels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
from msgspec import Struct
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.adapters.webhooks.sender import open_webhook
from chat.adapters.webpush.vapid import VapidKey
from chat.assembly import Live, Store
from chat.domain.ids import now_ms
from chat.ports.log import Log
from chat.ports.notifier import DigestSender, Notifier
from chat.settings import Settings
from chat.wire.notices import MOST_KEYS, NOTIFICATION_TOPIC
from chat.wire.webhooks import WEBHOOK_TOPIC
from rookery.cli.process import run_in_background
from rookery.cli.pushing import open_push_channel
from services.common.health import Probe
from workers import webhooks
from workers.announcement_facts import Sources
from workers.announcer import Announcer
from workers.digests import DigestLoop
from workers.known_rooms import KnownRooms
from workers.notices import NoticeWriter
from workers.notification import GROUP, NotificationHandler
from workers.pool import Pool
from workers.webhooks import WebhookHandler, WebhookNotifier

LINGER_SECONDS = 0.25
PRESENCE_MARGIN_MS = 5_000


class NotificationParts(Struct, frozen=True):
    """What notifications add to a process: pools by their names, their figures, and whether they get on."""

    pools: Mapping[str, Pool[Any]]
    collectors: Sequence[Collector]
    probes: Mapping[str, Probe]


class NotificationCollector(Collector):
    """Reports what was decided, and what became of it."""

    def __init__(self, handler: NotificationHandler, announcer: Announcer, digests: DigestLoop | None) -> None:
        self._handler = handler
        self._announcer = announcer
        self._digests = digests

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        handler = self._handler
        yield _count(
            "rookery_notification_decisions", "Users whom news of a conversation might concern", handler.decided
        )
        yield _count("rookery_notifications_noted", "Times that something was left for a user", handler.noted)
        family = CounterMetricFamily("rookery_notifications", "What became of what waited", labels=["outcome"])
        for outcome, count in msgspec.structs.asdict(self._announcer.statistics).items():
            if outcome != "failed_calls":
                family.add_metric([outcome], count)
        yield family
        failed = self._announcer.statistics.failed_calls
        yield _count("rookery_notification_failures", "Calls of a channel that failed", failed)
        late = GaugeMetricFamily("rookery_notifications_late_seconds", "How long the oldest claimed was overdue")
        late.add_metric([], self._announcer.late_seconds)
        yield late
        yield _count("rookery_digests", "Digests handed to the mailer", self._digests.sent if self._digests else 0)


def _count(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(name, text, value)


def are_notifications_on(settings: Settings, *, is_whole: bool = False) -> bool:
    """Whether the persistence pool writes notices: as the setting says, and without it, where a channel is configured.
    A process that runs everything (`is_whole`) makes keys for push, and writes mails into a folder."""
    if settings.notifications is not None:
        return settings.notifications
    has_channel = bool(settings.push.vapid_keys or settings.webhook.url or settings.mail.server)
    return is_whole or has_channel


def make_notice_writer(settings: Settings, store: Store, log: Log, *, is_whole: bool = False) -> NoticeWriter | None:
    """What the persistence pool writes notices with; None while notifications are off."""
    if not are_notifications_on(settings, is_whole=is_whole):
        return None
    keys = MOST_KEYS if settings.kafka.brokers else 1  # topics of the embedded log have one partition
    return NoticeWriter(log, store.pending, keys=keys)


def find_presence_ms(settings: Settings) -> int:
    """How long presence shows the users of an edge that crashed as online, at most."""
    seconds = 2 * settings.edge.heartbeat_seconds + settings.edge.presence_damping_seconds
    return round(1000 * seconds) + PRESENCE_MARGIN_MS


@asynccontextmanager
async def run_notifications(
    settings: Settings,
    store: Store,
    live: Live,
    log: Log,
    *,
    push_keys: Sequence[VapidKey],
    digests: DigestSender | None,
) -> AsyncIterator[NotificationParts]:
    """Announce what waits for the time of the context; the pool that decides is for the caller to run."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        channels: list[Notifier] = []
        collectors: list[Collector] = []
        if push_keys:
            push, push_collector = await enter(open_push_channel(settings, store, push_keys))
            channels.append(push)
            collectors.append(push_collector)
        pools: dict[str, Pool[Any]] = {}
        if settings.webhook.url:
            channels.append(WebhookNotifier(log))
            webhook = await enter(open_webhook(settings.webhook, clock=now_ms))
            pools["webhooks"] = Pool(log, webhooks.GROUP, [WEBHOOK_TOPIC], WebhookHandler(webhook.post_events))
        known_rooms = KnownRooms(store.rooms, clock=now_ms)
        sources = Sources(
            accounts=store.accounts,
            rooms=store.rooms,
            history=store.history,
            presence=live.presence,
            settings=store.notifications,
            known_rooms=known_rooms,
            clock=now_ms,
        )
        announcer = Announcer(pending=store.pending, sources=sources, channels=channels, log=log)
        await enter(run_in_background(announcer.run))
        loop = None
        digest_after_ms = int(settings.mail.digest_minutes * 60_000)
        if digests is not None:
            loop = DigestLoop(pending=store.pending, sources=sources, sender=digests, after_ms=digest_after_ms)
            await enter(run_in_background(loop.run))
        handler = NotificationHandler(
            pending=store.pending,
            sources=sources,
            digest_after_ms=digest_after_ms if digests is not None else None,
            linger_s=LINGER_SECONDS,
            presence_ms=find_presence_ms(settings),
            wake_announcer=announcer.wake,
        )
        await enter(run_in_background(handler.second_looks.run))
        pools["notification"] = Pool(log, GROUP, [NOTIFICATION_TOPIC], handler)
        collectors.append(NotificationCollector(handler, announcer, loop))
        yield NotificationParts(pools, collectors, {"announcer": announcer.check_progress})
