"""What goes wrong in a run, drawn from its seed: at each call of an engine, and to each process.

A call of an engine by a process has two places where something can happen: before it takes effect, and after. At either
the process may crash, and the call may take its time or fail (`Unavailable`); one that fails afterwards took effect all
the same. So every point between two effects of a process is a place where it may end.
"""

from __future__ import annotations

import random

import anyio
from msgspec import Struct

from chat.errors import Unavailable
from tests.simulation.story import Story

WRITES = ("append", "apply", "publish", "commit", "change")
READS = ("newest", "known", "since", "page", "get", "role", "account", "poll", "subscribe", "unsubscribe")
TRIP_SECONDS = 0.004
SLOW_SECONDS = 2.5
LOSSY, LOSS = 0.2, 0.06


class Rates(Struct, frozen=True):
    """How often a call is slow, fails without effect, fails after its effect, or ends its process; from 0 to 1."""

    slow: float = 0.0
    refused: float = 0.0
    uncertain: float = 0.0
    crash: float = 0.0


NONE = Rates()


def draw_rates(rng: random.Random) -> dict[str, Rates]:
    """The rates of a run. Most kinds of fault are rare or absent in one run and frequent in another: so each kind is
    met without the noise of all others, too."""

    def rate(share: float, most: float) -> float:
        return most * rng.random() ** 2 if rng.random() < share else 0.0

    calm = rng.random() < 0.1
    rates = {}
    for call in (*WRITES, *READS):
        weight = 0.0 if calm else 1.0 if call in WRITES else 0.7
        rates[call] = Rates(
            slow=weight * rate(0.6, 0.5),
            refused=weight * rate(0.4, 0.25),
            uncertain=weight * rate(0.4, 0.25) if call != "poll" else 0.0,
            crash=weight * rate(0.4, 0.1) if call != "page" else 0.0,  # REST stays
        )
    return rates


class Faults:
    """Draws the faults. Once `quiet`, there are none."""

    def __init__(self, rng: random.Random, story: Story) -> None:
        self.rng = rng
        self.story = story
        self.rates = draw_rates(rng)
        self.lossy = rng.random() < LOSSY
        self.quiet = False

    @property
    def loss(self) -> float:
        """How often a delivery of the relay is lost without a report; the port does not allow that."""
        return LOSS if self.lossy and not self.quiet else 0.0

    def rates_of(self, call: str) -> Rates:
        """The rates of a call now."""
        return NONE if self.quiet else self.rates[call]

    def draw_fault(self, rate: float) -> bool:
        """Whether a fault of this rate happens now."""
        return rate > 0 and self.rng.random() < rate


class Process:
    """A process of the cluster, as the engines see it: alive, stalled, or dead.

    Once it is killed, it has no effect on any engine: its calls never return, and what it hands in is lost. Its memory
    is gone; another process takes its place.
    """

    def __init__(self, name: str, faults: Faults) -> None:
        self.name = name
        self.faults = faults
        self.alive = True
        self.scope = anyio.CancelScope()
        self.ended = anyio.Event()
        self.drained: float | None = None
        self._stalled = 0.0

    def tell(self, what: str) -> int:
        """Add a line about this process to the story. Its step."""
        return self.faults.story.tell(self.name, what)

    def kill(self, why: str) -> None:
        """End the process, without any clean-up that the engines would notice."""
        if self.alive:
            self.tell(f"is killed {why}")
            self.alive = False
            self.scope.cancel()
            self.ended.set()

    @property
    def stalled(self) -> bool:
        """Whether the process pauses now."""
        return self.alive and self._stalled > anyio.current_time()

    def drain(self) -> None:
        """Note that the process was asked to drain."""
        self.tell("is drained")
        self.drained = anyio.current_time()

    def stall(self, seconds: float) -> None:
        """Let its calls wait so long, as in a pause of the machine."""
        self.tell(f"stalls for {seconds:.1f} s")
        self._stalled = anyio.current_time() + seconds

    async def before_call(self, call: str) -> None:
        """A call is on its way to the engine."""
        rates = await self._travel(call, "before")
        if self.faults.draw_fault(rates.refused):
            self.tell(f"{call} fails")
            raise Unavailable(f"the simulation refuses {call}")

    async def after_call(self, call: str) -> None:
        """The call took effect, and the answer is on its way back."""
        rates = await self._travel(call, "after")
        if self.faults.draw_fault(rates.uncertain):
            self.tell(f"{call} took effect, but seems to fail")
            raise Unavailable(f"the simulation loses the answer of {call}")

    async def _travel(self, call: str, place: str) -> Rates:
        faults = self.faults
        rates = faults.rates_of(call)
        if self.alive and faults.draw_fault(rates.crash):
            self.kill(f"{place} {call}")
        await self.block_unless_running()
        slow = faults.draw_fault(rates.slow)
        await anyio.sleep(faults.rng.random() * (SLOW_SECONDS if slow else TRIP_SECONDS))
        await self.block_unless_running()
        return rates

    async def block_unless_running(self) -> None:
        """Return at once for a process that runs, later for a stalled one, never for a dead one."""
        while self.stalled:  # noqa: ASYNC110 - it may be put off meanwhile
            await anyio.sleep_until(self._stalled)
        if not self.alive:
            await anyio.sleep_forever()
