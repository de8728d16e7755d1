"""Retries, their budget and deadlines, under a virtual clock, over a transport that does as it is told."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import pytest
import trio.testing

from chat.adapters.rpc.authority import CHECK_TOKEN, WATCH_REVOCATIONS
from chat.adapters.rpc.caller import ATTEMPTS, Caller
from chat.adapters.rpc.deadline import served_until
from chat.adapters.rpc.moderation import UNBLOCK_USER
from chat.adapters.rpc.statistics import RpcStatistics
from chat.adapters.rpc.status import Code, Failure, Metadata
from chat.errors import Invalid, Unavailable
from chat.settings import RpcSettings
from tests.support.rpc import INFO

pytestmark = pytest.mark.anyio

GOOD = CHECK_TOKEN.write_answer(INFO).SerializeToString()
DOWN = Failure(Code.UNAVAILABLE, "down")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Backoff takes virtual time."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


class Scripted:
    """A transport that gives these outcomes in turn, and the last one for ever."""

    def __init__(self, *outcomes: Failure | bytes) -> None:
        self.outcomes = list(outcomes)
        self.timeouts: list[float] = []

    async def call_unary(self, path: str, request: bytes, metadata: Metadata, timeout: float) -> bytes:
        self.timeouts.append(timeout)
        await anyio.lowlevel.checkpoint()
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Failure):
            raise outcome
        return outcome

    def open_stream(
        self, path: str, request: bytes, metadata: Metadata, timeout: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        raise DOWN


def caller(*outcomes: Failure | bytes, deadline: float = 5) -> tuple[Caller, Scripted, RpcStatistics]:
    transport, statistics = Scripted(*outcomes), RpcStatistics("client")
    return Caller("auth", transport, RpcSettings(deadline_seconds=deadline), statistics), transport, statistics


async def test_a_call_that_found_nobody_is_sent_again() -> None:
    client, transport, statistics = caller(DOWN, DOWN, GOOD)
    assert await client.call_unary(CHECK_TOKEN, "good") == INFO
    assert len(transport.timeouts) == 3
    assert statistics.retries == 2
    assert statistics.calls == {(CHECK_TOKEN.path, Code.OK): 1}


async def test_all_attempts_share_one_deadline() -> None:
    client, transport, _ = caller(DOWN)
    begun = anyio.current_time()
    with pytest.raises(Unavailable):
        await client.call_unary(CHECK_TOKEN, "good")
    assert len(transport.timeouts) == ATTEMPTS
    assert transport.timeouts[0] == pytest.approx(5)
    assert transport.timeouts == sorted(transport.timeouts, reverse=True)
    assert transport.timeouts[-1] == pytest.approx(5 - (anyio.current_time() - begun))


async def test_nothing_is_sent_again_that_would_come_too_late() -> None:
    client, transport, _ = caller(DOWN, deadline=0.04)
    with pytest.raises(Unavailable):
        await client.call_unary(CHECK_TOKEN, "good")
    assert len(transport.timeouts) == 1


async def test_a_call_that_may_not_be_repeated_is_sent_once() -> None:
    client, transport, _ = caller(DOWN)
    with pytest.raises(Unavailable):
        await client.call_unary(UNBLOCK_USER, ("a", "b", ""))
    assert len(transport.timeouts) == 1


@pytest.mark.parametrize("code", [code for code in Code if code not in (Code.OK, Code.UNAVAILABLE)])
async def test_other_statuses_are_final(code: Code) -> None:
    client, transport, _ = caller(Failure(code, ""), GOOD)
    with pytest.raises(Exception):  # noqa: B017, PT011 - which one is the business of test_status
        await client.call_unary(CHECK_TOKEN, "good")
    assert len(transport.timeouts) == 1


async def test_the_budget_keeps_a_client_from_doubling_the_load() -> None:
    client, transport, _ = caller(DOWN)
    for _ in range(50):
        with pytest.raises(Unavailable):
            await client.call_unary(CHECK_TOKEN, "good")
    assert len(transport.timeouts) < 55


async def test_successes_give_the_budget_back() -> None:
    client, transport, statistics = caller(DOWN)
    for _ in range(20):
        with pytest.raises(Unavailable):
            await client.call_unary(CHECK_TOKEN, "good")
    transport.outcomes = [GOOD]
    for _ in range(100):
        await client.call_unary(CHECK_TOKEN, "good")
    retries = statistics.retries
    transport.outcomes = [DOWN, GOOD]
    assert await client.call_unary(CHECK_TOKEN, "good") == INFO
    assert statistics.retries == retries + 1


async def test_the_deadline_of_the_call_that_is_served_is_kept() -> None:
    client, transport, _ = caller(GOOD)
    before = served_until.set(anyio.current_time() + 1)
    try:
        await client.call_unary(CHECK_TOKEN, "good")
        with anyio.move_on_after(0.5):
            await client.call_unary(CHECK_TOKEN, "good")
    finally:
        served_until.reset(before)
    assert transport.timeouts == [pytest.approx(1), pytest.approx(0.5)]
    assert served_until.get() == math.inf


async def test_an_answer_that_cannot_be_read_is_no_answer() -> None:
    client, _, _ = caller(b"\xff")
    with pytest.raises(Unavailable, match="cannot read"):
        await client.call_unary(CHECK_TOKEN, "good")


async def test_a_refusal_is_counted_by_its_status() -> None:
    client, _, statistics = caller(Failure(Code.INVALID_ARGUMENT, "no", (("rookery-field", "token"),)))
    with pytest.raises(Invalid):
        await client.call_unary(CHECK_TOKEN, "")
    assert statistics.calls == {(CHECK_TOKEN.path, Code.INVALID_ARGUMENT): 1}
    names = {sample.name for metric in statistics.collect() for sample in metric.samples}
    assert "rookery_rpc_client_calls_total" in names
    assert "rookery_rpc_client_seconds_bucket" in names


async def test_a_stream_that_cannot_begin_is_unavailable() -> None:
    client, _, statistics = caller(DOWN)
    with pytest.raises(Failure):
        async with client.watch_stream(WATCH_REVOCATIONS, None):
            raise AssertionError("entered")
    assert statistics.open == 0
