"""The persistence pool crashes at each await: after a restart each message is stored once, and was seen, in order."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest
from anyio.lowlevel import checkpoint

from chat.domain.ids import new_id
from chat.domain.records import AnyRecord, Sent
from tests.support.persisting import BOB, DM, OTHER_ROOM, ROOM, PersistingWorld, persisting_world, sent

pytestmark = pytest.mark.anyio


def batch() -> list[Sent]:
    """Messages for two rooms and a pair of users; some come twice, near and far."""
    twice, far = new_id(), new_id()
    return [
        sent("1", client_id=far),
        sent("2 @bob"),
        sent("3", client_id=twice),
        sent("3 again", client_id=twice),
        sent("x", room=OTHER_ROOM),
        sent("d", room=DM),
        sent("4", actor=BOB),
        sent("5"),
        sent("y", room=OTHER_ROOM),
        sent("1 again", client_id=far),
        sent("6"),
    ]


async def check(world: PersistingWorld) -> None:
    """The promises."""
    for conversation, expected in ((ROOM, ["1", "2 @bob", "3", "4", "5", "6"]), (OTHER_ROOM, ["x", "y"])):
        stored = await world.stored(conversation)
        assert [(message.seq, message.text) for message in stored] == list(enumerate(expected, 1))
        assert [event["text"] for event in world.seen(conversation)] == expected
    (direct,) = await world.stored(DM)
    told = [event for _, event in world.events() if event["type"] == "stored"]
    assert {(event["client_id"], event["seq"]) for event in told} == {(direct.client_id, 1)}
    assert len(told) >= 2


async def crash_after(world: PersistingWorld, ticks: int, *, max_records: int) -> bool:
    """Run a pool, and cancel it after so many turns of the scheduler. Whether it was done by then."""
    pool = world.new_pool(max_records=max_records, drain_s=0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pool.run)
        for _ in range(ticks):
            await checkpoint()
        tasks.cancel_scope.cancel()
    async with world.log.join_group("persistence", ["room-messages", "dm-messages"]) as consumer:
        return await consumer.lag() == 0


@pytest.mark.parametrize("max_records", [100, 3])
async def test_a_crash_at_any_await(max_records: int) -> None:
    for ticks in range(1000):
        async with persisting_world() as world:
            await world.send(batch())
            done = await crash_after(world, ticks, max_records=max_records)
            await world.finish(world.new_pool(max_records=max_records))
            await check(world)
        if done:
            break
    assert ticks >= 8  # as many awaits as the shortest way has, from poll to commit


async def test_many_crashes_in_a_row() -> None:
    async with persisting_world() as world:
        records: Sequence[AnyRecord] = batch()
        await world.send(records)
        for ticks in range(60):
            await crash_after(world, ticks % 23, max_records=2 + ticks % 3)
        await world.finish(world.new_pool())
        await check(world)


async def test_two_pools_at_once_share_the_work() -> None:
    async with persisting_world() as world:
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                await tasks.start(world.new_pool(max_records=2).run)
            await world.send(batch())
            tasks.cancel_scope.cancel()
        await world.finish(world.new_pool())
        await check(world)


async def test_a_slow_store_at_the_end_leaves_the_batch_for_the_next() -> None:
    async with persisting_world() as world:
        await world.send(batch())
        entered = anyio.Event()

        async def stuck() -> None:
            entered.set()
            await anyio.sleep_forever()

        world.history.after_apply = stuck
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(world.new_pool(drain_s=0.01).run)
            await entered.wait()
            tasks.cancel_scope.cancel()
        assert world.publications == []

        async def quick() -> None:
            await checkpoint()

        world.history.after_apply = quick
        await world.finish(world.new_pool())
        await check(world)
