"""What is kept of users, on running servers: a copy of it, the end of it with the account, and its end by age."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import servers_with
from tests.support.patience import patient
from tests.support.people import PASSWORD, Person, Server, new_id, register
from tests.support.process import ROOT, RoleProcess, ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
KINDS = ("serve", pytest.param("roles", marks=pytest.mark.production))
AT_ONCE = {"retention_days": "0.000001"}


class Installation:
    """A server that runs, its settings, and the process that removes what is old when it starts."""

    def __init__(self, server: Server, environment: dict[str, str], tidying: RoleProcess) -> None:
        self.server = server
        self.environment = {f"ROOKERY_{name.upper()}": value for name, value in environment.items()}
        self.tidying = tidying

    async def run(self, *arguments: str) -> Any:
        """`rookery admin … --json` beside the server, and what it printed."""
        command = [sys.executable, "-m", "rookery", "admin", *arguments, "--json"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOKERY_")}
        done = await anyio.to_thread.run_sync(
            lambda: subprocess.run(
                command,
                cwd=ROOT,
                env={**kept, **self.environment},
                capture_output=True,
                timeout=patient(60),
                check=False,
            )
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(params=KINDS)
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    with _run_roles() if request.param == "roles" else _run_serve(tmp_path / "data") as running:
        yield running


@contextmanager
def _run_roles() -> Iterator[Installation]:
    cluster = Cluster("kept", servers_with(), edges=1)
    with cluster.running():
        tidying = cluster.add("tidier", "worker", "persistence", **AT_ONCE)
        yield Installation(cluster, cluster.environment, tidying)
        cluster.check()


@contextmanager
def _run_serve(data: Path) -> Iterator[Installation]:
    """One process has the embedded database at a time: what tidies takes the place of the first."""
    with ServerProcess("kept", data, rate_limits="off") as server:
        tidying = ServerProcess("kept-tidier", data, rate_limits="off", **AT_ONCE)
        try:
            yield Installation(server, {"data": str(data)}, tidying)
        finally:
            tidying.kill()
        server.check()
        tidying.check()


async def say(person: Person, texts: list[str], **where: str) -> None:
    """Messages to a room, or to a person."""
    async with person.chat() as chat:
        for text in texts:
            await chat.ok("send" if "room" in where else "dm", text=text, client_id=new_id(), **where)
        if "room" in where:
            await chat.ok("subscribe", room=where["room"])


async def until_stored(person: Person, path: str, count: int) -> list[Any]:
    """The history, once it has so many messages."""
    with anyio.fail_after(patient(20)):
        while len(found := await person.history(path)) < count:  # noqa: ASYNC110 - REST notifies nobody
            await anyio.sleep(0.05)
    return found


async def test_data_is_exported_deleted_with_its_user_and_removed_by_age(
    installation: Installation, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    server = installation.server
    ada, ben = await register(server, http), await register(server, http)
    room = await ben.new_room()
    path = f"/api/rooms/{room}/messages"
    await ada.call("POST", f"/api/rooms/{room}/join")
    await say(ada, ["ada one", "ada two"], room=room)
    await say(ben, ["ben three", "ben four"], room=room)
    await say(ada, ["ada to ben"], to=ben.id)
    await until_stored(ben, path, 4)
    await until_stored(ben, f"/api/dms/{ada.id}/messages", 1)

    copy = tmp_path / "copy.jsonl"
    await installation.run("user", "export", ada.name, "--output", str(copy))
    lines = [json.loads(line) for line in copy.read_text().splitlines()]
    assert {line["text"] for line in lines if line["kind"] == "message"} == {"ada one", "ada two", "ada to ben"}
    assert {"account", "log_in", "room", "direct_conversation"} <= {line["kind"] for line in lines}
    assert "ben three" not in copy.read_text()

    async with ada.chat() as chat:
        await installation.run("user", "delete", ada.name, "--yes")
        assert (await chat.closed())[0] == 4001
    refused = await http.post(f"{server.http}/api/auth/login", json={"name": ada.name, "password": PASSWORD})
    assert refused.status_code == 401
    messages = await ben.history(path)
    assert [message["seq"] for message in messages] == [1, 2, 3, 4]
    assert [message["text"] for message in messages] == [None, None, "ben three", "ben four"]
    assert [message["deleted"] for message in messages] == [True, True, False, False]
    assert "ada" not in json.dumps(messages).replace(ada.id, "")

    await expire(installation, ben)
    with anyio.fail_after(patient(20)):
        while any(message["text"] for message in await ben.history(path)):  # noqa: ASYNC110 - REST notifies nobody
            await anyio.sleep(0.05)
    await check_old_messages(ben, room)


async def expire(installation: Installation, person: Person) -> None:
    """Start the process that removes what is old."""
    if isinstance(installation.server, ServerProcess):
        installation.server.terminate()
        await anyio.to_thread.run_sync(installation.server.wait)
    await anyio.to_thread.run_sync(installation.tidying.start)
    if isinstance(installation.server, ServerProcess):
        person.server = installation.tidying


async def check_old_messages(person: Person, room: str) -> None:
    """Who pages past the oldest message that is kept sees deleted ones in their places, down to the first."""
    path = f"/api/rooms/{room}/messages"
    async with person.chat() as chat:
        answer = await chat.ok("subscribe", room=room, since=0)
        assert answer["recovered"] is True
        assert [message["deleted"] for message in answer["messages"]] == [True] * 4
        await chat.ok("send", room=room, text="kept", client_id=new_id())
        assert (await chat.event("message", room=room))["seq"] == 5
    newest = await person.call("GET", f"{path}?limit=2")
    assert [(message["seq"], message["text"]) for message in newest["messages"]] == [(5, "kept"), (4, None)]
    assert newest["more"] is True
    older = await person.call("GET", f"{path}?limit=3&before=4")
    assert [(message["seq"], message["text"], message["deleted"]) for message in older["messages"]] == [
        (3, None, True),
        (2, None, True),
        (1, None, True),
    ]
    assert older["more"] is False
    assert (await person.call("GET", f"/api/search?q=ben&room={room}"))["messages"] == []
    assert (await person.call("GET", f"{path}/3/originals"))["originals"] == []
