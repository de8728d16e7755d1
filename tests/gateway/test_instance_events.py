"""The event of a changed instance reaches every session on every edge, also of an edge that began without the relay."""

from __future__ import annotations

import anyio
import pytest

from chat.domain.instance import RoomMakers
from chat.domain.registration import RegistrationMode
from chat.errors import Unavailable
from chat.ports.relay import Publication
from chat.wire.events import InstanceEvent, encode
from chat.wire.relay import INSTANCE, InstanceChanged, pack_control
from gateway.hub import Hub
from gateway.subscriptions import ChannelSubscriptions
from tests.support.world import another_edge, world

pytestmark = pytest.mark.anyio


def _make_publication(name: str) -> Publication:
    event = InstanceEvent(
        name=name, logo=None, registration=RegistrationMode.OPEN, room_makers=RoomMakers.EVERYONE
    )  # fmt: skip
    return Publication(INSTANCE, pack_control(InstanceChanged(event=encode(event).decode())))


async def test_everybody_on_two_edges_learns_of_another_name() -> None:
    async with world() as here:
        ann, bob = await here.user("ann"), await here.user("bob")
        clients = [await here.login(ann), await here.login(ann)]
        async with another_edge(here):
            clients.append(await here.login(bob))
            await here.relay.publish([_make_publication("Nest")])
            for client in clients:
                assert await client.event("instance") == {
                    "type": "instance",
                    "name": "Nest",
                    "logo": None,
                    "registration": "open",
                    "room_makers": "everyone",
                }


async def test_of_names_that_come_together_each_session_gets_the_newest() -> None:
    async with world() as here:
        client = await here.login(await here.user("ann"))
        await here.relay.publish([_make_publication(name) for name in ("Nest", "Tree")])
        assert (await client.event("instance"))["name"] == "Tree"
        assert not [frame for frame in client.frames if frame["type"] == "instance"]


async def test_what_an_edge_cannot_read_there_is_ignored() -> None:
    async with world() as here:
        client = await here.login(await here.user("ann"))
        await here.relay.publish([Publication(INSTANCE, b'c{"do":"else"}')])
        await here.relay.publish([_make_publication("Nest")])
        assert (await client.event("instance"))["name"] == "Nest"


class LateListener:
    """Confirms the third subscription, and none before."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def subscribe(self, channels: list[str]) -> None:
        self.asked.append(channels)
        if len(self.asked) < 3:
            raise Unavailable("not yet")


async def test_an_edge_that_begins_without_the_relay_asks_until_it_follows() -> None:
    subscriptions, listener = ChannelSubscriptions(Hub()), LateListener()
    subscriptions.listener = listener  # type: ignore[assignment]
    with anyio.fail_after(60):
        await subscriptions.follow_channel(INSTANCE)
    assert listener.asked == [[INSTANCE]] * 3
