"""The contract of `chat.ports.history.History` for the epoch, which is another one after a restore."""

from __future__ import annotations

import pytest

from tests.support.engines import Stores

pytestmark = pytest.mark.anyio


async def test_a_history_keeps_its_epoch(stores: Stores) -> None:
    epoch = await stores.history.read_epoch()
    assert epoch.id
    assert not epoch.restored
    assert await stores.history.read_epoch() == epoch


async def test_every_restore_begins_another_epoch(stores: Stores) -> None:
    first = await stores.history.read_epoch()
    second = await stores.history.begin_epoch()
    third = await stores.history.begin_epoch()
    assert len({first.id, second.id, third.id}) == 3
    assert second.restored
    assert await stores.history.read_epoch() == third
