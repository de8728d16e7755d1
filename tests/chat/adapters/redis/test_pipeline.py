"""Commands of many tasks on one connection."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest
from anyio.lowlevel import checkpoint
from msgspec.structs import replace

from chat.adapters.redis.pipeline import Pipeline
from chat.adapters.redis.stream import pack_command
from chat.errors import Overloaded, Unavailable
from tests.support.cancellation import cancel_at
from tests.support.patience import patient
from tests.support.redis_server import RedisServer, redis_server

pytestmark = [pytest.mark.anyio, pytest.mark.production]
PING = pack_command("PING")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


def pipeline_to(server: RedisServer, *, queued_bytes: int = 1_000_000) -> Pipeline:
    return Pipeline(replace(server.target, timeout_s=0.5), server.target.address, queued_bytes=queued_bytes)


async def test_everyone_gets_the_own_answers(server: RedisServer) -> None:
    pipeline = pipeline_to(server)

    async def ask(number: int) -> None:
        commands = [pack_command("ECHO", f"{number}:{each}") for each in range(number % 4 + 1)]
        assert list(await pipeline.execute_commands(commands)) == [
            b"%d:%d" % (number, each) for each in range(number % 4 + 1)
        ]

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pipeline.keep_connected)
        async with anyio.create_task_group() as asking:
            for number in range(200):
                asking.start_soon(ask, number)
        tasks.cancel_scope.cancel()


async def test_a_call_that_is_cancelled_takes_nobodys_answer(server: RedisServer) -> None:
    pipeline = pipeline_to(server)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pipeline.keep_connected)
        for patience in range(6):
            async with anyio.create_task_group() as asking:
                asking.start_soon(
                    pipeline.execute_commands, [pack_command("INCR", "counter"), pack_command("ECHO", "lost")]
                )
                for _ in range(patience):
                    await checkpoint()
                asking.cancel_scope.cancel()
            assert await pipeline.execute_commands([pack_command("ECHO", "kept")]) == [b"kept"]
        tasks.cancel_scope.cancel()


async def test_what_was_not_written_has_no_effect(server: RedisServer) -> None:
    pipeline = pipeline_to(server)
    server.ask(("SET", "key", "before"))
    assert not await cancel_at(1, lambda: pipeline.execute_commands([pack_command("SET", "key", "after")]))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pipeline.keep_connected)
        assert await pipeline.execute_commands([pack_command("GET", "key")]) == [b"before"]
        tasks.cancel_scope.cancel()


async def test_the_queue_is_bounded(server: RedisServer) -> None:
    pipeline = pipeline_to(server, queued_bytes=100)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(pipeline.execute_commands, [pack_command("ECHO", "x" * 10)])
        for _ in range(5):
            await checkpoint()
        with pytest.raises(Overloaded):
            await pipeline.execute_commands([pack_command("ECHO", "x" * 50)])
        tasks.cancel_scope.cancel()


async def test_a_node_that_does_not_answer(server: RedisServer) -> None:
    pipeline = pipeline_to(server)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pipeline.keep_connected)
        await pipeline.execute_commands([PING])
        server.pause()
        try:
            for _ in range(6):
                with pytest.raises(Unavailable):
                    await pipeline.execute_commands([PING])
        finally:
            server.resume()
        with anyio.fail_after(patient(20)):
            while True:
                try:
                    assert await pipeline.execute_commands([PING]) == [b"PONG"]
                    break
                except Unavailable:
                    await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    with pytest.raises(Unavailable):
        await pipeline.execute_commands([PING])
