"""A connection over a socket pair: order, the bound of the outbox, gathering, and the one `on_lost`."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from gateway.connection import Connection
from gateway.multiplexer import READ, WRITE, Multiplexer
from tests.support.patience import patient


class Owner:
    def __init__(self) -> None:
        self.data = b""
        self.calls: list[str] = []

    def on_data(self, data: bytes) -> None:
        self.data += data

    def on_eof(self) -> None:
        self.calls.append("eof")

    def on_slow(self) -> None:
        self.calls.append("slow")

    def on_lost(self) -> None:
        self.calls.append("lost")


class Pair:
    def __init__(self, bound: int = 1 << 20) -> None:
        ours, self.peer = socket.socketpair()
        ours.setblocking(False)
        self.peer.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.mux = Multiplexer()
        self.connection = Connection(self.mux, ours, bound)
        self.owner = self.connection.owner = Owner()

    def drain(self) -> bytes:
        """Read what the peer gets, letting the connection go on writing, until nothing more comes."""
        received = b""
        while True:
            try:
                part = self.peer.recv(65536)
            except BlockingIOError:
                if not self.connection.queued_bytes:
                    return received
                self.connection.on_ready(WRITE)
                continue
            if not part:
                return received
            received += part


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.connection.abort()
    made.peer.close()
    made.mux.close()


def test_bytes_arrive_and_mark_the_peer_as_heard(pair: Pair) -> None:
    pair.connection.heard = False
    pair.peer.send(b"hello")
    pair.connection.on_ready(READ)
    assert pair.owner.data == b"hello"
    assert pair.connection.heard


def test_what_the_kernel_does_not_take_leaves_later_in_order(pair: Pair) -> None:
    sent = b""
    for number in range(200):
        chunk = bytes([number]) * 1000
        sent += chunk
        (pair.connection.write if number % 2 else pair.connection.gather)(chunk)
        if number % 10 == 0:
            pair.mux.flush()
    assert pair.connection.queued_bytes > 0
    pair.mux.flush()
    assert pair.drain() == sent
    assert pair.connection.queued_bytes == 0


def test_what_a_turn_gathers_is_written_once(pair: Pair) -> None:
    for part in (b"a", b"b", b"c"):
        pair.connection.gather(part)
    with pytest.raises(BlockingIOError):
        pair.peer.recv(10)
    pair.mux.flush()
    assert pair.peer.recv(10) == b"abc"
    assert pair.mux.dirty == []


def test_a_write_keeps_its_place_behind_what_was_gathered(pair: Pair) -> None:
    pair.connection.gather(b"first")
    pair.connection.write(b"second")
    pair.mux.flush()
    assert pair.peer.recv(100) == b"firstsecond"


def test_over_the_bound_the_owner_is_called_and_the_queue_is_dropped() -> None:
    pair = Pair(bound=100_000)
    frames = [bytes([number]) * 1000 for number in range(250)]
    for frame in frames:
        if "slow" in pair.owner.calls:
            break
        pair.connection.write(frame)
    assert pair.owner.calls == ["slow"]
    assert pair.connection.queued_bytes <= 1000
    pair.connection.write(b"goodbye")
    received = pair.drain()
    # The stream is still whole frames: some of the first ones, then what was said last.
    assert received.endswith(b"goodbye")
    body = received.removesuffix(b"goodbye")
    assert len(body) % 1000 == 0
    assert b"".join(frames).startswith(body)
    pair.connection.abort()
    pair.peer.close()
    pair.mux.close()


def test_end_sends_what_is_queued_and_then_ends_our_direction(pair: Pair) -> None:
    pair.connection.write(b"x" * 50_000)
    assert pair.connection.queued_bytes
    pair.connection.end_writing()
    pair.connection.end_writing()
    pair.connection.write(b"ignored")
    assert pair.drain() == b"x" * 50_000
    assert pair.peer.recv(1) == b""
    pair.peer.send(b"late")
    pair.connection.on_ready(READ)
    assert pair.owner.data == b"late"


def test_eof_is_reported_and_not_read_again(pair: Pair) -> None:
    pair.peer.shutdown(socket.SHUT_WR)
    pair.connection.on_ready(READ)
    assert pair.owner.calls == ["eof"]


def test_a_lost_peer_is_reported_once(pair: Pair) -> None:
    pair.connection.write(b"unread")
    pair.peer.close()
    for _ in range(3):
        pair.connection.write(b"x" * 100_000)
    pair.connection.abort()
    assert pair.owner.calls == ["lost"]
    assert pair.connection.lost
    pair.connection.pause_reading()
    pair.connection.resume_reading()
    pair.connection.gather(b"nothing")
    pair.mux.flush()


def test_an_owner_that_fails_loses_its_connection_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    import anyio

    class Failing(Owner):
        def on_data(self, data: bytes) -> None:
            raise RuntimeError("planted")

    async def scenario() -> None:
        mux = Multiplexer()
        ours, bad_peer = socket.socketpair()
        good, good_peer = socket.socketpair()
        for sock in (ours, good):
            sock.setblocking(False)
        bad, fine = Connection(mux, ours, 1000), Connection(mux, good, 1000)
        bad_owner, fine_owner = Failing(), Owner()
        bad.owner, fine.owner = bad_owner, fine_owner
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(mux.run)
            bad_peer.send(b"x")
            good_peer.send(b"y")
            with anyio.fail_after(patient(5)):
                while not (bad.lost and fine_owner.data):
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        assert bad_owner.calls == ["lost"]
        assert mux.statistics().ready == 2
        fine.abort()
        bad_peer.close()
        good_peer.close()
        mux.close()

    for backend in ("asyncio", "trio"):
        anyio.run(scenario, backend=backend)
    assert "a connection failed" in caplog.text
