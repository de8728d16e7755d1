"""A call that failed between its change and its announcement: repeated, it tells those who must not miss it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chat.engines.relay import MemoryRelay
from chat.errors import Unavailable
from chat.ports.relay import Publication
from chat.wire.relay import room_channel, user_channel
from tests.support.clocks import virtual_time
from tests.support.rest import open_rest, received

pytestmark = pytest.mark.anyio


class FailingRelay(MemoryRelay):
    """Refuses what it is given while it is `failing`."""

    failing = False

    async def publish(self, publications: Sequence[Publication]) -> None:
        if self.failing:
            raise Unavailable("the relay is away")
        await super().publish(publications)


@pytest.mark.parametrize(
    ("method", "path", "body", "repeated", "role"),
    [
        ("DELETE", "members/{bob}", None, 404, None),
        ("PUT", "bans/{bob}", None, 204, None),
        ("PUT", "members/{bob}", {"role": "reader"}, 200, "reader"),
        ("POST", "leave", None, 403, None),
    ],
)
@virtual_time
async def test_a_change_whose_announcement_failed_is_announced_when_the_call_is_repeated(
    method: str, path: str, body: dict[str, str] | None, repeated: int, role: str | None
) -> None:
    relay = FailingRelay()
    async with open_rest(relay=relay) as rest, relay.open_listener() as listener:
        ann, bob = await rest.user(), await rest.user()
        room = await ann.room()
        await bob("POST", f"/api/rooms/{room}/join")
        await listener.subscribe([user_channel(bob.id)])
        caller = bob if path == "leave" else ann
        url = f"/api/rooms/{room}/{path.format(bob=bob.id)}"
        relay.failing = True
        assert (await caller(method, url, body)).status_code == 503
        relay.failing = False
        assert await rest.services.rooms.get_role(room, bob.id) == role
        assert (await caller(method, url, body)).status_code == repeated
        ((_, control),) = await received(listener, 1)
        assert (control["do"], control["user"], control["role"]) == ("member", bob.id, role)


@virtual_time
async def test_a_deletion_whose_announcement_failed_is_announced_when_the_call_is_repeated() -> None:
    relay = FailingRelay()
    async with open_rest(relay=relay) as rest, relay.open_listener() as listener:
        ann = await rest.user()
        room = await ann.room()
        await listener.subscribe([room_channel(room)])
        relay.failing = True
        assert (await ann("DELETE", f"/api/rooms/{room}")).status_code == 503
        relay.failing = False
        assert (await ann("DELETE", f"/api/rooms/{room}")).status_code == 404
        ((_, control),) = await received(listener, 1)
        assert (control["do"], control["room"]) == ("room_deleted", room)
