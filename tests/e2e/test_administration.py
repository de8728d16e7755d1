"""`rookery admin` as a command, beside a server that runs on the embedded store: open sessions follow."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import anyio.to_thread
import httpx
import pytest

from tests.e2e.conftest import NewServer
from tests.support.patience import patient
from tests.support.people import new_id, register
from tests.support.process import ROOT, ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)]
OTHER_PASSWORD = b"another good password\n"


async def run(server: ServerProcess, *arguments: str, typed: bytes = b"") -> Any:
    """`rookery admin … --json`, and what it printed."""
    command = [sys.executable, "-m", "rookery", "admin", *arguments, "--json", "--data", str(server.data)]
    done = await anyio.to_thread.run_sync(
        lambda: subprocess.run(command, cwd=ROOT, input=typed, capture_output=True, timeout=patient(60), check=False)
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_sessions_end_and_rooms_follow_while_the_server_runs(
    new_server: NewServer, http: httpx.AsyncClient
) -> None:
    server = new_server()
    ada, bob, eve = [await register(server, http) for _ in range(3)]
    room = await ada.new_room()
    async with ada.chat() as a, bob.chat() as b, eve.chat() as e:
        await a.ok("subscribe", room=room)
        assert (await run(server, "room", "set-owner", room, bob.name))["before"] is None
        assert (await a.event("member", room=room, user=bob.id))["role"] == "owner"
        await b.ok("send", room=room, text="mine now", client_id=new_id())
        await run(server, "user", "set-password", bob.name, typed=OTHER_PASSWORD)
        assert (await b.closed())[0] == 4001
        await run(server, "user", "block", eve.name, "--reason", "spam")
        assert (await e.closed())[0] == 4003
        refused = await http.get(f"{server.http}/api/auth/me", headers={"Authorization": f"Bearer {eve.token}"})
        assert refused.status_code in (401, 403)
        await run(server, "session", "end", ada.name)
        assert (await a.closed())[0] == 4001
    actions = [(entry["action"], entry["user"]) for entry in await run(server, "audit")]
    assert actions == [("operator", ada.id), ("block", eve.id), ("operator", bob.id), ("owner", bob.id)]
    await run(server, "room", "delete", room, "--yes")
    await run(server, "user", "delete", eve.name, "--yes")
    assert [user["name"] for user in await run(server, "user", "list")] == sorted([ada.name, bob.name])
    assert await run(server, "room", "list") == []
    server.check()
