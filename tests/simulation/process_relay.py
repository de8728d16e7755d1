"""The relay as a process reaches it: see `tests.simulation.calls`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

import anyio

from chat.errors import Unavailable
from chat.ports.relay import Delivery, Listener, Publication, Relay
from tests.simulation.calls import call_engine
from tests.simulation.faults import Process

PARTLY, TWICE = 0.25, 0.1


class Network:
    """The relay's server: the one that runs now; None while it cannot be reached."""

    def __init__(self, relay: Relay) -> None:
        self.relay: Relay | None = relay

    def get_relay(self) -> Relay:
        """The relay. Raises `Unavailable`."""
        if self.relay is None:
            raise Unavailable("the relay cannot be reached")
        return self.relay


class ProcessListener:
    """`chat.ports.relay.Listener`, over a connection that may break."""

    def __init__(self, process: Process, network: Network) -> None:
        self._process = process
        self._network = network
        self._channels: dict[str, None] = {}
        self._connection: AbstractAsyncContextManager[Listener] | None = None
        self._inner: Listener | None = None
        self._held: Sequence[Delivery] = ()
        self._changed = anyio.Event()

    async def connect(self) -> None:
        """Connect again. What was published meanwhile is lost, and is reported for each channel."""
        if self._inner is None and self._network.relay is not None:
            self._connection = self._network.relay.open_listener()
            self._inner = await self._connection.__aenter__()
            with contextlib.suppress(anyio.ClosedResourceError):  # it broke again
                await self._inner.subscribe(self._channels)
                self._held = self.report_interruption()
                self._changed.set()

    def report_interruption(self) -> list[Delivery]:
        """The deliveries that report an interruption to the edge."""
        return [Delivery(channel, None) for channel in self._channels]

    async def disconnect(self) -> None:
        """The connection breaks: what was on its way is lost."""
        connection, self._connection, self._inner = self._connection, None, None
        self._held = ()
        self._changed.set()
        if connection is not None:
            await connection.__aexit__(None, None, None)

    async def subscribe(self, channels: Collection[str]) -> None:
        await call_engine(self._process, "subscribe", lambda: self._subscribe_channels(channels))

    async def _subscribe_channels(self, channels: Collection[str]) -> None:
        if self._inner is None:
            raise Unavailable("the relay cannot be reached")
        with _translate_errors():
            await self._inner.subscribe(channels)
        self._channels.update(dict.fromkeys(channels))
        self._tell("subscribes", channels)

    async def unsubscribe(self, channels: Collection[str]) -> None:
        await call_engine(self._process, "unsubscribe", lambda: self._unsubscribe_channels(channels))

    async def _unsubscribe_channels(self, channels: Collection[str]) -> None:
        if self._inner is None:
            raise Unavailable("the relay cannot be reached")
        with _translate_errors():
            await self._inner.unsubscribe(channels)
        for channel in channels:
            self._channels.pop(channel, None)
        self._tell("unsubscribes", channels)

    def _tell(self, what: str, channels: Collection[str]) -> None:
        name = self._process.faults.story.name
        self._process.tell(f"{what} {', '.join(sorted(map(name, channels)))}")

    async def receive(self) -> Sequence[Delivery]:
        """Receive deliveries. They may be late; an interruption loses those that were on their way."""
        while True:
            self._changed = anyio.Event()
            if not self._held:
                await self._fetch_deliveries()
            changed = self._changed
            slow = self._process.faults.draw_fault(self._process.faults.rates_of("publish").slow)
            await anyio.sleep(self._process.faults.rng.random() * (2.0 if slow else 0.004))
            await self._process.block_unless_running()
            if self._held and not changed.is_set():
                held, self._held = self._held, ()
                if came := [delivery for delivery in held if not self._is_lost(delivery)]:
                    return came

    def _is_lost(self, delivery: Delivery) -> bool:
        faults = self._process.faults
        if delivery.payload is None or not faults.draw_fault(faults.loss):
            return False
        self._process.tell(f"misses something on {faults.story.name(delivery.channel)}")
        return True

    async def _fetch_deliveries(self) -> None:
        inner = self._inner
        if inner is None:
            await self._changed.wait()
            return
        try:
            deliveries = await inner.receive()
        except anyio.ClosedResourceError:
            return
        if inner is self._inner:
            self._held = deliveries


class ProcessRelay:
    """`chat.ports.relay.Relay`."""

    def __init__(self, process: Process, network: Network, listener: type[ProcessListener] = ProcessListener) -> None:
        self._process = process
        self._listener = listener
        self._network = network
        self.listeners: list[ProcessListener] = []

    async def publish(self, publications: Sequence[Publication]) -> None:
        """Publish. A part of a call that fails may have been published, and a call may take effect twice."""
        await self._process.before_call("publish")
        relay, faults = self._network.get_relay(), self._process.faults
        if faults.draw_fault(faults.rates_of("publish").uncertain * PARTLY):
            self._process.tell("publish fails half-way")
            await relay.publish(publications[: faults.rng.randint(0, len(publications))])
            raise Unavailable("the simulation broke the connection")
        await relay.publish(publications)
        if faults.draw_fault(faults.rates_of("publish").uncertain * TWICE):
            self._process.tell("publish arrives twice")
            await relay.publish(publications)
        await self._process.after_call("publish")

    @asynccontextmanager
    async def open_listener(self) -> AsyncIterator[ProcessListener]:
        listener = self._listener(self._process, self._network)
        self.listeners.append(listener)
        await listener.connect()
        try:
            yield listener
        finally:
            self.listeners.remove(listener)
            with anyio.CancelScope(shield=True):
                await listener.disconnect()


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except anyio.ClosedResourceError:
        raise Unavailable("the relay's connection broke") from None
