"""The buffer of a listener: bounded, and without a hole that is not marked."""

from __future__ import annotations

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from chat.adapters.redis.deliveries import DeliveryBuffer
from chat.ports.relay import Delivery

pytestmark = pytest.mark.anyio


async def test_it_is_bounded_in_bytes() -> None:
    inbox = DeliveryBuffer(100, 100)
    for channel, size in (("a", 60), ("a", 60), ("b", 30), ("a", 1), ("b", 30)):
        inbox.put_delivery(channel, b"x" * size)
    assert [(channel, payload and len(payload)) for channel, payload in await inbox.receive()] == [
        ("a", 60),
        ("a", None),
        ("b", 30),
        ("b", None),
    ]
    assert inbox.lost == 3
    inbox.put_delivery("a", b"after")
    assert await inbox.receive() == [Delivery("a", b"after")]


async def test_marks_are_bounded_too() -> None:
    inbox = DeliveryBuffer(4, 1000)
    for _ in range(10):
        inbox.mark_channel("a")
        inbox.mark_channel("b")
    assert len(await inbox.receive()) == 6


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=40), st.integers(1, 6))
def test_behind_a_hole_there_is_a_mark(steps: list[tuple[str, bool]], bound: int) -> None:
    inbox = DeliveryBuffer(bound, 1000)
    for number, (channel, mark) in enumerate(steps):
        if mark:
            inbox.mark_channel(channel)
        else:
            inbox.put_delivery(channel, b"%d" % number)
    got = anyio.run(_take, inbox) if steps else []
    assert len(got) <= bound + 2
    for name in "ab":
        put = [b"%d" % number for number, (channel, mark) in enumerate(steps) if channel == name and not mark]
        taken = [payload for channel, payload in got if channel == name]
        # What stands before a mark may miss its end; what stands without one is whole.
        kept = [payload for payload in taken if payload is not None]
        assert kept == put[: len(kept)]
        assert len(kept) == len(put) or taken[-1] is None


async def _take(inbox: DeliveryBuffer) -> list[Delivery]:
    return list(await inbox.receive())


async def test_a_receiver_is_woken_and_is_alone() -> None:
    inbox = DeliveryBuffer(10, 1000)
    got: list[Delivery] = []

    async def receive() -> None:
        got.extend(await inbox.receive())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receive)
        for _ in range(5):
            await checkpoint()
        with pytest.raises(anyio.BusyResourceError):
            await inbox.receive()
        inbox.put_delivery("a", b"1")
        inbox.put_delivery("b", b"2")
        inbox.wake_receiver()
    assert got == [("a", b"1"), ("b", b"2")]


async def test_closing_ends_the_wait() -> None:
    inbox = DeliveryBuffer(10, 1000)

    async def receive() -> None:
        with pytest.raises(anyio.ClosedResourceError):
            await inbox.receive()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receive)
        for _ in range(5):
            await checkpoint()
        inbox.close()
    with pytest.raises(anyio.ClosedResourceError):
        await inbox.receive()
