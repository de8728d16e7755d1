"""What the embedded relay keeps beyond the port's contract."""

from __future__ import annotations

import anyio
import pytest
from anyio.lowlevel import checkpoint

from chat.engines.relay import MemoryRelay, MemoryRelayStatistics
from chat.ports.relay import Delivery, Publication

pytestmark = pytest.mark.anyio


async def test_a_buffer_is_bounded_in_bytes() -> None:
    relay = MemoryRelay(buffer_bytes=100)
    async with relay.open_listener() as listener:
        await listener.subscribe(["a", "b"])
        await relay.publish([Publication("a", b"x" * 60), Publication("a", b"y" * 60), Publication("b", b"z" * 30)])
        await relay.publish([Publication("a", b"small"), Publication("b", b"w" * 30)])
        assert await listener.receive() == [
            Delivery("a", b"x" * 60),
            Delivery("a", None),
            Delivery("b", b"z" * 30),
            Delivery("b", None),
        ]
        await relay.publish([Publication("a", b"after")])
        assert await listener.receive() == [Delivery("a", b"after")]
    assert relay.statistics().lost == 3


async def test_keys_that_are_remembered_do_not_pass() -> None:
    relay = MemoryRelay()
    relay.remember_keys(["k"])
    async with relay.open_listener() as listener:
        await listener.subscribe(["a"])
        await relay.publish([Publication("a", b"1", once="k"), Publication("a", b"2", once="new")])
        assert await listener.receive() == [Delivery("a", b"2")]


async def test_the_oldest_keys_are_forgotten_over_the_bound() -> None:
    relay = MemoryRelay(once_keys=3)
    relay.remember_keys(["k1", "k2", "k3", "k4"])
    assert relay.statistics().once_keys == 3
    async with relay.open_listener() as listener:
        await listener.subscribe(["a"])
        await relay.publish([Publication("a", b"4", once="k4"), Publication("a", b"1", once="k1")])
        assert await listener.receive() == [Delivery("a", b"1")]


async def test_a_listener_that_left_is_closed_and_holds_nothing() -> None:
    relay = MemoryRelay()
    async with relay.open_listener() as listener:
        await listener.subscribe(["a", "b"])
        assert relay.statistics() == MemoryRelayStatistics(1, 2, 0, 0, 0)
    assert relay.statistics() == MemoryRelayStatistics(0, 0, 0, 0, 0)
    for call in (listener.receive(), listener.subscribe(["a"]), listener.unsubscribe(["a"])):
        with pytest.raises(anyio.ClosedResourceError):
            await call


async def test_a_receiver_that_waits_ends_when_its_listener_closes() -> None:
    relay = MemoryRelay()
    ended = False

    async with anyio.create_task_group() as tasks, relay.open_listener() as listener:

        async def receive() -> None:
            nonlocal ended
            with pytest.raises(anyio.ClosedResourceError):
                await listener.receive()
            ended = True

        tasks.start_soon(receive)
        for _ in range(5):
            await checkpoint()
    assert ended


async def test_one_task_receives() -> None:
    async with MemoryRelay().open_listener() as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.receive)
        for _ in range(5):
            await checkpoint()
        with pytest.raises(anyio.BusyResourceError):
            await listener.receive()
        tasks.cancel_scope.cancel()


async def test_a_cancelled_publish_published_nothing() -> None:
    relay = MemoryRelay()
    async with relay.open_listener() as listener:
        await listener.subscribe(["a"])
        with anyio.CancelScope() as scope:
            scope.cancel()
            await relay.publish([Publication("a", b"1", once="k")])
        await relay.publish([Publication("a", b"1", once="k")])
        assert await listener.receive() == [Delivery("a", b"1")]
