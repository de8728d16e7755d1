"""An edge dies without a word, and so does the worker that took its users for being there: they are notified, once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import anyio
import anyio.to_thread
import httpx
import pytest

from tests.e2e.test_notifications import VAPID_KEY
from tests.e2e.test_push import push_service, receive, subscribe
from tests.support.cluster_process import Cluster
from tests.support.own_servers import servers_with
from tests.support.patience import patient
from tests.support.people import new_id, register
from tests.support.process import RoleProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.long, pytest.mark.production]
HEARTBEAT_SECONDS = 2
LOOK_SECONDS = 90


@dataclass(frozen=True)
class Entrance:
    """One edge, and REST."""

    http: str
    ws: str


async def test_the_user_of_an_edge_that_died_is_notified_though_the_worker_dies_too() -> None:
    async with httpx.AsyncClient(trust_env=False) as http, push_service() as (service, address):
        cluster = Cluster(
            "second-looks",
            servers_with(),
            heartbeat_seconds=str(patient(HEARTBEAT_SECONDS)),
            push_hosts=address,
            vapid_keys=VAPID_KEY,
        )
        with cluster.running(), cluster.add("notifier", "worker", "notification") as notifier:
            ann, bob, cat = [await register(cluster, http) for _ in range(3)]
            room = await ann.new_room()
            for person in (bob, cat):
                await person.call("POST", f"/api/rooms/{room}/join")
                await subscribe(service, person, f"/{person.name}")
            dying = cluster.processes["edge0"]
            here = replace(ann, server=Entrance(cluster.http, cluster.processes["edge1"].ws))
            there = replace(bob, server=Entrance(cluster.http, dying.ws))
            async with here.chat() as chat, there.chat() as lost:
                assert (await chat.ok("presence", users=[bob.id]))["states"] == {bob.id: "online"}
                dying.kill()
                await lost.closed()
                await chat.ok("subscribe", room=room)
                await chat.ok("send", room=room, text=f"@{cat.name} look at this", client_id=new_id())
                await receive(service, 1)
                assert [each.browser.endpoint.rpartition("/")[2] for each in service.received] == [cat.name]
                await restart(notifier)
                await receive(service, 2, seconds=LOOK_SECONDS)
                # Another message, and what is noted for it: by then a push that comes twice would have come.
                await chat.ok("dm", to=bob.id, text="and this?", client_id=new_id())
                contents = await receive(service, 3)
            cluster.check("edge0")
    assert [each.browser.endpoint.rpartition("/")[2] for each in service.received[1:]] == [bob.name, bob.name]
    assert [content["body"] for content in contents[1:]] == [f"{ann.name}: @{cat.name} look at this", "and this?"]


async def restart(process: RoleProcess) -> None:
    """SIGKILL, and a new one."""
    await anyio.to_thread.run_sync(process.kill)
    await anyio.to_thread.run_sync(process.start)
