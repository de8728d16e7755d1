"""The small machines of `chat.concurrency`: their rules, any order of calls, and a cancellation at each await."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from anyio import wait_all_tasks_blocked
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.concurrency import (
    AutoResetEvent,
    Backoff,
    Broadcast,
    Mailbox,
    MailboxStatistics,
    ManualResetEvent,
    OneShot,
)
from tests.support.cancellation import cancel_at, each_suspension

pytestmark = pytest.mark.anyio
both_loops = pytest.mark.parametrize("backend", ["trio", "asyncio"])


async def would_block(wait: Callable[[], Awaitable[Any]]) -> bool:
    """Whether the call waits for another task."""
    blocked = True

    async def call() -> None:
        nonlocal blocked
        await wait()
        blocked = False

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    return blocked


async def test_an_auto_reset_event_wakes_once_for_many_sets() -> None:
    event = AutoResetEvent()
    event.set()
    event.set()
    assert event.is_set()
    await event.wait()
    assert not event.is_set()
    assert await would_block(event.wait)


async def test_an_auto_reset_event_keeps_what_is_set_between_two_waits() -> None:
    event = AutoResetEvent()
    woken: list[bool] = []

    async def wait_twice() -> None:
        for _ in range(2):
            await event.wait()
            woken.append(event.is_set())
            event.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait_twice)
        await wait_all_tasks_blocked()
        event.set()
    assert woken == [False, False]
    event.clear()
    assert await would_block(event.wait)


async def test_an_auto_reset_event_that_is_cleared_before_its_task_runs_does_not_wake_it() -> None:
    event = AutoResetEvent()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(event.wait)
        await wait_all_tasks_blocked()
        event.set()
        event.clear()
        with pytest.raises(anyio.BusyResourceError):
            await event.wait()
        await wait_all_tasks_blocked()
        event.set()


async def test_waiting_for_the_next_set_forgets_the_ones_before() -> None:
    event = AutoResetEvent()
    event.set()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(event.wait_next)
        await wait_all_tasks_blocked()
        assert not event.is_set()
        with pytest.raises(anyio.BusyResourceError):
            await event.wait_next()
        event.set()
    assert not event.is_set()


async def test_a_cancelled_wait_leaves_the_event_set() -> None:
    event = AutoResetEvent()

    async def wait() -> None:
        event.set()
        await event.wait()

    async for completed in each_suspension(wait):
        assert event.is_set() is not completed

    woken = False

    async def wait_in_task() -> None:
        nonlocal woken
        await event.wait()
        woken = True

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait_in_task)
        await wait_all_tasks_blocked()
        event.set()
        tasks.cancel_scope.cancel()
    assert event.is_set() is not woken  # the loops differ in which comes first


async def test_a_manual_reset_event_lets_everybody_pass_until_it_is_cleared() -> None:
    event = ManualResetEvent()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(event.wait)
        tasks.start_soon(event.wait)
        await wait_all_tasks_blocked()
        event.clear()  # nobody is left behind
        event.set()
    await event.wait()
    assert event.is_set()
    event.clear()
    assert await would_block(event.wait)


async def test_a_broadcast_wakes_those_who_wait_and_nobody_later() -> None:
    broadcast = Broadcast()
    broadcast.notify_all()
    assert await would_block(broadcast.wait)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(broadcast.wait)
        tasks.start_soon(broadcast.wait)
        await wait_all_tasks_blocked()
        broadcast.notify_all()
    assert await would_block(broadcast.wait)


async def test_a_one_shot_gives_its_first_outcome() -> None:
    result = OneShot[int]()
    async with anyio.create_task_group() as tasks:

        async def take() -> None:
            assert await result.wait() == 1

        tasks.start_soon(take)
        await wait_all_tasks_blocked()
        assert not result.is_done()
        result.resolve(1)
        result.resolve(2)
        result.fail(ValueError())
    assert result.is_done()
    assert await result.wait() == 1


async def test_a_one_shot_raises_its_error() -> None:
    failed, acknowledged, refused = OneShot[int](), OneShot[None](), OneShot[None]()
    failed.fail(LookupError("no"))
    acknowledged.acknowledge(None)
    refused.acknowledge(ValueError("no"))
    with pytest.raises(LookupError):
        await failed.wait()
    await acknowledged.wait()
    with pytest.raises(ValueError, match="no"):
        await refused.wait()


async def test_a_one_shot_whose_wait_was_cancelled_keeps_its_outcome() -> None:
    result = OneShot[str]()
    assert not await cancel_at(1, result.wait)
    result.resolve("late")
    assert not await cancel_at(1, result.wait)
    assert await result.wait() == "late"


async def test_a_mailbox_is_bounded_and_takes_all_or_nothing() -> None:
    mailbox = Mailbox[int](3)
    mailbox.put_nowait(1, 2)
    with pytest.raises(anyio.WouldBlock):
        mailbox.put_nowait(3, 4)
    mailbox.put_nowait(5)
    assert mailbox.statistics() == MailboxStatistics(waiting=3, max_items=3, accepted=3, refused=2)
    assert await mailbox.receive() == 1
    assert await mailbox.receive_all() == [2, 5]
    assert len(mailbox) == 0
    assert await would_block(mailbox.receive)


async def test_a_closed_mailbox_hands_out_what_it_holds_and_then_says_why() -> None:
    mailbox = Mailbox[int](3)
    mailbox.put_nowait(1)
    mailbox.close(LookupError("the end"))
    mailbox.close()
    with pytest.raises(anyio.ClosedResourceError):
        mailbox.put_nowait(2)
    assert await mailbox.receive() == 1
    for call in (mailbox.receive(), mailbox.receive_all()):
        with pytest.raises(LookupError, match="the end"):
            await call


async def test_closing_a_mailbox_wakes_its_receiver() -> None:
    mailbox = Mailbox[int](1)
    async with anyio.create_task_group() as tasks:

        async def receive() -> None:
            with pytest.raises(anyio.ClosedResourceError):
                await mailbox.receive()

        tasks.start_soon(receive)
        await wait_all_tasks_blocked()
        with pytest.raises(anyio.BusyResourceError):
            await mailbox.receive()
        mailbox.close()


async def test_a_cancelled_receiver_takes_nothing_out_of_a_mailbox() -> None:
    mailbox = Mailbox[int](10)
    mailbox.put_nowait(1, 2)
    async for completed in each_suspension(mailbox.receive):
        assert len(mailbox) == (1 if completed else 2)
    await mailbox.receive_all()
    received: list[int] = []

    async def receive() -> None:
        received.append(await mailbox.receive())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receive)
        await wait_all_tasks_blocked()
        mailbox.put_nowait(3)
        tasks.cancel_scope.cancel()
    if not received:  # the loops differ in which comes first
        await receive()
    assert received == [3]


async def settle() -> None:
    """Let the other tasks go on until they wait. (`wait_all_tasks_blocked` takes a tenth of a second on asyncio.)"""
    for _ in range(10):
        await anyio.lowlevel.checkpoint()


Step = tuple[str, int]
steps = st.lists(
    st.tuples(st.sampled_from(["put", "one", "all", "cancel", "rest"]), st.integers(1, 3)), min_size=1, max_size=30
)


@both_loops
@settings(max_examples=60)
@given(script=steps, bound=st.integers(1, 5))
def test_what_a_mailbox_accepts_comes_out_once_and_in_order(backend: str, script: list[Step], bound: int) -> None:
    anyio.run(_tell_story, script, bound, backend=backend)


async def _tell_story(script: list[Step], bound: int) -> None:
    mailbox = Mailbox[int](bound)
    accepted: list[int] = []
    received: list[int] = []

    async def receive_one() -> None:
        received.append(await mailbox.receive())

    async def receive_all() -> None:
        received.extend(await mailbox.receive_all())

    number = 0
    async with anyio.create_task_group() as tasks:
        scope = anyio.CancelScope()

        async def run(call: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
            with scope:
                await call()

        for step, count in script:
            if step == "put":
                items = list(range(number, number + count))
                number += count
                if len(mailbox) + count > bound:
                    with pytest.raises(anyio.WouldBlock):
                        mailbox.put_nowait(*items)
                else:
                    mailbox.put_nowait(*items)
                    accepted += items
            elif step == "rest":
                await settle()
            else:
                scope.cancel()
                await settle()
                scope = anyio.CancelScope()
                if step != "cancel":
                    tasks.start_soon(run, receive_one if step == "one" else receive_all, scope)
                    for _ in range(count):
                        await anyio.lowlevel.checkpoint()
            assert len(mailbox) <= bound
        scope.cancel()
    mailbox.close(anyio.EndOfStream())
    while len(mailbox):
        await receive_one()
    with pytest.raises(anyio.EndOfStream):
        await mailbox.receive()
    assert received == accepted
    assert mailbox.statistics().accepted == len(accepted)


@both_loops
@settings(max_examples=60)
@given(script=st.lists(st.sampled_from(["set", "cancel", "rest", "tick"]), max_size=30))
def test_no_wake_up_of_an_auto_reset_event_is_lost(backend: str, script: list[str]) -> None:
    anyio.run(_set_and_cancel, script, backend=backend)


async def _set_and_cancel(script: list[str]) -> None:
    """A worker does what was asked before each set, is cancelled and begun again at any time; nothing is left over."""
    event = AutoResetEvent()
    asked = done = 0

    async def work(scope: anyio.CancelScope) -> None:
        nonlocal done
        with scope:
            while True:
                await event.wait()
                done = asked

    async with anyio.create_task_group() as tasks:
        scope = anyio.CancelScope()
        tasks.start_soon(work, scope)
        for step in script:
            if step == "set":
                asked += 1
                event.set()
            elif step == "cancel":
                scope.cancel()
                await settle()
                scope = anyio.CancelScope()
                tasks.start_soon(work, scope)
            elif step == "rest":
                await settle()
            else:
                await anyio.lowlevel.checkpoint()
        await settle()
        assert done == asked
        tasks.cancel_scope.cancel()


@given(st.integers(0, 10**6), st.floats(0.001, 10), st.floats(0.001, 100), st.floats(0, 1), st.floats(0, 1))
def test_a_delay_is_within_its_bounds(attempt: int, base: float, cap: float, jitter: float, drawn: float) -> None:
    backoff = Backoff(base=base, cap=cap, jitter=jitter)
    # A uniform draw lies within its bounds; the sum alone may round to the next float above.
    delay = backoff.delay(attempt, uniform=lambda low, high: min(high, low + (high - low) * drawn))
    assert 0 <= delay <= cap
    assert delay >= backoff.delay(attempt, uniform=lambda low, _: low) >= 0


def test_the_delays_of_a_loop_double_to_the_cap_and_begin_again_after_a_success() -> None:
    delays = Backoff(base=1.0, cap=5.0, jitter=0.5).delays(uniform=lambda low, high: low + high)
    assert [delays.next_delay() for _ in range(4)] == [1.5, 3.0, 6.0, 7.5]
    delays.reset()
    assert delays.next_delay() == 1.5
