"""Many connections written in one batch: the same streams, whichever way the bytes leave."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator

import pytest

from gateway.connection import Connection, broadcast, gather_for_all
from gateway.multiplexer import WRITE, Multiplexer
from tests.support.native import WAYS, open_way


class Owner:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.when_lost: Callable[[], None] = lambda: None
        self.when_slow: Callable[[], None] = lambda: None

    def on_data(self, data: bytes) -> None:
        raise AssertionError(data)

    def on_eof(self) -> None:
        self.calls.append("eof")

    def on_slow(self) -> None:
        self.calls.append("slow")
        self.when_slow()

    def on_lost(self) -> None:
        self.calls.append("lost")
        self.when_lost()


class End:
    """A connection, its owner and its peer."""

    def __init__(self, mux: Multiplexer, bound: int) -> None:
        ours, self.peer = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        for each in (ours, self.peer):
            each.setblocking(False)
        self.connection = Connection(mux, ours, bound)
        self.owner = self.connection.owner = Owner()
        self.sent = b""

    def fill(self) -> None:
        """Write until the kernel takes no more, without a byte in the outbox."""
        while True:
            try:
                self.sent += b"f" * self.connection._sock.send(b"f" * 1000)
            except BlockingIOError:
                return

    def drain(self) -> bytes:
        """What arrives, while the connection continues to write."""
        received = b""
        while True:
            try:
                data = self.peer.recv(65536)
            except BlockingIOError:
                if not self.connection.queued_bytes:
                    return received
                self.connection.on_ready(WRITE)
                continue
            if not data:
                return received
            received += data


class Room:
    """Connections in one multiplexer."""

    def __init__(self, mux: Multiplexer, *, described: bool) -> None:
        self.mux = mux
        self.described = described
        self.ends: list[End] = []

    def add(self, count: int, bound: int = 1 << 20) -> list[End]:
        made = [End(self.mux, bound) for _ in range(count)]
        self.ends += made
        return made

    def broadcast(self, data: bytes) -> None:
        connections = [each.connection for each in self.ends]
        broadcast(connections, data, [each.fd for each in connections] if self.described else ())


@pytest.fixture(params=[False, True], ids=["looked at", "by descriptors"])
def described(request: pytest.FixtureRequest) -> bool:
    """Whether a broadcast has the descriptors at hand, and looks at no connection."""
    return bool(request.param)


@pytest.fixture(params=WAYS)
def room(request: pytest.FixtureRequest, described: bool) -> Iterator[Room]:
    made = Room(Multiplexer(open_way(request.param)), described=described)
    yield made
    for each in made.ends:
        each.connection.abort()
        each.peer.close()
    made.mux.close()


def test_a_broadcast_keeps_the_order_of_every_stream(room: Room) -> None:
    idle, gathered, queued, full = room.add(4)
    gathered.connection.gather(b"before ")
    for each in (queued, full):
        each.fill()
    queued.connection.write(b"before ")
    room.broadcast(b"first ")
    room.broadcast(b"second ")
    room.mux.flush()
    assert idle.drain() == b"first second "
    assert gathered.drain() == b"before first second "
    assert queued.drain() == queued.sent + b"before first second "
    assert full.drain() == full.sent + b"first second "
    assert not room.mux.behind
    room.broadcast(b"third")
    assert [each.drain() for each in room.ends] == [b"third"] * 4


def test_a_connection_that_is_lost_is_behind_no_more(room: Room) -> None:
    ends = room.add(3)
    ends[0].fill()
    room.broadcast(b"x")
    assert room.mux.behind == {ends[0].connection}
    ends.pop(0).connection.abort()
    assert not room.mux.behind


def test_what_a_turn_gathers_for_many_leaves_in_order(room: Room) -> None:
    ends = room.add(40)
    ends[7].fill()
    for number, each in enumerate(ends):
        each.connection.gather(b"%d " % number)
        each.connection.gather(b"again")
    ends[3].connection.abort()
    ends[5].connection.end_writing()
    room.mux.flush()
    assert room.mux.dirty == []
    assert ends[7].connection.queued_bytes
    for number, each in enumerate(ends):
        assert each.drain() == (b"" if number == 3 else each.sent + b"%d again" % number)
    assert [each.owner.calls for each in ends if each.owner.calls] == [["lost"]]


@pytest.mark.parametrize("how", ["broadcast", "flush"])
def test_what_the_kernel_takes_in_part_is_completed_later(room: Room, how: str) -> None:
    data = bytes(range(256)) * 2000
    ends = room.add(30)
    if how == "broadcast":
        room.broadcast(data)
    else:
        for each in ends:
            each.connection.gather(data)
        room.mux.flush()
    assert all(0 < each.connection.queued_bytes < len(data) for each in ends)
    room.broadcast(b"end")
    assert all(each.drain() == data + b"end" for each in ends)
    assert not any(each.owner.calls for each in ends)


@pytest.mark.parametrize("how", ["broadcast", "flush"])
def test_a_peer_that_is_gone_is_lost_once_and_the_others_get_everything(room: Room, how: str) -> None:
    ends = room.add(30)
    for gone in (ends[0], ends[15], ends[29]):
        gone.peer.close()
    if how == "broadcast":
        room.broadcast(b"x")
    else:
        for each in ends:
            each.connection.gather(b"x")
        room.mux.flush()
    lost = [index for index, each in enumerate(ends) if each.connection.lost]
    assert lost == [0, 15, 29]
    assert [each.owner.calls for each in ends] == [["lost"] if index in lost else [] for index in range(30)]
    assert all(each.drain() == b"x" for index, each in enumerate(ends) if index not in lost)


@pytest.mark.parametrize("how", ["broadcast", "flush"])
@pytest.mark.parametrize("reason", ["lost", "slow"])
def test_what_an_owner_writes_when_it_is_told_comes_behind_the_batch(room: Room, how: str, reason: str) -> None:
    first, full, idle, closed = room.add(4, bound=1000)
    data = b"d" * 900

    def act() -> None:
        for each in (full, idle):
            each.connection.gather(b"late")
        closed.connection.abort()

    full.fill()
    if reason == "lost":
        first.owner.when_lost = act
        first.peer.close()
    else:
        first.owner.when_slow = act
        first.connection.bound = 10
        first.fill()
    if how == "broadcast":
        room.broadcast(data)
    else:
        for each in room.ends:
            each.connection.gather(data)
        room.mux.flush()
    room.mux.flush()
    assert first.owner.calls == [reason]
    received = full.drain()
    assert received in (full.sent + data + b"late", full.sent + b"late" + data)
    if room.mux.sends is not None:
        assert received == full.sent + data + b"late"
        assert idle.drain() == data + b"late"
    assert closed.owner.calls == ["lost"]


def test_an_owner_that_fails_at_the_end_of_a_turn_ends_alone(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("planted")

    bad, good = room.add(2)
    bad.owner.when_lost = fail
    bad.peer.close()
    for each in (bad, good):
        each.connection.gather(b"x")
    room.mux.flush()
    assert good.drain() == b"x"
    assert bad.owner.calls == ["lost"]
    assert "failed while it was written" in caplog.text


@pytest.mark.parametrize("count", [2, 4, 40], ids=["one by one", "in a loop", "in a ring"])
def test_an_owner_that_fails_in_a_broadcast_ends_alone(
    room: Room, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    def fail() -> None:
        raise RuntimeError("planted")

    bad, *good = room.add(count)
    bad.owner.when_lost = fail
    bad.peer.close()
    room.broadcast(b"x")
    assert [each.drain() for each in good] == [b"x"] * (count - 1)
    assert bad.owner.calls == ["lost"]
    assert "failed while it was written" in caplog.text


def test_a_broadcast_that_is_too_much_is_reported_once(room: Room) -> None:
    ends = room.add(30, bound=5000)
    room.broadcast(b"x" * 500_000)
    assert all(each.owner.calls == ["slow"] for each in ends)
    room.broadcast(b"goodbye")
    assert all(each.drain() == b"x" * 500_000 + b"goodbye" for each in ends)
    assert all(each.owner.calls == ["slow"] for each in ends)


def test_a_broadcast_to_nobody_does_nothing(room: Room) -> None:
    room.broadcast(b"x")
    assert room.mux.dirty == []


class Chances:
    """Writes to connections in every way, and knows what each stream has to be."""

    def __init__(self, room: Room, chance: random.Random) -> None:
        self.room, self.chance = room, chance
        self.open = room.add(30)
        self.said = dict.fromkeys(self.open, b"")

    def act(self, data: bytes) -> None:
        """Do one thing."""
        some = self.chance.sample(self.open, self.chance.randint(1, len(self.open)))
        match self.chance.choice(["all", "all", "one", "write", "broadcast", "flush", "fill", "end", "abort"]):
            case "all":
                connections = [each.connection for each in some]
                gather_for_all(connections, data, [each.fd for each in connections])
                self.note(some, data)
            case "one":
                some[0].connection.gather(data)
                self.note(some[:1], data)
            case "write":
                some[0].connection.write(data)
                self.note(some[:1], data)
            case "broadcast":
                self.room.ends = self.open
                self.room.broadcast(data)
                self.note(self.open, data)
            case "flush":
                self.room.mux.flush()
            case "fill":
                self.fill(some[0])
            case other:
                self.end(some[0], abruptly=other == "abort")

    def note(self, ends: list[End], data: bytes) -> None:
        for each in ends:
            self.said[each] += data

    def fill(self, end: End) -> None:
        self.room.mux.flush()
        if not end.connection.queued_bytes:
            before = len(end.sent)
            end.fill()
            self.said[end] += end.sent[before:]

    def end(self, end: End, *, abruptly: bool) -> None:
        self.open = [each for each in self.open if each is not end]
        if abruptly:
            end.connection.abort()
            del self.said[end]  # what was gathered may be lost
            end.peer.close()
        else:
            end.connection.end_writing()
        # Its descriptor may be another's now, who must get nothing that was meant for it.
        (stranger,) = self.room.add(1)
        self.said[stranger] = b""
        self.open.append(stranger)


@pytest.mark.parametrize("seed", range(30))
def test_each_stream_has_all_in_order_however_it_was_written(room: Room, seed: int) -> None:
    story = Chances(room, random.Random(seed))
    for number in range(60):
        story.act(b"%d " % number)
    room.mux.flush()
    room.ends = list(story.said)
    assert not room.mux.shared
    assert [each.drain() for each in story.said] == list(story.said.values())
