"""What the relay on Redis keeps beyond the port's contract: interruptions are never silent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from msgspec.structs import replace

from chat.adapters.redis.relay import RedisRelay
from chat.errors import Unavailable
from chat.ports.relay import ONCE_SECONDS, Delivery, Listener, Publication
from tests.support.cancellation import each_suspension
from tests.support.patience import patient
from tests.support.redis_server import RedisServer, redis_server

pytestmark = [pytest.mark.anyio, pytest.mark.production]
DEADLINE = 20.0
QUICK = 0.3


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Production runs on uvloop."""
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server for the whole file."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(shared: RedisServer) -> RedisServer:
    """The server, running, empty, and as it is by default."""
    shared.start()
    shared.ask(
        ("FLUSHALL",), ("CONFIG", "SET", "client-output-buffer-limit", "pubsub 32mb 8mb 60"), ("CONFIG", "RESETSTAT")
    )
    return shared


@pytest.fixture
async def relay(server: RedisServer) -> AsyncIterator[RedisRelay]:
    async with RedisRelay.open(server.target) as relay:
        yield relay


def impatient(server: RedisServer) -> AbstractAsyncContextManager[RedisRelay]:
    """A relay that notices soon."""
    return RedisRelay.open(replace(server.target, timeout_s=QUICK), pulse_s=QUICK)


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(patient(DEADLINE)):
        while not condition():  # noqa: ASYNC110 - the other side is a real server
            await anyio.sleep(0.01)


async def take(listener: Listener, count: int) -> list[Delivery]:
    got: list[Delivery] = []
    with anyio.fail_after(patient(DEADLINE)):
        while len(got) < count:
            got.extend(await listener.receive())
    return got


async def is_silent(listener: Listener) -> bool:
    with anyio.move_on_after(0.05):
        await listener.receive()
        return False
    return True


async def eventually(call: Callable[[], Awaitable[None]]) -> None:
    """Call until it is not refused."""
    with anyio.fail_after(patient(DEADLINE)):
        while True:
            try:
                return await call()
            except Unavailable:
                await anyio.sleep(0.01)


async def test_a_connection_that_is_killed_is_told_once_a_channel(server: RedisServer, relay: RedisRelay) -> None:
    async with relay.open_listener() as listener:
        await listener.subscribe(["a", "b", "gone"])
        await listener.unsubscribe(["gone"])
        await relay.publish([Publication("a", b"1")])
        assert await take(listener, 1) == [("a", b"1")]
        server.ask(("CLIENT", "KILL", "TYPE", "pubsub"))
        assert sorted(await take(listener, 2)) == [("a", None), ("b", None)]
        await relay.publish([Publication("a", b"2"), Publication("b", b"3"), Publication("gone", b"no")])
        assert await take(listener, 2) == [("a", b"2"), ("b", b"3")]
        assert await is_silent(listener)
    assert relay.statistics().listeners == 0


