"""Pushes on their way: what push services answer, how long they take, and what the devices get."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import pytest

from chat.adapters.outbound.http_client import HttpAnswer
from chat.adapters.webpush.delivery import PushDelivery
from chat.adapters.webpush.encryption import PushEncryption
from chat.adapters.webpush.notifier import WebPushNotifier
from chat.adapters.webpush.sender import PushSender
from chat.adapters.webpush.vapid import VapidKey, VapidSigner, generate_key
from chat.domain.notifying import NotificationKind
from chat.engines.database import InlineExecutor
from chat.ports.accounts import RefreshGrant
from chat.ports.notifier import Notification, Retraction
from chat.ports.push import PushStore
from tests.support.builders import ANN, BEN, HALL, NOW, make_user
from tests.support.clocks import virtual_time
from tests.support.engines import sqlite_memory
from tests.support.patience import patient
from tests.support.push import FAMILY, SERVICE, FakeBrowser
from tests.support.push_service import FakePushService

pytestmark = pytest.mark.anyio
OTHER = "*.push.apple.com"
SECONDS = 10.0


class Pushing:
    """A sender with push services that are not there."""

    def __init__(self, store: PushStore, key: VapidKey) -> None:
        self.store = store
        self.key = key
        self.service = FakePushService()
        self.other = FakePushService("https://web.push.apple.com")
        delivery = PushDelivery(
            self._post,
            PushEncryption(InlineExecutor()).encrypt_body,
            VapidSigner([key], "mailto:a@b.c"),
            clock=self.clock,
            seconds=SECONDS,
        )
        self.sender = PushSender(store, delivery, [SERVICE, OTHER], concurrency=4, seconds=SECONDS, clock=self.clock)
        self.notifier = WebPushNotifier(store, self.sender.wake_lanes, clock=self.clock)
        self._begun = anyio.current_time()

    def clock(self) -> int:
        return NOW + int(1000 * (anyio.current_time() - self._begun))

    async def _post(self, url: str, headers: Any, body: bytes, *, seconds: float) -> HttpAnswer:
        service = self.other if "apple" in url else self.service
        return await service.post(url, headers, body, seconds=seconds)

    async def subscribe(self, path: str = "/1", service: str = SERVICE, user: str = ANN) -> FakeBrowser:
        browser = (self.other if service == OTHER else self.service).add_browser(path)
        await self.store.add_subscription(browser.subscribe(user, service=service, vapid=self.key.public))
        return browser

    async def notify(self, seq: int = 1, conversation: str = HALL, **fields: Any) -> None:
        known: dict[str, Any] = {
            "user": ANN,
            "kind": NotificationKind.MESSAGE,
            "count": 1,
            "sender": BEN,
            "sender_name": "Ben",
            "ts": NOW,
            "text": "hello",
            "room_name": "hall",
        }
        await self.notifier.notify([Notification(seq=seq, conversation=conversation, **known | fields)])

    async def retract(self, seq: int = 1) -> None:
        await self.notifier.retract([Retraction(user=ANN, conversation=HALL, seq=seq)])

    def has_received(self, service: FakePushService, count: int) -> bool:
        return len(service.received) >= count

    def contents(self, service: FakePushService | None = None) -> list[tuple[str, int]]:
        return [(each.content["type"], each.content["seq"]) for each in (service or self.service).received]


@asynccontextmanager
async def pushing(tmp_path: Any) -> AsyncIterator[Pushing]:
    async with sqlite_memory(tmp_path) as stores:
        await stores.accounts.create_user(make_user(ANN), None)
        await stores.accounts.add_grant(RefreshGrant(digest=b"d", family=FAMILY, user=ANN, expires=NOW + 10**9))
        here = Pushing(stores.push, generate_key())
        async with anyio.create_task_group() as tasks:
            await tasks.start(here.sender.run)
            yield here
            tasks.cancel_scope.cancel()


@pytest.fixture
async def here(tmp_path: Any, anyio_backend: Any) -> AsyncIterator[Pushing]:
    async with pushing(tmp_path) as found:
        yield found


async def until(condition: Callable[[], bool], step: float = 0.02) -> None:
    with anyio.fail_after(patient(3000 * step)):
        while not condition():  # noqa: ASYNC110 - what is looked at notifies nobody
            await anyio.sleep(step)


async def received(here: Pushing, count: int) -> Sequence[tuple[str, int]]:
    await until(lambda: len(here.service.received) >= count)
    return here.contents()


async def test_every_device_gets_a_push_that_it_can_read(here: Pushing) -> None:
    await here.subscribe("/1")
    await here.subscribe("/2")
    await here.notify(7, kind=NotificationKind.MENTION)
    assert await received(here, 2) == [("show", 7), ("show", 7)]
    first = here.service.received[0]
    assert (first.headers["urgency"], first.content["title"]) == ("high", "Ben mentioned you in hall")
    assert 0 < int(first.headers["ttl"]) <= 24 * 3600
    assert first.headers["topic"] == here.service.received[1].headers["topic"]


async def test_a_message_of_a_room_is_not_urgent_and_a_direct_one_is(here: Pushing) -> None:
    await here.subscribe()
    for number, kind in enumerate(NotificationKind):
        await here.notify(1, f"room:{number}", kind=kind)
    await received(here, 4)
    urgencies = {each.content["kind"]: each.headers["urgency"] for each in here.service.received}
    assert urgencies == {"dm": "high", "mention": "high", "reply": "normal", "message": "normal"}


async def test_the_same_notification_comes_to_a_device_once(here: Pushing) -> None:
    await here.subscribe()
    for _ in range(3):
        await here.notify(1)
        await received(here, 1)
    await here.notify(2)
    assert await received(here, 2) == [("show", 1), ("show", 2)]


async def test_what_was_read_is_closed_where_it_is_shown(here: Pushing) -> None:
    await here.subscribe()
    await here.retract(1)
    await here.notify(1)
    await received(here, 1)
    await until(lambda: here.sender.sent[SERVICE, "delivered"] == 1)
    await here.retract(1)
    assert await received(here, 2) == [("show", 1), ("close", 1)]
    await until(lambda: here.sender.sent[SERVICE, "delivered"] == 2)
    await here.retract(1)
    await here.notify(2)
    assert await received(here, 3) == [("show", 1), ("close", 1), ("show", 2)]


async def test_browsers_that_are_gone_are_forgotten(here: Pushing) -> None:
    for number in range(15):
        await here.subscribe(f"/{number}")
    here.service.browsers.clear()
    stays = await here.subscribe("/stays")
    await here.notify(1)
    await received(here, 1)
    await until(lambda: here.sender.sent[SERVICE, "gone"] == 15)
    await here.notify(2)
    await received(here, 2)
    assert [each.endpoint for each in await here.store.list_subscriptions(ANN)] == [stays.endpoint]


async def test_a_content_that_is_too_long_comes_shortened(here: Pushing) -> None:
    await here.subscribe()
    here.service.fails_above = 1024
    await here.notify(1, text="я" * 400)
    await received(here, 1)
    (found,) = here.service.received
    assert found.size == 1024
    assert found.content["body"].startswith("Ben: яяя")
    assert found.content["body"].endswith("…")


async def test_a_push_that_is_too_long_in_every_size_is_given_up(here: Pushing) -> None:
    await here.subscribe()
    here.service.fails_above = 100
    await here.notify(1)
    await until(lambda: here.sender.sent[SERVICE, "refused"] == 1)
    here.service.fails_above = 4096
    await here.notify(2)
    assert await received(here, 1) == [("show", 2)]


@virtual_time
@pytest.mark.parametrize("value", ["120", "Thu, 01 Jan 2026 00:02:00 GMT"])
async def test_a_device_rests_as_long_as_its_push_service_asks(here: Pushing, value: str) -> None:
    assert NOW == 1_767_225_600_000  # 2026-01-01T00:00:00Z
    await here.subscribe("/1")
    await here.subscribe("/2")
    here.service.answers["/1"] = HttpAnswer(429, {"retry-after": value}, b"")
    await here.notify(1)
    await received(here, 1)
    del here.service.answers["/1"]
    await here.notify(2, "room:another")
    await received(here, 2)  # on the other device alone
    assert anyio.current_time() - here._begun < 60
    await until(lambda: len(here.service.received) == 4, step=1)
    assert 119 <= anyio.current_time() - here._begun <= 130


@virtual_time
async def test_a_push_service_that_fails_is_asked_less_and_less(here: Pushing) -> None:
    await here.subscribe()
    here.service.answers["/1"] = HttpAnswer(503, {}, b"")
    await here.notify(1)
    await anyio.sleep(3600)
    attempts = here.sender.sent[SERVICE, "later"]
    assert 3 <= attempts <= 20
    del here.service.answers["/1"]
    await until(lambda: here.contents() == [("show", 1)], step=60)


@virtual_time
async def test_a_push_service_that_never_answers_delays_no_other(here: Pushing) -> None:
    for number in range(10):
        await here.subscribe(f"/{number}")
        here.service.hangs.add(f"/{number}")
    await here.subscribe("/apple", OTHER)
    begun = anyio.current_time()
    for seq in range(1, 6):
        await here.notify(seq)
        await until(partial(here.has_received, here.other, seq))
    assert anyio.current_time() - begun < SECONDS
    await until(lambda: here.service.busy > 0)
    assert here.service.busiest <= 4


@virtual_time
async def test_a_push_that_nobody_took_for_a_day_is_given_up(here: Pushing) -> None:
    await here.subscribe()
    here.service.answers["/1"] = HttpAnswer(503, {}, b"")
    await here.notify(1)
    await until(lambda: here.sender.sent[SERVICE, "refused"] == 1, step=600)
    assert await here.store.find_next_due(SERVICE) is None


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403])
async def test_what_a_push_service_refuses_is_not_repeated(here: Pushing, status: int) -> None:
    await here.subscribe()
    here.service.answers["/1"] = HttpAnswer(status, {"location": "https://127.0.0.1/"}, b"")
    await here.notify(1)
    await until(lambda: here.sender.sent[SERVICE, "refused"] == 1)
    del here.service.answers["/1"]
    await here.notify(2)
    assert await received(here, 1) == [("show", 2)]


async def test_a_subscription_of_a_key_that_is_gone_is_forgotten(here: Pushing) -> None:
    browser = here.service.add_browser("/1")
    await here.store.add_subscription(browser.subscribe(vapid=generate_key().public))
    await here.notify(1)
    await until(lambda: here.sender.sent[SERVICE, "gone"] == 1)
    assert list(await here.store.list_subscriptions(ANN)) == []


async def test_users_without_a_device_cost_nothing(here: Pushing) -> None:
    await here.notify(1, user=BEN)
    await here.subscribe()
    await here.notify(2)
    assert await received(here, 1) == [("show", 2)]


async def test_a_sender_that_is_cancelled_gives_back_what_it_had_in_hand(tmp_path: Any) -> None:
    async with sqlite_memory(tmp_path) as stores:
        await stores.accounts.create_user(make_user(ANN), None)
        await stores.accounts.add_grant(RefreshGrant(digest=b"d", family=FAMILY, user=ANN, expires=NOW + 10**9))
        here = Pushing(stores.push, generate_key())
        await here.subscribe()
        here.service.hangs.add("/1")
        with contextlib.suppress(TimeoutError), anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                await tasks.start(here.sender.run)
                await here.notify(1)
                await until(lambda: here.service.busy == 1)
                tasks.cancel_scope.cancel()
        assert len(await stores.push.claim_pushes(SERVICE, here.clock(), here.clock() + 1000, 10)) == 1
