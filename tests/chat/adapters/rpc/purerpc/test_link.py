"""A connection of the purerpc binding whose peer is slow, silent or gone, under a virtual clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import pytest
import trio.testing
from anyio.streams.stapled import StapledByteStream

from chat.adapters.rpc.purerpc.link import ANSWER_SECONDS, SILENCE_SECONDS, WRITE_SECONDS, Link
from chat.adapters.rpc.purerpc.protocol import GrpcProtocol
from chat.adapters.rpc.status import Code, Failure

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Silence takes virtual time."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


class Pipe:
    """One direction in memory; `send` waits for the reader, as a full socket does."""

    def __init__(self) -> None:
        self._send, self._receive = anyio.create_memory_object_stream[bytes](0)

    async def send(self, item: bytes) -> None:
        await self._send.send(item)

    async def send_eof(self) -> None:
        self._send.close()

    async def receive(self, max_bytes: int = 65_536) -> bytes:
        return await self._receive.receive()

    async def aclose(self) -> None:
        self._send.close()
        self._receive.close()

    @property
    def extra_attributes(self) -> dict[Any, Any]:
        return {}

    def extra(self, attribute: Any, default: Any = None) -> Any:
        return default


@asynccontextmanager
async def client_of(answering: bool) -> AsyncIterator[tuple[Link, Pipe, Pipe]]:
    """A client's end, with the pipes to and from a peer; one that is `answering` speaks HTTP/2 and serves nothing."""
    there, back = Pipe(), Pipe()
    mine: Any = StapledByteStream(there, back)  # type: ignore[arg-type]
    theirs: Any = StapledByteStream(back, there)  # type: ignore[arg-type]
    async with anyio.create_task_group() as tasks:
        if answering:
            await tasks.start(
                Link(theirs, GrpcProtocol(client_side=False, max_bytes=1000), lambda *_: None).run_connection
            )
        link = await tasks.start(Link(mine, GrpcProtocol(client_side=True, max_bytes=1000)).run_connection)
        yield link, there, back
        tasks.cancel_scope.cancel()


def begin(link: Link) -> Any:
    return link.open_call("/a.Service/Method", (), None, "x", "http")


async def test_a_peer_that_answers_pings_is_kept() -> None:
    async with client_of(answering=True) as (link, _, _):
        await anyio.sleep(10 * SILENCE_SECONDS)
        assert link.usable


async def test_a_silent_peer_is_gone_and_its_calls_end() -> None:
    async with client_of(answering=False) as (link, there, _):
        stream = begin(link)

        async def swallow() -> None:
            with suppress(anyio.ClosedResourceError, anyio.EndOfStream):
                while True:
                    await there.receive()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(swallow)
            with anyio.fail_after(SILENCE_SECONDS + ANSWER_SECONDS + 1), pytest.raises(Failure) as raised:
                await link.receive_message(stream)
            tasks.cancel_scope.cancel()
        assert raised.value.code is Code.UNAVAILABLE
        assert not link.usable


async def test_a_peer_that_does_not_read_is_gone() -> None:
    async with client_of(answering=False) as (link, _, _):
        stream = begin(link)
        with anyio.fail_after(WRITE_SECONDS + 1), pytest.raises(Failure):
            await link.receive_message(stream)


async def test_a_peer_that_closes_ends_each_call() -> None:
    async with client_of(answering=False) as (link, _, back):
        streams = [begin(link) for _ in range(3)]
        await back.send_eof()
        for stream in streams:
            with pytest.raises(Failure) as raised:
                await link.receive_message(stream)
            assert raised.value.code is Code.UNAVAILABLE
            link.leave_call(stream)
        with pytest.raises(Failure):
            begin(link)


async def test_a_sender_waits_for_the_window() -> None:
    async with client_of(answering=True) as (link, _, _):
        await anyio.sleep(1)  # the peer's settings have arrived
        stream = begin(link)
        with anyio.move_on_after(1) as waiting:
            for _ in range(3):  # two fit into what the peer lets us send before it reads
                await link.send_message(stream, b"x" * 900)
        assert waiting.cancelled_caught
        link.leave_call(stream)
