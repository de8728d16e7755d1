"""Answers that nobody reads: their bytes are bounded, and who waits longest gives way."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import anyio
import pytest

from services.common.unread_answers import PATIENCE_SECONDS, PER_ADDRESS, UnreadAnswers
from tests.support.clocks import virtual_time
from tests.support.http_server import REAL_CLOCKS, read_all, running

pytestmark = pytest.mark.anyio


class Holding:
    """Answers of names, which are noted when they have to give way."""

    def __init__(self, **bounds: int) -> None:
        self.unread = UnreadAnswers(**bounds)
        self.closed: list[str] = []
        self.stack = ExitStack()

    def hold(self, name: str, size: int, address: str = "") -> None:
        self.stack.enter_context(self.unread.hold_answer(address, size, lambda: self.closed.append(name)))


@virtual_time
async def test_of_too_much_the_one_that_waits_longest_gives_way() -> None:
    here = Holding(most=100, per_address=100)
    here.hold("one", 40)
    here.hold("two", 40)
    await anyio.sleep(PATIENCE_SECONDS)
    here.hold("three", 20)
    assert here.closed == []
    here.hold("four", 30)
    assert here.closed == ["one"]
    here.hold("five", 60)
    assert here.closed == ["one", "two"]
    assert here.unread.total == 110  # of those, none has had its time yet
    here.stack.close()
    assert here.unread.total == 0


@virtual_time
async def test_an_address_gives_way_to_itself() -> None:
    here = Holding(most=1000, per_address=100)
    here.hold("other", 90, "b")
    here.hold("one", 90, "a")
    await anyio.sleep(PATIENCE_SECONDS)
    here.hold("two", 90, "a")
    assert here.closed == ["one"]
    here.stack.close()


@virtual_time
async def test_every_answer_has_its_time() -> None:
    here = Holding(most=100, per_address=100)
    for name in "abc":
        here.hold(name, 90, "x")
    assert here.closed == []
    await anyio.sleep(PATIENCE_SECONDS)
    here.hold("d", 90, "x")
    assert here.closed == ["a", "b", "c"]
    here.stack.close()


@pytest.mark.parametrize("anyio_backend", REAL_CLOCKS.values(), ids=REAL_CLOCKS, indirect=True)
async def test_connections_that_read_nothing_give_way() -> None:
    """Each answer has 8 MB, so two of one address are allowed."""
    assert 2 * 8_000_000 < PER_ADDRESS < 3 * 8_000_000
    request = b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    async with running() as here:
        silent: list[Any] = []
        for _ in range(3):
            silent.append(await here.connect())
            await silent[-1].send(request)
            await anyio.sleep(PATIENCE_SECONDS / 2)
        async with await here.connect() as reader:
            await reader.send(request)
            assert len(await read_all(reader)) > 8_000_000
        assert len(await read_all(silent[0])) < 8_000_000
        assert len(await read_all(silent[2])) > 8_000_000
        await here.ordinary()
        for stream in silent:
            await stream.aclose()
