"""The edge's two ends of the relay: subscriptions that come and go at the same time, and what is to be published."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest

from chat.errors import Overloaded, Unavailable
from chat.ports.relay import Delivery, Publication
from chat.wire.relay import Revoked, pack_control, pack_event
from gateway.counters import Counters
from gateway.fanout import FanOut
from gateway.hub import Hub
from gateway.multiplexer import Multiplexer
from gateway.publisher import Publisher
from gateway.subscriptions import ChannelSubscriptions
from tests.support.backends import virtual_time
from tests.support.fanout import CHANNEL, Controls, Member, message, play
from tests.support.patience import patient
from tests.support.stepping import settle

pytestmark = pytest.mark.anyio
ANOTHER = "room:another"
UVLOOP = ("asyncio", {"use_uvloop": True})


class Relay:
    """A relay whose calls take as long as a test wants, and fail when it wants."""

    def __init__(self) -> None:
        self.subscribed: set[str] = set()
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.gate: anyio.Event | None = None
        self.error: Exception | None = None
        self.published: list[Publication] = []
        self.steps: random.Random | None = None
        self.arrived = anyio.Event()
        self.dropped: Callable[[], None] = lambda: None

    async def subscribe(self, channels: Collection[str]) -> None:
        await self._call("subscribe", channels)
        self.subscribed |= set(channels)

    async def unsubscribe(self, channels: Collection[str]) -> None:
        await self._call("unsubscribe", channels)
        self.subscribed -= set(channels)
        self.dropped()

    async def receive(self) -> Sequence[Delivery]:
        await anyio.sleep_forever()
        raise AssertionError

    @asynccontextmanager
    async def open_listener(self) -> AsyncIterator[Relay]:
        yield self

    async def publish(self, publications: Sequence[Publication]) -> None:
        await self._call("publish", [each.channel for each in publications])
        self.published += publications

    async def _call(self, name: str, channels: Collection[str]) -> None:
        self.calls.append((name, tuple(sorted(channels))))
        self.arrived.set()
        gate, error = self.gate, self.error
        for _ in range(1 if self.steps is None else self.steps.randrange(1, 6)):
            await anyio.lowlevel.checkpoint()
        if gate is not None:
            await gate.wait()
        if error is not None:
            raise error


class Ends:
    """Both ends on one relay, and the session-like users of them."""

    def __init__(self) -> None:
        self.relay = Relay()
        self.hub, self.mux = Hub(), Multiplexer()
        self.control, self.counters = Controls(), Counters()
        self.subscriptions = ChannelSubscriptions(self.hub)
        self.subscriptions.listener = self.relay
        self.fan_out = FanOut(self.hub, self.mux, self.counters, self.control)
        self.publisher = Publisher(self.relay)

    async def listen(self, member: Member, name: str = CHANNEL) -> None:
        channel = self.hub.open_channel(name)
        channel.add_member(member)
        await self.subscriptions.ensure_ready(channel)

    def leave(self, member: Member, name: str = CHANNEL) -> None:
        self.subscriptions.leave_channel(name, member)

    def check(self) -> None:
        """What is ready is subscribed."""
        assert self.relay.subscribed >= {each.name for each in self.hub.channels.values() if each.ready}

    async def until(self, *calls: str) -> None:
        """Wait until the relay was called so, in this order."""
        with anyio.fail_after(patient(10)):
            while [name for name, _ in self.relay.calls] != list(calls):
                self.relay.arrived = anyio.Event()
                await self.relay.arrived.wait()


@asynccontextmanager
async def running() -> AsyncIterator[Ends]:
    ends = Ends()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ends.subscriptions.run_unsubscriptions)
        tasks.start_soon(ends.publisher.run)
        yield ends
        tasks.cancel_scope.cancel()
    ends.mux.close()


async def test_without_a_listener_nothing_is_ready() -> None:
    ends = Ends()
    ends.subscriptions.listener = None
    with pytest.raises(Unavailable):
        await ends.listen(Member(ends.hub, 1))
    ends.mux.close()


async def test_a_topic_is_subscribed_once_and_ready_when_the_relay_says_so() -> None:
    async with running() as ends:
        await ends.listen(Member(ends.hub, 1))
        await ends.listen(Member(ends.hub, 2))
        await ends.subscriptions.ensure_all_ready([ends.hub.open_channel(CHANNEL)])
        assert ends.relay.calls == [("subscribe", (CHANNEL,))]
        ends.relay.error = Unavailable("gone")
        with pytest.raises(Unavailable):
            await ends.listen(Member(ends.hub, 3), ANOTHER)
        assert not ends.hub.channels[ANOTHER].ready


async def test_what_is_released_is_unsubscribed_together_unless_wanted_again() -> None:
    async with running() as ends:
        one, other = Member(ends.hub, 1), Member(ends.hub, 2)
        for channel in (CHANNEL, ANOTHER, "room:third"):
            await ends.listen(one, channel)
        for channel in (CHANNEL, ANOTHER, "room:third"):
            ends.leave(one, channel)
        await ends.listen(other, "room:third")
        await ends.until(*["subscribe"] * 4, "unsubscribe")
        assert ends.relay.calls[-1] == ("unsubscribe", tuple(sorted((CHANNEL, ANOTHER))))
        await settle()
        assert ends.relay.subscribed == {"room:third"}


@pytest.mark.parametrize("fails", [False, True])
async def test_a_subscription_waits_for_the_unsubscription_that_is_under_way(fails: bool) -> None:
    async with running() as ends:
        one, other = Member(ends.hub, 1), Member(ends.hub, 2)
        await ends.listen(one)
        ends.relay.gate = anyio.Event()
        ends.relay.error = Unavailable("gone") if fails else None
        ends.leave(one)
        await ends.until("subscribe", "unsubscribe")
        gate, ends.relay.gate, ends.relay.error = ends.relay.gate, None, None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ends.listen, other)
            tasks.start_soon(ends.listen, other, ANOTHER)  # another channel need not wait
            await settle()
            assert ends.hub.channels[ANOTHER].ready
            assert not ends.hub.channels[CHANNEL].ready
            gate.set()
        assert ends.hub.channels[CHANNEL].ready
        await settle()
        assert ends.relay.subscribed == {CHANNEL, ANOTHER}


async def test_a_relay_that_fails_meanwhile_ends_no_other_session() -> None:
    async with running() as ends:
        one = Member(ends.hub, 1)
        await ends.listen(one)
        ends.relay.gate = gate = anyio.Event()
        ends.leave(one)
        await ends.until("subscribe", "unsubscribe")
        ends.relay.error, ends.relay.gate = Unavailable("gone"), None
        refused: list[Exception] = []

        async def listen() -> None:
            try:
                await ends.listen(one)
            except Unavailable as error:
                refused.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            await settle()
            gate.set()
        assert len(refused) == 1
        await settle()
        ends.relay.error = None
        await ends.subscriptions.ensure_ready(ends.hub.channels[CHANNEL])
        ends.leave(one)
        await settle()
        assert not ends.relay.subscribed


@virtual_time
async def test_an_unsubscription_that_hangs_does_not_block_subscribers_for_ever() -> None:
    async with running() as ends:
        one = Member(ends.hub, 1)
        await ends.listen(one)
        ends.relay.gate = anyio.Event()
        ends.leave(one)
        await ends.until("subscribe", "unsubscribe")
        ends.relay.gate = None
        await ends.listen(one)
        assert ends.hub.channels[CHANNEL].ready
        # What could not be unsubscribed is tried again with what is released next.
        ends.leave(one)
        await settle()
        assert not ends.relay.subscribed


@pytest.mark.parametrize("anyio_backend", ["trio", "asyncio", UVLOOP], ids=["trio", "asyncio", "uvloop"])
@pytest.mark.parametrize("seed", range(5))
async def test_any_race_leaves_exactly_what_is_listened_to(anyio_backend: object, seed: int) -> None:
    """Sessions come and go, cancelled at any moment; a channel that is ready is subscribed at every moment."""
    chance = random.Random(seed)
    async with running() as ends:
        ends.relay.steps = random.Random(seed)
        ends.relay.dropped = ends.check

        async def session(number: int) -> None:
            member = Member(ends.hub, number)
            for _ in range(30):
                channel = f"room:{chance.randrange(3)}"
                with anyio.CancelScope() as scope:
                    if chance.random() < 0.3:
                        tasks.start_soon(cancel, scope, chance.randrange(1, 8))
                    await ends.listen(member, channel)
                    for _ in range(chance.randrange(4)):
                        ends.check()
                        await anyio.lowlevel.checkpoint()
                ends.leave(member, channel)

        async def cancel(scope: anyio.CancelScope, after: int) -> None:
            for _ in range(after):
                await anyio.lowlevel.checkpoint()
            scope.cancel()

        with anyio.fail_after(patient(10)):
            async with anyio.create_task_group() as tasks:
                for number in range(8):
                    tasks.start_soon(session, number)
        assert not ends.hub.channels
        await settle()
        assert not ends.relay.subscribed


async def test_a_payload_that_cannot_be_read_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    ends = Ends()
    member = Member(ends.hub, 1)
    ends.hub.open_channel(CHANNEL).add_member(member)
    control = Revoked(user="u", family=None, code=4001, reason="x")
    batch = [
        Delivery(CHANNEL, b""),
        Delivery(CHANNEL, b"c{"),
        Delivery(CHANNEL, b'c{"do":"else"}'),
        Delivery(CHANNEL, pack_control(control)),
        message(1),
    ]
    await play(ends.fan_out, batch)
    assert member.seqs() == [1]
    assert ends.control.controls == [control]
    assert caplog.text.count("unreadable payload") == 3
    ends.mux.close()


async def test_channels_keep_their_order_in_a_mixed_batch() -> None:
    ends = Ends()
    member = Member(ends.hub, 1)
    for channel in (CHANNEL, "user:1"):
        ends.hub.open_channel(channel).add_member(member)
    event = Delivery("user:1", pack_event(b'{"type":"dm"}'))
    await play(ends.fan_out, [message(1), message(2), event, Delivery("user:1", None), Delivery("user:2", None)])
    assert [frame["type"] for frame in member.frames()] == ["message", "message", "dm"]
    assert ends.counters.deliveries == 3
    assert ends.control.interrupted == ["user:1"]  # nobody here listens to the other's
    ends.mux.close()


async def test_long_runs_are_written_in_parts() -> None:
    ends = Ends()
    member = Member(ends.hub, 1)
    ends.hub.open_channel(CHANNEL).add_member(member)
    await play(ends.fan_out, [message(seq, "x" * 1000) for seq in range(1, 200)])
    assert member.seqs() == list(range(1, 200))
    ends.mux.close()


def publication(number: int) -> Publication:
    return Publication(f"room:{number}", b"e{}")


async def test_publications_leave_in_order_and_together() -> None:
    async with running() as ends:
        ends.relay.gate = gate = anyio.Event()
        ends.publisher.publish(publication(0))
        await ends.until("publish")
        ends.relay.gate = None
        for number in range(1, 6):
            ends.publisher.publish(publication(number), publication(number))
        gate.set()
        await ends.until("publish", "publish")
        await settle()
        assert ends.relay.published == [publication(0), *(publication(n) for n in range(1, 6) for _ in range(2))]


async def test_more_than_the_queue_holds_is_refused() -> None:
    ends = Ends()
    for number in range(10_000):
        ends.publisher.publish(publication(number))
    with pytest.raises(Overloaded):
        ends.publisher.publish(publication(0))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ends.publisher.run)
        await ends.until("publish")
        ends.publisher.publish(publication(1))  # there is room again
        await ends.until("publish", "publish")
        await settle()
        tasks.cancel_scope.cancel()
    assert len(ends.relay.published) == 10_001
    ends.mux.close()


@virtual_time
async def test_what_the_relay_does_not_take_is_tried_once_more_and_then_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running() as ends:
        ends.relay.error = Unavailable("gone")
        ends.publisher.publish(publication(1))
        await ends.until("publish")
        ends.relay.error = None
        ends.publisher.publish(publication(2))
        await ends.until("publish", "publish", "publish")
        await settle()
        assert ends.relay.published == [publication(1), publication(2)]
        ends.relay.error = Unavailable("gone")
        ends.publisher.publish(publication(3), publication(4))
        await ends.until(*["publish"] * 5)
        await settle()
        assert "2 live publications were dropped" in caplog.text
        ends.relay.error = None
        ends.publisher.publish(publication(5))
        await ends.until(*["publish"] * 6)
        await settle()
        assert ends.relay.published[2:] == [publication(5)]
