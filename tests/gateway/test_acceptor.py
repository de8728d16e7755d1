"""Accepting connections: a cause that passes must not end it for ever."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from gateway.acceptor import Acceptor, bind_listener
from gateway.multiplexer import READ
from tests.support.backends import virtual_time
from tests.support.raw_socket import TEXT, frame, request
from tests.support.starved_edge import FILES
from tests.support.world import Client, World, sessions_of, world

ROOT = Path(__file__).parents[2]


class Blocking:
    """A client on a blocking socket with a deadline."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.file = self.sock.makefile("rb")

    def authenticate(self, token: str) -> None:
        self.sock.sendall(request("127.0.0.1"))
        assert b" 101 " in self.file.readline()
        while self.file.readline() != b"\r\n":
            pass
        assert self.ask(type="auth", token=token)["type"] == "ok"

    def ask(self, **command: Any) -> dict[str, Any]:
        self.sock.sendall(frame(TEXT, json.dumps({"id": 1, **command}).encode()))
        head = self.file.read(2)
        size = head[1] if head[1] < 126 else int.from_bytes(self.file.read(2), "big")
        answer: dict[str, Any] = json.loads(self.file.read(size))
        return answer

    def close(self) -> None:
        self.file.close()
        self.sock.close()


@pytest.mark.slow
@pytest.mark.parametrize("backend", [["trio"], ["asyncio"], ["asyncio", "uvloop"]], ids="-".join)
def test_an_edge_without_free_descriptors_goes_on_and_accepts_again(backend: list[str]) -> None:
    command = [sys.executable, "-m", "tests.support.starved_edge", *backend]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(command, cwd=ROOT, text=True, **pipes))
        stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stderr is not None
        port, token = process.stdout.readline().split()

        def connect() -> Blocking:
            client = Blocking(int(port))
            stack.callback(client.close)
            return client

        first = connect()
        first.authenticate(token)
        crowd = [connect() for _ in range(FILES)]  # the kernel takes them; the edge cannot
        assert "no connection can be accepted" in process.stderr.readline()
        late = connect()
        assert first.ask(type="status", state="away")["type"] == "ok"
        for each in crowd:
            each.close()
        late.authenticate(token)
        assert first.ask(type="status", state="online")["type"] == "ok"
        output, _ = process.communicate("")
        assert process.returncode == 0
        connections, openings, sessions = map(int, output.split())
        assert (connections, openings, sessions) == (FILES + 2, 0, 2)


class Flaky(socket.socket):
    """A listening socket whose next calls of `accept` fail."""

    errors: list[int]
    then: Callable[[socket.socket], socket.socket] = staticmethod(lambda sock: sock)

    def accept(self) -> tuple[socket.socket, Any]:
        if self.errors:
            number = self.errors.pop(0)
            raise OSError(number, os.strerror(number))
        sock, address = super().accept()
        return self.then(sock), address


@pytest.fixture
def flaky() -> Iterator[Flaky]:
    with bind_listener("127.0.0.1", 0) as bound:
        sock = Flaky(fileno=bound.detach())
        sock.errors = []
        with sock:
            yield sock


async def connected(here: World, sock: socket.socket) -> Client:
    """A client that the kernel has accepted."""
    client = socket.socket()
    client.connect(sock.getsockname())
    here.socks.append(client)
    return Client(client)


@pytest.mark.anyio
@virtual_time
@pytest.mark.parametrize(
    "error", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENETDOWN, errno.EPROTO, errno.EPERM]
)
async def test_an_error_of_accept_is_a_pause(error: int, flaky: Flaky, caplog: pytest.LogCaptureFixture) -> None:
    async with world() as here:
        listener = Acceptor(here.edge.node, flaky)
        flaky.errors = [error, error]
        client = await (await connected(here, flaky)).open()
        assert client.accepted
        assert caplog.text.count("no connection can be accepted") == 2
        assert ("limit of open files" in caplog.text) == (error in (errno.EMFILE, errno.ENFILE))
        assert here.edge.node.counters.connections == 1
        flaky.errors = [error]
        listener.on_ready(READ)
        listener.abort()  # in the pause: the timer must not find it
        await anyio.sleep(2.0)
        assert listener.slot == -1


@pytest.mark.anyio
@pytest.mark.parametrize("error", [errno.ECONNABORTED, errno.EAGAIN, errno.EINTR])
async def test_an_error_of_the_peer_is_no_pause(error: int, flaky: Flaky, caplog: pytest.LogCaptureFixture) -> None:
    async with world() as here:
        listener = Acceptor(here.edge.node, flaky)
        flaky.errors = [error]
        assert (await (await connected(here, flaky)).open()).accepted
        assert not caplog.text
        listener.abort()
        listener.on_timer()


class Broken(socket.socket):
    """An accepted socket that was reset before anything could be set."""

    def setsockopt(self, *_arguments: Any) -> None:
        raise OSError(errno.EINVAL, "reset")


@pytest.mark.anyio
async def test_a_connection_that_fails_as_it_is_accepted_is_dropped(
    flaky: Flaky, caplog: pytest.LogCaptureFixture
) -> None:
    async with world() as here:
        listener = Acceptor(here.edge.node, flaky)
        flaky.then = lambda sock: Broken(fileno=sock.detach())
        client = await (await connected(here, flaky)).open()
        assert client.eof
        assert "dropped as it was accepted" in caplog.text
        flaky.then = lambda sock: sock
        assert (await (await connected(here, flaky)).open()).accepted
        assert len(sessions_of(here.edge)) == 1
        assert not here.edge.node.registry.openings
        listener.abort()


@pytest.mark.anyio
async def test_many_are_accepted_in_one_turn_and_a_unix_socket_will_do(tmp_path: Path) -> None:
    path = str(tmp_path / "edge")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen(200)
        sock.setblocking(False)
        async with world() as here:
            listener = Acceptor(here.edge.node, sock)
            clients = []
            for _ in range(100):
                client = socket.socket(socket.AF_UNIX)
                client.connect(path)
                here.socks.append(client)
                clients.append(Client(client))
            for each in clients:
                await each.open()
            assert here.edge.node.counters.connections == len(sessions_of(here.edge)) == 100
            listener.abort()


@pytest.mark.anyio
async def test_a_drain_leaves_a_shared_port_to_the_others_and_resets_nobody_who_waits() -> None:
    """With SO_REUSEPORT, an edge that drains answers what waits in its queue, and closes that."""
    async with world(reuse_port=True) as here:
        with bind_listener("127.0.0.1", 0, reuse_port=True) as own:
            address = own.getsockname()
            listener = Acceptor(here.edge.node, own)
            here.edge._acceptors.append(listener)
            assert (await (await connected(here, own)).open()).accepted
            waiting = [await connected(here, own) for _ in range(100)]  # more than a turn takes; no turn has passed
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(here.edge.drain)
                for each in waiting:
                    assert (await each.open()).rejected == 503
                assert listener.fd == -1
                with bind_listener(*address, reuse_port=True) as other:
                    for _ in range(20):
                        await connected(here, other)
                        other.accept()[0].close()  # nobody else listens
                tasks.cancel_scope.cancel()
