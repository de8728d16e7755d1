"""Blocking calls on threads: results, errors, cancellation, and how many threads there are."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
from functools import partial

import anyio
import anyio.lowlevel
import pytest

from chat.engines.executor import ThreadExecutor
from tests.support.patience import patient

pytestmark = pytest.mark.anyio
MEASURED = True  # what it tests differs with the event loop
VALUE: contextvars.ContextVar[str] = contextvars.ContextVar("VALUE", default="unset")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Without a virtual clock: it would jump ahead of the threads."""
    return str(request.param)


def raise_this(error: BaseException) -> None:
    raise error


async def test_a_call_runs_on_another_thread_and_returns() -> None:
    executor, limiter = ThreadExecutor(), anyio.CapacityLimiter(1)
    here = threading.get_ident()
    for _ in range(3):
        assert await executor.run_blocking(threading.get_ident, limiter) != here
    assert limiter.borrowed_tokens == 0


@pytest.mark.parametrize("error", [ValueError("planted"), KeyError("planted")])
async def test_what_a_call_raises_is_raised(error: Exception) -> None:
    executor, limiter = ThreadExecutor(), anyio.CapacityLimiter(1)
    with pytest.raises(type(error)) as raised:
        await executor.run_blocking(partial(raise_this, error), limiter)
    assert raised.value is error
    assert limiter.borrowed_tokens == 0
    assert await executor.run_blocking(lambda: "continues", limiter) == "continues"


async def test_a_call_sees_the_context_of_its_caller() -> None:
    executor, limiter = ThreadExecutor(), anyio.CapacityLimiter(1)
    for value in ("one", "two"):
        VALUE.set(value)
        assert await executor.run_blocking(VALUE.get, limiter) == value


async def test_no_more_calls_run_at_once_than_the_limiter_has_tokens() -> None:
    executor, limiter = ThreadExecutor(), anyio.CapacityLimiter(3)
    lock, running, most = threading.Lock(), 0, 0
    three = threading.Barrier(3)

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        three.wait(patient(20))
        with lock:
            running -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(executor.run_blocking, work, limiter)
    assert (running, most) == (0, 3)


async def test_a_call_that_has_begun_is_waited_for_when_its_caller_is_cancelled() -> None:
    executor, limiter = ThreadExecutor(), anyio.CapacityLimiter(1)
    begun, go, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        assert go.wait(patient(20))
        ended.set()
        return "result"

    results = []

    async def call() -> None:
        results.append(await executor.run_blocking(work, limiter))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        while not begun.is_set():
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
        go.set()
    assert ended.is_set()
    assert limiter.borrowed_tokens == 0
    assert results == ["result"]


async def test_a_caller_that_is_cancelled_before_never_calls() -> None:
    executor, limiter = ThreadExecutor(), anyio.CapacityLimiter(1)
    called: list[int] = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        await executor.run_blocking(lambda: called.append(1), limiter)
    assert called == []
    assert limiter.borrowed_tokens == 0


async def test_a_caller_that_waits_for_a_token_can_be_cancelled() -> None:
    executor, limiter = ThreadExecutor(), anyio.CapacityLimiter(1)
    called: list[int] = []
    limiter.acquire_on_behalf_of_nowait(executor)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(executor.run_blocking, lambda: called.append(1), limiter)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    limiter.release_on_behalf_of(executor)
    assert called == []
    assert await executor.run_blocking(lambda: "continues", limiter) == "continues"


async def test_other_tasks_run_during_a_call_and_between_calls() -> None:
    executor, limiter = ThreadExecutor(), anyio.CapacityLimiter(1)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        seen = []
        for _ in range(20):
            await executor.run_blocking(lambda: None, limiter)
            seen.append(turns)
        tasks.cancel_scope.cancel()
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_threads_are_used_again_and_end_with_the_executor() -> None:
    def count_threads() -> int:
        return sum(each.name == "blocking calls" for each in threading.enumerate())

    before = count_threads()
    executor, limiter = ThreadExecutor(), anyio.CapacityLimiter(5)
    for _ in range(20):
        await executor.run_blocking(lambda: None, limiter)
    assert count_threads() == before + 1
    pair = threading.Barrier(2)
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(executor.run_blocking, lambda: pair.wait(patient(20)), limiter)
    assert count_threads() == before + 2
    del executor
    gc.collect()
    with anyio.fail_after(patient(20)):
        while count_threads() > before:
            await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_task_that_is_cancelled_past_anyio_leaves_the_thread_to_later_calls() -> None:
    executor, limiter = ThreadExecutor(), anyio.CapacityLimiter(2)
    begun, go = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert go.wait(patient(20))

    task = asyncio.ensure_future(executor.run_blocking(work, limiter))
    while not begun.is_set():
        await anyio.lowlevel.checkpoint()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await executor.run_blocking(lambda: "another", limiter) == "another"
    go.set()
    assert await executor.run_blocking(lambda: "continues", limiter) == "continues"
