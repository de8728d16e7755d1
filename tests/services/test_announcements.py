"""Announcements are repeated while the relay is away; after a time the caller gets an error."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from chat.engines.relay import MemoryRelay
from chat.errors import Unavailable
from chat.ports.relay import Publication
from services.common.announcements import RETRY_SECONDS, publish_with_retries

pytestmark = [pytest.mark.anyio, pytest.mark.time_passes]
PUBLICATIONS = [Publication("user:ada", b"x")]


class AbsentRelay(MemoryRelay):
    """Takes nothing before `back_at`."""

    def __init__(self, back_at: float) -> None:
        super().__init__()
        self.back_at = back_at
        self.taken = 0

    async def publish(self, publications: Sequence[Publication]) -> None:
        if anyio.current_time() < self.back_at:
            raise Unavailable("away")
        self.taken += 1
        await super().publish(publications)


async def test_it_is_published_when_the_relay_is_back() -> None:
    relay = AbsentRelay(anyio.current_time() + RETRY_SECONDS / 2)
    await publish_with_retries(relay, PUBLICATIONS)
    assert relay.taken == 1


async def test_it_fails_when_the_relay_stays_away() -> None:
    relay = AbsentRelay(anyio.current_time() + 10 * RETRY_SECONDS)
    with pytest.raises(Unavailable, match="away"):
        await publish_with_retries(relay, PUBLICATIONS)
    assert relay.taken == 0


async def test_a_cancelled_call_publishes_nothing() -> None:
    relay = AbsentRelay(anyio.current_time() + RETRY_SECONDS / 2)
    with anyio.move_on_after(RETRY_SECONDS / 4):
        await publish_with_retries(relay, PUBLICATIONS)
    assert relay.taken == 0
