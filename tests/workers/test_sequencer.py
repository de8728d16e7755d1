"""The sequencer: loads what it does not know, in one call, and forgets what it must."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.persisting import OTHER_ROOM, ROOM, PersistingWorld, persisting_world, sent
from workers.sequencer import Sequencer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world() -> AsyncIterator[PersistingWorld]:
    async with persisting_world() as made:
        await made.handler.handle_records([sent("a"), sent("b")])
        made.history.asked_newest = 0
        yield made


async def test_it_loads_once_what_it_does_not_know(world: PersistingWorld) -> None:
    sequencer = Sequencer(world.history)
    assert sequencer.last_seqs([ROOM]) is None
    assert await sequencer.load_seqs([ROOM, OTHER_ROOM]) == {ROOM: 2, OTHER_ROOM: 0}
    assert world.history.asked_newest == 1
    sequencer.advance_seqs({ROOM: 5, OTHER_ROOM: 1})
    assert sequencer.last_seqs([ROOM]) == {ROOM: 5}
    assert sequencer.last_seqs([]) == {}
    assert world.history.asked_newest == 1


async def test_it_loads_again_what_it_forgot(world: PersistingWorld) -> None:
    sequencer = Sequencer(world.history)
    sequencer.advance_seqs({ROOM: 9, OTHER_ROOM: 9})
    sequencer.forget_seqs([ROOM, "unknown"])
    assert sequencer.last_seqs([ROOM, OTHER_ROOM]) is None
    assert await sequencer.load_seqs([ROOM, OTHER_ROOM]) == {ROOM: 2, OTHER_ROOM: 9}


async def test_the_least_recently_used_is_forgotten(world: PersistingWorld) -> None:
    sequencer = Sequencer(world.history, max_conversations=2)
    sequencer.advance_seqs({ROOM: 7, "room:1": 1})
    sequencer.advance_seqs({ROOM: 8, "room:2": 1})
    assert len(sequencer) == 2
    assert sequencer.last_seqs([ROOM, "room:2"]) == {ROOM: 8, "room:2": 1}
    assert world.history.asked_newest == 0