async def test_the_publishing_connection_comes_back(server: RedisServer, relay: RedisRelay) -> None:
    await relay.publish([])
    server.ask(("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
    await eventually(lambda: relay.publish([Publication("a", b"1")]))


async def test_a_server_that_is_restarted_empty(server: RedisServer) -> None:
    async with impatient(server) as relay, relay.open_listener() as listener:
        await listener.subscribe(["a", "b"])
        await relay.publish([Publication("a", b"1", once="k")])
        await take(listener, 1)
        server.kill()
        for call in (relay.publish([Publication("a", b"lost")]), relay.publish([]), listener.subscribe(["new"])):
            with pytest.raises(Unavailable):
                await call
        server.start()
        assert sorted(await take(listener, 2)) == [("a", None), ("b", None)]
        await eventually(lambda: relay.publish([Publication("a", b"2", once="k")]))
        assert await take(listener, 1) == [("a", b"2")]
        assert relay.statistics().channels == 2


async def test_a_pause_that_is_shorter_than_the_pulse_loses_nothing(server: RedisServer, relay: RedisRelay) -> None:
    async with relay.open_listener() as listener:
        await listener.subscribe(["a"])
        server.pause()
        try:
            # With the limits as they are by default: the caller hears of it after 3 s, and the message arrives late.
            with pytest.raises(Unavailable):
                await relay.publish([Publication("a", b"late")])
        finally:
            server.resume()
        await eventually(lambda: relay.publish([Publication("a", b"after")]))
        got = await take(listener, 1)
        while got[-1].payload != b"after":
            got += await take(listener, 1)
        assert None not in [payload for _, payload in got]
        assert relay.statistics().interruptions == 0


async def test_a_longer_pause_is_told(server: RedisServer) -> None:
    async with impatient(server) as relay, relay.open_listener() as listener:
        await listener.subscribe(["a"])
        server.pause()
        try:
            await until(lambda: relay.statistics().interruptions > 0)
            with pytest.raises(Unavailable):
                await listener.subscribe(["b"])
        finally:
            server.resume()
        assert await take(listener, 1) == [("a", None)]
        await eventually(lambda: relay.publish([Publication("a", b"1"), Publication("b", b"no")]))
        assert await take(listener, 1) == [("a", b"1")]


async def test_a_connection_that_redis_cuts_for_its_buffer_is_told(server: RedisServer, relay: RedisRelay) -> None:
    server.ask(("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0"))
    async with relay.open_listener() as listener:
        await listener.subscribe(["a", "quiet"])
        # The loop stands still meanwhile, so nobody reads what fills the buffers of the system and of Redis.
        server.ask(*[("PUBLISH", "rookery:a", b"x" * 1_000_000)] * 64)
        got = await take(listener, 1)
        while sorted(channel for channel, payload in got if payload is None) != ["a", "quiet"]:
            got += await take(listener, 1)
        await relay.publish([Publication("a", b"after")])
        assert (await take(listener, 1))[-1] == ("a", b"after")


async def test_a_slow_receiver_does_not_make_redis_cut_the_connection(server: RedisServer) -> None:
    server.ask(("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0"))
    async with RedisRelay.open(server.target, buffer_bytes=1_000_000) as relay, relay.open_listener() as listener:
        await listener.subscribe(["a"])
        for _ in range(100):
            await relay.publish([Publication("a", b"x" * 100_000)])
        await until(lambda: relay.statistics().lost > 0)
        got = await take(listener, 1)
        assert got[-1] == ("a", None)
        assert relay.statistics().interruptions == 0


async def test_subscribing_is_batched(server: RedisServer, relay: RedisRelay) -> None:
    channels = [f"room:{number}" for number in range(2500)]
    async with relay.open_listener() as listener:
        async with anyio.create_task_group() as tasks:
            for start in range(0, 2500, 100):
                tasks.start_soon(listener.subscribe, channels[start : start + 100])
        assert relay.statistics().channels == 2500
        await relay.publish([Publication(channel, b"x") for channel in channels])
        assert len(await take(listener, 2500)) == 2500
        await listener.unsubscribe(channels)
        await listener.subscribe(["last"])
        stats = server.info("commandstats")
        calls = {
            name: int(stats[f"cmdstat_{name}"].split(",")[0].removeprefix("calls="))
            for name in ("subscribe", "unsubscribe")
        }
        assert calls["subscribe"] <= 6
        assert calls["unsubscribe"] == 3
    await until(lambda: server.ask(("PUBSUB", "NUMPAT"), ("PUBSUB", "CHANNELS"))[1] == [])


async def test_after_a_change_of_mind_everything_is_delivered(relay: RedisRelay) -> None:
    async with relay.open_listener() as listener:
        for number in range(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(listener.subscribe, ["a"])
                for _ in range(number % 5):
                    await checkpoint()
                await listener.unsubscribe(["a"])
                for _ in range(number % 3):
                    await checkpoint()
                await listener.subscribe(["a"])
                await relay.publish([Publication("a", b"%d" % number)])
                got = await take(listener, 1)
            assert got == [("a", b"%d" % number)]


async def test_a_cancelled_subscription_is_none(relay: RedisRelay) -> None:
    async with relay.open_listener() as listener:
        await listener.subscribe(["kept"])
        async for completed in each_suspension(lambda: listener.subscribe(["kept", "a"])):
            assert relay.statistics().channels == (2 if completed else 1)
            await relay.publish([Publication("a", b"x"), Publication("kept", b"y")])
            got = await take(listener, 2 if completed else 1)
            assert got == [("a", b"x"), ("kept", b"y")][0 if completed else 1 :]


async def test_a_cancelled_publish_is_whole_or_nothing(relay: RedisRelay) -> None:
    batch = [Publication("a", b"1"), Publication("a", b"2", once="never twice")]
    async with relay.open_listener() as listener:
        await listener.subscribe(["a", "end"])
        async for _ in each_suspension(lambda: relay.publish(batch)):
            pass
        await relay.publish([Publication("end", b"")])
        got = await take(listener, 1)
        while got[-1].channel != "end":
            got += await take(listener, 1)
        assert [payload for _, payload in got].count(b"2") == 1
        assert [payload for _, payload in got[:2]] == [b"1", b"2"]


async def test_a_key_lives_for_its_time_and_no_longer(server: RedisServer, relay: RedisRelay) -> None:
    async with relay.open_listener() as listener:
        await listener.subscribe(["a"])
        await relay.publish([Publication("a", b"1", once="k")])
        (keys,) = server.ask(("KEYS", "*"))
        assert len(keys) == 1
        (left,) = server.ask(("PTTL", keys[0]))
        assert ONCE_SECONDS * 1000 - 60_000 < left <= ONCE_SECONDS * 1000
        server.ask(("DEL", keys[0]))
        await relay.publish([Publication("a", b"2", once="k"), Publication("a", b"no", once="k")])
        assert await take(listener, 2) == [("a", b"1"), ("a", b"2")]


async def test_a_relay_says_when_there_is_no_redis(tmp_path: Path) -> None:
    absent = RedisServer(tmp_path)
    with pytest.raises(Unavailable, match="ROOKERY_REDIS_URL"):
        async with RedisRelay.open(absent.target):
            pass


async def test_closed_is_closed(relay: RedisRelay) -> None:
    async with relay.open_listener() as listener:
        await listener.subscribe(["a"])
    for call in (listener.receive(), listener.subscribe(["a"]), listener.unsubscribe(["a"])):
        with pytest.raises(anyio.ClosedResourceError):
            await call
