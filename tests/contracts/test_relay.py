"""What every implementation of `chat.ports.relay` keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest
from anyio.lowlevel import checkpoint

from chat.ports.relay import ONCE_SECONDS, Delivery, Listener, Publication, Relay
from tests.support.clocks import virtual_time
from tests.support.patience import patient
from tests.support.relays import RELAYS, RelayFactory
from tests.support.servers import marked

pytestmark = pytest.mark.anyio
DEADLINE = 10.0
BUFFER = 8


@pytest.fixture(params=marked(RELAYS))
def factory(request: pytest.FixtureRequest) -> RelayFactory:
    return RELAYS[request.param]


@pytest.fixture
async def relay(factory: RelayFactory) -> AsyncIterator[Relay]:
    async with factory(1000) as made:
        yield made


async def take(listener: Listener, count: int) -> list[tuple[str, bytes | None]]:
    """The next `count` deliveries."""
    got: list[Delivery] = []
    with anyio.fail_after(patient(DEADLINE)):
        while len(got) < count:
            deliveries = await listener.receive()
            assert deliveries
            got.extend(deliveries)
    return [(delivery.channel, delivery.payload) for delivery in got]


async def test_a_subscriber_gets_what_is_published_in_order(relay: Relay) -> None:
    async with relay.open_listener() as listener:
        await listener.subscribe(["a", "b"])
        await relay.publish([Publication("a", b"1"), Publication("b", b"2"), Publication("c", b"no")])
        await relay.publish([Publication("a", b"3")])
        assert await take(listener, 3) == [("a", b"1"), ("b", b"2"), ("a", b"3")]


async def test_every_listener_gets_it(relay: Relay) -> None:
    async with relay.open_listener() as one, relay.open_listener() as other:
        await one.subscribe(["a"])
        await other.subscribe(["a"])
        await relay.publish([Publication("a", b"1")])
        assert await take(one, 1) == await take(other, 1) == [("a", b"1")]


async def test_nothing_comes_after_unsubscribe(relay: Relay) -> None:
    async with relay.open_listener() as listener:
        await listener.subscribe(["a", "b"])
        await listener.unsubscribe(["a", "never"])
        await relay.publish([Publication("a", b"1"), Publication("b", b"2")])
        assert await take(listener, 1) == [("b", b"2")]


async def test_subscribing_twice_delivers_once(relay: Relay) -> None:
    async with relay.open_listener() as listener:
        await listener.subscribe(["a"])
        await listener.subscribe(["a", "a"])
        await relay.publish([Publication("a", b"1"), Publication("a", b"2")])
        assert await take(listener, 2) == [("a", b"1"), ("a", b"2")]


async def test_a_receiver_that_waits_is_woken(relay: Relay) -> None:
    async with relay.open_listener() as listener, anyio.create_task_group() as tasks:
        await listener.subscribe(["a"])

        async def publish() -> None:
            for _ in range(5):
                await checkpoint()
            await relay.publish([Publication("a", b"1")])

        tasks.start_soon(publish)
        assert await take(listener, 1) == [("a", b"1")]


async def test_a_key_passes_once(relay: Relay) -> None:
    async with relay.open_listener() as listener:
        await listener.subscribe(["a", "b"])
        await relay.publish([Publication("a", b"1", once="k"), Publication("b", b"2", once="other")])
        await relay.publish([Publication("a", b"again", once="k"), Publication("a", b"3")])
        assert await take(listener, 3) == [("a", b"1"), ("b", b"2"), ("a", b"3")]


@virtual_time
async def test_a_key_passes_again_after_its_time(relay: Relay) -> None:
    async with relay.open_listener() as listener:
        await listener.subscribe(["a"])
        await relay.publish([Publication("a", b"1", once="k")])
        await anyio.sleep(ONCE_SECONDS - 1)
        await relay.publish([Publication("a", b"again", once="k")])
        await anyio.sleep(2)
        await relay.publish([Publication("a", b"2", once="k")])
        assert await take(listener, 2) == [("a", b"1"), ("a", b"2")]


async def test_an_overflow_is_told_once_a_channel_and_delivery_goes_on(factory: RelayFactory) -> None:
    async with factory(BUFFER) as relay, relay.open_listener() as slow, relay.open_listener() as quick:
        await slow.subscribe(["a", "b"])
        await quick.subscribe(["b"])
        for number in range(BUFFER + 5):
            await relay.publish([Publication("a", b"%d" % number), Publication("b", b"%d" % number)])
            assert await take(quick, 1) == [("b", b"%d" % number)]
        got = await take(slow, 1)
        for channel in ("a", "b"):
            payloads = [payload for name, payload in got if name == channel]
            assert payloads.count(None) == 1
            before = payloads[: payloads.index(None)]
            assert before == [b"%d" % number for number in range(len(before))]
        await relay.publish([Publication("a", b"after"), Publication("b", b"after")])
        assert (await take(slow, 2))[-2:] == [("a", b"after"), ("b", b"after")]


async def test_a_cancelled_receive_loses_nothing(relay: Relay) -> None:
    got: list[bytes | None] = []

    async def receive(listener: Listener) -> None:
        got.extend(delivery.payload for delivery in await listener.receive())

    async with relay.open_listener() as listener:
        await listener.subscribe(["a"])
        for patience in range(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(receive, listener)
                for _ in range(patience // 2):
                    await checkpoint()
                await relay.publish([Publication("a", b"%d" % patience)])
                for _ in range(patience % 4):
                    await checkpoint()
                tasks.cancel_scope.cancel()
        while len(got) < 10:
            await receive(listener)
    assert got == [b"%d" % number for number in range(10)]


async def test_publishing_goes_on_when_a_listener_has_left(relay: Relay) -> None:
    async with relay.open_listener() as stays:
        async with relay.open_listener() as leaves:
            await leaves.subscribe(["a"])
            await stays.subscribe(["a"])
        await relay.publish([Publication("a", b"1")])
        assert await take(stays, 1) == [("a", b"1")]
