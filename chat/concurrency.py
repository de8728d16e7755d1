"""Small machines that tasks wait with: events that reset, a one-shot result, a bounded mailbox, back-off with jitter.

All of them belong to the thread of one event loop, run on each of them, and know nothing of the rest of the house.

Rule 1: `set`, `notify_all`, `resolve`, `put_nowait` and `close` never wait, so a callback of a driver may call them.
Rule 2: a wake-up is not lost: what happens between two waits is seen by the second one (`Broadcast` alone forgets).
Rule 3: a cancelled wait takes nothing: the event stays set, the result stays there, the items stay in the mailbox.
Rule 4: a wait that would not block is a checkpoint all the same.
Rule 5: an `AutoResetEvent` and a `Mailbox` have one waiting task; a second one gets `anyio.BusyResourceError`.
Rule 6: the first outcome of a `OneShot` stands; what comes later is dropped, and so is one that nobody awaits.
Rule 7: a full `Mailbox` refuses and loses nothing; a closed one takes nothing more, and hands out what it holds.
Rule 8: a delay of a `Backoff` is never longer than its cap.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar, cast

import anyio
import anyio.lowlevel
from msgspec import Struct

T = TypeVar("T")
Uniform = Callable[[float, float], float]


def current_time() -> float:
    """As `anyio.current_time`, for what asks often: that looks up the event loop's library first, in five calls."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return anyio.current_time()


class AutoResetEvent:
    """Wakes one task, and resets itself thereby: however often it was set before, the task wakes once."""

    __slots__ = ("_set", "_waiter")

    def __init__(self) -> None:
        self._set = False
        self._waiter: anyio.Event | None = None  # made by a wait that blocks, so that setting costs little

    def is_set(self) -> bool:
        """Whether the next `wait` would return at once."""
        return self._set

    def set(self) -> None:
        """Wake the task that waits, or the next one that will."""
        self._set = True
        if self._waiter is not None:
            self._waiter.set()

    def clear(self) -> None:
        """Forget that it was set."""
        self._set = False

    async def wait(self) -> None:
        """Return when it is set, and reset it."""
        if self._set and self._waiter is None:
            await anyio.lowlevel.checkpoint()  # rule 4
        await self._wait()

    async def wait_next(self) -> None:
        """As `wait`, but only what is set from now on counts: for a task that has just looked at all there was."""
        if self._waiter is None:
            self._set = False
        await self._wait()

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise anyio.BusyResourceError("waiting for")  # rule 5
        while not self._set:
            self._waiter = anyio.Event()
            try:
                await self._waiter.wait()
            finally:
                self._waiter = None
        self._set = False  # rule 3: after the last await, so a cancellation leaves it set


class ManualResetEvent:
    """As `anyio.Event`, but can be cleared: every `wait` returns at once while it is set."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = anyio.Event()

    def is_set(self) -> bool:
        """Whether `wait` would return at once."""
        return self._event.is_set()

    def set(self) -> None:
        """Wake all who wait, and let pass all who come until `clear`."""
        self._event.set()

    def clear(self) -> None:
        """Let whoever comes from now on wait. Who was woken already goes on."""
        if self._event.is_set():  # else tasks may wait on it, and must not be left behind
            self._event = anyio.Event()

    async def wait(self) -> None:
        """Return when it is set."""
        await self._event.wait()


class Broadcast:
    """Wakes everyone who waits now, and nobody who comes later: for "something changed, look again"."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: anyio.Event | None = None

    def notify_all(self) -> None:
        """Wake all tasks that wait."""
        event, self._event = self._event, None
        if event is not None:
            event.set()

    async def wait(self) -> None:
        """Return after the next `notify_all`. Look at the state first, with no await between the look and this."""
        if self._event is None:
            self._event = anyio.Event()
        await self._event.wait()


