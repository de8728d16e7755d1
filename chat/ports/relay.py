"""The relay: publish and subscribe for live delivery; Redis Pub/Sub's model. It may lose, and then says so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol, runtime_checkable

ONCE_SECONDS = 300


class Publication(NamedTuple):
    """A payload for a channel. With `once`, it is dropped when that key was published in the last 300 s."""

    channel: str
    payload: bytes
    once: str | None = None


class Delivery(NamedTuple):
    """What came on a channel. `payload` None: deliveries on this channel before this point may be lost."""

    channel: str
    payload: bytes | None


class Listener(Protocol):
    """One subscriber, with its own bounded buffer.

    Deliveries of one publisher on any channels come in the order of publication. When the buffer overflows, or the
    connection was interrupted, each channel concerned gets one `Delivery(channel, None)` in place of what was lost.
    """

    async def subscribe(self, channels: Collection[str]) -> None:
        """After this returns, everything published on these channels is delivered."""
        ...

    async def unsubscribe(self, channels: Collection[str]) -> None:
        """After this returns, what was published later is not delivered."""
        ...

    async def receive(self) -> Sequence[Delivery]:
        """Wait for deliveries; all that are there, in order; never empty."""
        ...


class Relay(Protocol):
    """Fan-out between processes."""

    async def publish(self, publications: Sequence[Publication]) -> None:
        """Deliver to whoever is subscribed now, in order. Nothing is kept for anyone else."""
        ...

    def open_listener(self) -> AbstractAsyncContextManager[Listener]:
        """Open a subscriber."""
        ...


Taker = Callable[[Sequence[Delivery]], bool]
"""Takes deliveries at once, all or none, and says whether it did."""


@runtime_checkable
class PromptRelay(Protocol):
    """What a relay within one process can do, beside `Relay`: nobody there has to be waited for."""

    def publish_nowait(self, publications: Sequence[Publication]) -> None:
        """As `publish`, at once."""
        ...


@runtime_checkable
class PromptListener(Protocol):
    """What a listener of such a relay can do, beside `Listener`."""

    def offer_to(self, taker: Taker) -> None:
        """Offer what one call publishes to `taker` while that call runs, as long as `receive` waits.

        So what it takes keeps its place in the order, and costs no turn of the event loop. What it does not take, and
        what comes while `receive` does not wait, goes to `receive`.
        """
        ...
