"""The client library of the release before with this server, and this library with the server of the release before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.lib import previous_release
from scripts.lib.previous_release import unpack_previous
from tests.support.previous import PreviousServer, run_program
from tests.support.process import ROOT, ServerProcess

pytestmark = pytest.mark.slow
PROGRAM = """
import json, sys, urllib.request, anyio
from rookery.client import DirectMessage, Message, connect, login, register

def make_room(http, token):
    request = urllib.request.Request(http + "/api/rooms", json.dumps({"name": "hall"}).encode())
    request.add_header("Authorization", "Bearer " + token)
    request.add_header("Content-Type", "application/json")
    return json.load(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request))["id"]

async def read(client, kind, count):
    found = []
    async for event in client:
        if isinstance(event, kind):
            found.append(event)
            if len(found) == count:
                return found

async def main(http, ws):
    accounts = [await register(http, name, "a good password") for name in ("ada", "bob")]
    ada, bob = [await login(http, name, "a good password") for name in ("ada", "bob")]
    room = make_room(http, await ada.token())
    async with connect(ws, token=ada.token) as one, connect(ws, token=bob.token) as other:
        await one.subscribe(room)
        for text in ("first", "second"):
            await one.send(room, text)
        first, second = await read(one, Message, 2)
        assert (first.seq, first.text, second.text) == (1, "first", "second"), (first, second)
        await one.edit(1, "edited", room=room)
        await one.react(1, "👍", room=room)
        await one.read(2, room=room)
        await one.pin(room, 1)
        await one.delete(2, room=room)
        await one.typing(room=room)
        await one.status("away")
        await one.presence([other.user.id])
        await one.dm(other.user.id, "hello")
        (direct,) = await read(other, DirectMessage, 1)
        assert direct.text == "hello"
        await other.sync(one.user.id)
    async with connect(ws, token=ada.token) as again:
        await again.subscribe(room, since=0)
        resumed = await read(again, Message, 2)
        assert [message.seq for message in resumed] == [1, 2], resumed
    print("understood")

async def bounded():
    with anyio.fail_after(100):
        await main(*sys.argv[1:])

anyio.run(bounded)
"""

LOG_IN = """
import sys, anyio
from rookery.client import login
anyio.run(login, sys.argv[1], "ada", "a good password")
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def old_server(data: Path) -> Iterator[PreviousServer]:
    with PreviousServer("previous-server", data) as server:
        yield server
        server.check()


def test_the_library_of_before_with_this_server(data: Path) -> None:
    with ServerProcess("server-for-previous", data) as server:
        assert run_program(PROGRAM, server.http, server.ws, folder=unpack_previous()) == "understood\n"
        server.check()


def test_this_library_with_the_server_of_before(old_server: PreviousServer) -> None:
    assert run_program(PROGRAM, old_server.http, old_server.ws, folder=ROOT) == "understood\n"


def test_the_data_of_before_are_taken_over(old_server: PreviousServer, data: Path) -> None:
    """And the server of before says so when it is started on what the new one has changed."""
    assert run_program(PROGRAM, old_server.http, old_server.ws, folder=unpack_previous()) == "understood\n"
    old_server.terminate()
    assert old_server.wait() == 0
    with ServerProcess("upgraded", data) as server:
        run_program(LOG_IN, server.http, folder=ROOT)
        server.check()
    addresses = ["--http", "127.0.0.1:0", "--ws", "127.0.0.1:0"]
    command = [sys.executable, "-m", "rookery", "serve", "--data", str(data), *addresses]
    done = subprocess.run(command, cwd=unpack_previous(), capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert "was written by a newer Rookery" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_release_before_is_another_one() -> None:
    """Its code stands in a folder of its own, and is what runs there."""
    code = "import rookery, chat.wire.commands; print(rookery.__file__, chat.wire.commands.__file__, sep=chr(10))"
    for file in run_program(code, folder=unpack_previous()).splitlines():
        assert Path(file).is_relative_to(unpack_previous())
    assert (previous_release.find_tag() or previous_release.find_wheel().name).startswith(("v", "rookery-"))