class OneShot(Generic[T]):
    """A result that a callback gives and a task awaits: `ask(result.resolve)`, then `await result.wait()`."""

    __slots__ = ("_done", "_error", "_event", "_value")

    def __init__(self) -> None:
        self._done = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._event: anyio.Event | None = None

    def is_done(self) -> bool:
        """Whether there is an outcome."""
        return self._done

    def resolve(self, value: T) -> None:
        """The result is there."""
        self.settle(value, None)

    def fail(self, error: BaseException) -> None:
        """There is an error instead, which `wait` raises."""
        self.settle(None, error)

    def acknowledge(self: OneShot[None], error: BaseException | None) -> None:
        """The outcome of something without a result: done (None), or failed."""
        self.settle(None, error)

    def settle(self, value: T | None, error: BaseException | None) -> None:
        """`fail` where there is an error, else `resolve`: the form in which drivers call back."""
        if self._done:
            return  # rule 6
        self._done, self._value, self._error = True, value, error
        if self._event is not None:
            self._event.set()

    async def wait(self) -> T:
        """The result, or its error raised, once it is there."""
        if self._done:
            await anyio.lowlevel.checkpoint()  # rule 4
        else:
            self._event = self._event or anyio.Event()
            await self._event.wait()
        if self._error is not None:
            raise self._error
        return cast("T", self._value)


class MailboxStatistics(Struct, frozen=True):
    """What waits now, how much may, and since the start how many items were taken in and how many refused."""

    waiting: int
    max_items: int
    accepted: int
    refused: int


class Mailbox(Generic[T]):
    """A bounded queue with one receiver; whoever puts never waits."""

    def __init__(self, max_items: int) -> None:
        self._max_items = max_items
        self._items: deque[T] = deque()
        self._arrived = AutoResetEvent()
        self._end: BaseException | None = None
        self._accepted = 0
        self._refused = 0

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._items)

    def put_nowait(self, *items: T) -> None:
        """Take the items, all of them or none. Raises `anyio.WouldBlock` when they have no room, and
        `anyio.ClosedResourceError` once it is closed."""
        if self._end is not None:
            raise anyio.ClosedResourceError
        if len(self._items) + len(items) > self._max_items:
            self._refused += len(items)
            raise anyio.WouldBlock  # rule 7
        self._items.extend(items)
        self._accepted += len(items)
        self._arrived.set()

    async def receive(self) -> T:
        """The oldest item. Once it is closed and empty, raises what `close` was given."""
        await self._wait()
        return self._items.popleft()

    async def receive_all(self) -> list[T]:
        """All items that wait, and at least one; else as `receive`."""
        await self._wait()
        taken = list(self._items)
        self._items.clear()
        return taken

    def close(self, error: BaseException | None = None) -> None:
        """Take nothing more. The receiver gets what waits, and then `error` (`anyio.ClosedResourceError` if None)."""
        if self._end is None:
            self._end = error or anyio.ClosedResourceError()
        self._arrived.set()

    def statistics(self) -> MailboxStatistics:
        """What there is now, and totals since the start."""
        return MailboxStatistics(len(self._items), self._max_items, self._accepted, self._refused)

    async def _wait(self) -> None:
        """Return when there is an item. The caller takes it before its next await, so none is lost (rule 3)."""
        if self._items or self._end is not None:
            await anyio.lowlevel.checkpoint()  # rule 4
        while not self._items:
            if self._end is not None:
                raise self._end
            await self._arrived.wait_next()


class Backoff(Struct, frozen=True):
    """Exponential back-off: the ceiling of a delay is `base` seconds, doubled with each attempt, at most `cap`.

    `jitter` is the share of the delay that is drawn at random, so that the many who lost the same server do not all
    come back at the same moment: 1.0 draws from the whole ("full jitter"), 0.5 from its upper half ("equal jitter").
    """

    base: float = 0.25
    cap: float = 30.0
    jitter: float = 1.0

    def delay(self, attempt: int, uniform: Uniform = random.uniform) -> float:
        """The wait in seconds before attempt number `attempt`, which counts from 0."""
        ceiling = min(self.cap, self.base * 2.0 ** min(attempt, 32))  # rule 8
        return uniform(ceiling * (1.0 - self.jitter), ceiling)

    def delays(self, uniform: Uniform = random.uniform) -> Delays:
        """A counter of attempts, for a loop that tries until it succeeds."""
        return Delays(self, uniform)


class Delays:
    """The delays of one loop of retries, each for one attempt more than the last."""

    __slots__ = ("_attempt", "_backoff", "_uniform")

    def __init__(self, backoff: Backoff, uniform: Uniform) -> None:
        self._backoff = backoff
        self._uniform = uniform
        self._attempt = 0

    def next_delay(self) -> float:
        """The wait before the next attempt, in seconds."""
        delay = self._backoff.delay(self._attempt, self._uniform)
        self._attempt += 1
        return delay

    def reset(self) -> None:
        """The attempt succeeded: the next delay is one of the shortest again."""
        self._attempt = 0
