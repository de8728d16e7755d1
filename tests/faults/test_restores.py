"""MongoDB is put back from a snapshot of its disk: clients that know what was lost learn it, and see what is new."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest

from rookery.client import Client, Message, Rewound, connect
from tests.support.cluster_process import Cluster
from tests.support.own_servers import OwnServer, own_server, servers_with
from tests.support.patience import patient
from tests.support.people import Person, new_id, register

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.long,
    pytest.mark.slow,
    pytest.mark.production,
    pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the server keeps its data."""
    return tmp_path / "mongo"


@pytest.fixture
def mongo(folder: Path) -> Iterator[OwnServer]:
    with own_server("mongo", folder) as server:
        yield server


async def say(person: Person, room: str, *texts: str) -> None:
    """Each is stored when the next is said."""
    async with person.chat() as chat:
        await chat.ok("subscribe", room=room)
        for text in texts:
            await chat.ok("send", room=room, text=text, client_id=new_id())
            await chat.event("message", room=room, text=text)


def take_snapshot(mongo: OwnServer, folder: Path, copy: Path) -> None:
    """As of a disk: of one moment, in which the server writes nothing."""
    with mongo.paused():
        shutil.copytree(folder, copy)


def restore(cluster: Cluster, mongo: OwnServer, folder: Path, copy: Path) -> None:
    """As `docs/mongodb.md` says: stop all roles, put the data back, say so, and start the roles."""
    for process in cluster.processes.values():
        process.terminate()
    for process in cluster.processes.values():
        assert process.wait() == 0
    mongo.kill()
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    mongo.start()
    cluster.run_tool("db", "restored")
    for process in cluster.processes.values():
        process.launch()
    for process in cluster.processes.values():
        process.await_ready()


@asynccontextmanager
async def following(person: Person, room: str) -> AsyncIterator[list[Message | Rewound]]:
    """What our client library passes on of a room, across all its connections."""
    found: list[Message | Rewound] = []

    async def take_events(client: Client) -> None:
        async for event in client:
            if isinstance(event, Message | Rewound):
                found.append(event)  # noqa: PERF401 - each is looked at when it comes

    async with connect(person.server.ws, token=person.token) as client, anyio.create_task_group() as tasks:
        await client.subscribe(room)
        tasks.start_soon(take_events, client)
        yield found
        tasks.cancel_scope.cancel()


def has_seen(found: list[Message | Rewound], text: str) -> bool:
    return any(isinstance(each, Message) and each.text == text for each in found)


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(patient(60)):
        while not condition():  # noqa: ASYNC110 - processes notify nobody
            await anyio.sleep(0.05)


async def test_clients_learn_that_a_restored_history_is_another(mongo: OwnServer, folder: Path, tmp_path: Path) -> None:
    cluster = Cluster("restored", servers_with(mongo), edges=1, drain_jitter_seconds="0.5")
    texts = [f"kept {number}" for number in range(1, 6)]
    async with httpx.AsyncClient(trust_env=False) as http:
        with cluster.running():
            ada, ben = await register(cluster, http), await register(cluster, http)
            room = await ada.new_room()
            await ben.call("POST", f"/api/rooms/{room}/join")
            await say(ada, room, *texts)
            async with ada.chat() as chat:
                epoch = (await chat.ok("subscribe", room=room))["epoch"]
            async with following(ben, room) as found:
                await anyio.to_thread.run_sync(take_snapshot, mongo, folder, tmp_path / "copy")
                await say(ada, room, *(f"lost {number}" for number in range(6, 11)))
                await until(lambda: has_seen(found, "lost 10"))
                await anyio.to_thread.run_sync(restore, cluster, mongo, folder, tmp_path / "copy")
                await say(ada, room, *(f"new {number}" for number in range(6, 11)))

                async with ada.chat() as chat:  # the numbers were given again, so nothing seems to be missing
                    answer = await chat.ok("subscribe", room=room, since=10, epoch=epoch)
                    assert (answer["recovered"], answer["seq"], answer["messages"]) == (False, 10, [])
                    assert answer["epoch"] != epoch
                    again = await chat.ok("subscribe", room=room, since=5, epoch=answer["epoch"])
                    assert again["recovered"] is True
                    assert [each["text"] for each in again["messages"]] == [f"new {number}" for number in range(6, 11)]

                await until(lambda: any(isinstance(each, Rewound) for each in found))
                await say(ada, room, "at last")
                await until(lambda: has_seen(found, "at last"))
                check_events(found)
            stored = [each["text"] for each in await ben.history(f"/api/rooms/{room}/messages")]
            assert stored == [*texts, *(f"new {number}" for number in range(6, 11)), "at last"]
            cluster.check()


def check_events(found: list[Message | Rewound]) -> None:
    """The client says once that history is another, and then passes on all behind the place that it names, once."""
    (rewound,) = [each for each in found if isinstance(each, Rewound)]
    place = found.index(rewound)
    before, since = found[:place], found[place + 1 :]
    assert [each.text for each in before if isinstance(each, Message)] == [f"lost {number}" for number in range(6, 11)]
    assert [each.seq for each in since if isinstance(each, Message)] == list(range(rewound.seq + 1, 12))
    assert not any(str(each.text).startswith("lost") for each in since if isinstance(each, Message))
