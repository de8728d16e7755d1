"""Under sentinels: the primary dies, comes back as a replica, is changed by hand; sentinels die."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import anyio
import anyio.to_thread
import pytest

from chat.adapters.redis.client import RedisClient
from chat.adapters.redis.limits import RedisRateLimiter
from chat.adapters.redis.relay import RedisRelay
from chat.adapters.redis.target import parse_target
from chat.errors import Unavailable
from chat.ports.relay import Listener, Publication
from chat.settings import RedisSettings
from tests.support.patience import patient
from tests.support.redis_sentinels import RedisSentinels, redis_sentinels

pytestmark = [pytest.mark.anyio, pytest.mark.production]
DEADLINE = 30.0


@pytest.fixture(scope="module")
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisSentinels]:
    with redis_sentinels(tmp_path_factory.mktemp("sentinels")) as group:
        yield group


@pytest.fixture
async def relay(sentinels: RedisSentinels) -> AsyncIterator[RedisRelay]:
    sentinels.await_agreement()
    target = parse_target(RedisSettings(url=sentinels.url, timeout_seconds=2.0))
    async with RedisRelay.open(target, pulse_s=1.0) as relay:
        yield relay


async def receive_mark(listener: Listener, channel: str) -> None:
    with anyio.fail_after(patient(DEADLINE)):
        while (channel, None) not in await listener.receive():
            pass


async def publish_until_received(relay: RedisRelay, listener: Listener, payload: bytes) -> None:
    """The relay takes it, and the listener gets it, both at the new primary."""
    with anyio.fail_after(patient(DEADLINE)):
        while True:
            try:
                await relay.publish([Publication("room:1", payload)])
            except Unavailable:
                await anyio.sleep(0.05)
                continue
            with anyio.move_on_after(1):
                while ("room:1", payload) not in await listener.receive():
                    pass
                return


async def test_a_primary_that_is_killed_has_a_successor(sentinels: RedisSentinels, relay: RedisRelay) -> None:
    """Relay and limits follow; the old primary starts again, empty, and nobody goes back to it."""
    old = sentinels.primary()
    target = parse_target(RedisSettings(url=sentinels.url, timeout_seconds=2.0))
    async with RedisClient.open(target) as client, relay.open_listener() as listener:
        limits = RedisRateLimiter(client)
        assert not await limits.count_call("k", limit=1, window_s=60)
        await listener.subscribe(["room:1"])
        await publish_until_received(relay, listener, b"before")
        old.kill()
        await receive_mark(listener, "room:1")  # whoever listens is told to read history
        await publish_until_received(relay, listener, b"after")
        with anyio.fail_after(patient(DEADLINE)):
            while True:
                try:
                    await limits.count_call("other", limit=1, window_s=60)
                    break
                except Unavailable:
                    await anyio.sleep(0.05)
        await anyio.to_thread.run_sync(old.start)
        await anyio.to_thread.run_sync(sentinels.await_agreement)
        await publish_until_received(relay, listener, b"with the old one as a replica")
        assert sentinels.primary() is not old


async def test_a_primary_that_is_replaced_while_it_runs_is_left(sentinels: RedisSentinels, relay: RedisRelay) -> None:
    """Its connections stay open, so nothing but the sentinels tells."""
    old = sentinels.primary()
    async with relay.open_listener() as listener:
        await listener.subscribe(["room:1"])
        await anyio.to_thread.run_sync(sentinels.replace_primary)
        await receive_mark(listener, "room:1")
        await publish_until_received(relay, listener, b"after")
        await anyio.to_thread.run_sync(sentinels.await_agreement)
        assert sentinels.primary() is not old


async def test_the_primary_stays_while_sentinels_are_away(sentinels: RedisSentinels, relay: RedisRelay) -> None:
    """The last test of the file: one sentinel is enough to begin, and none is needed to go on."""
    for process in sentinels.sentinels[:2]:
        await anyio.to_thread.run_sync(process.stop)
    target = parse_target(RedisSettings(url=sentinels.url, timeout_seconds=2.0))
    async with RedisRelay.open(target, pulse_s=1.0) as late, late.open_listener() as listener:
        await listener.subscribe(["room:1"])
        await anyio.to_thread.run_sync(sentinels.sentinels[2].stop)
        await publish_until_received(relay, listener, b"no sentinels")
    with pytest.raises(Unavailable, match="the sentinels of chat"):
        async with RedisRelay.open(target):
            pass
