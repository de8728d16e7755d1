"""Batches of sends: what arrives, what is reported, and what serves where the machine cannot do it."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from gateway.sends import BatchSends, WantedWay, describe_sends, open_sends
from hatch_build import compile_module
from tests.support.native import ROOT, load_module, need_native, open_way
from tests.support.patience import patient


@pytest.fixture(params=["io_uring", "loop"])
def sends(request: pytest.FixtureRequest) -> Iterator[BatchSends]:
    made = open_way(request.param)
    assert made is not None
    yield made
    made.close()


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Five pairs of non-blocking TCP sockets with small buffers: ours, and the peer's."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        made = []
        for _ in range(5):
            peer = stack.enter_context(socket.create_connection(listener.getsockname()))
            ours = stack.enter_context(listener.accept()[0])
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            for each in (ours, peer):
                each.setblocking(False)
            made.append((ours, peer))
        yield made


@contextlib.contextmanager
def some_pairs(count: int) -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Pairs of non-blocking local sockets: ours, and the peer's."""
    made = [socket.socketpair() for _ in range(count)]
    for each in made:
        for end in each:
            end.setblocking(False)
    try:
        yield made
    finally:
        for ours, peer in made:
            ours.close()
            peer.close()


def read_all(peer: socket.socket) -> bytes:
    """What is there, once something is."""
    received = b""
    deadline = time.monotonic() + patient(5)
    while not received and time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            while data := peer.recv(1 << 20):
                received += data
    return received


def test_the_same_bytes_reach_every_socket(sends: BatchSends, pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    assert sends.send_batch([ours.fileno() for ours, _ in pairs], b"hello") == []
    assert [read_all(peer) for _, peer in pairs] == [b"hello"] * 5


def test_a_batch_of_any_size_arrives_in_order(sends: BatchSends) -> None:
    for count in (0, 1, 511, 512, 513, 1300):
        with some_pairs(10) as made:  # some kernels hold no more than 200 writes to a socket, however small
            data = [b"%05d" % number for number in range(count)]
            assert sends.send_batch([made[number % 10][0].fileno() for number in range(count)], data) == []
            for number, (_, peer) in enumerate(made):
                assert (read_all(peer) if number < count else b"") == b"".join(data[number::10])


def test_what_a_peer_does_not_read_is_reported_and_never_sent_later(
    sends: BatchSends, pairs: list[tuple[socket.socket, socket.socket]]
) -> None:
    (full, peer), (ready, other) = pairs[:2]
    fds = [full.fileno(), ready.fileno()]
    sent = 0
    while True:
        unsent = sends.send_batch(fds[:1], b"a" * 3_000_000)
        ((index, result),) = unsent
        assert index == 0
        if result == -errno.EAGAIN:
            break
        assert 0 < result < 3_000_000
        sent += result
    assert sends.send_batch(fds, b"b") == [(0, -errno.EAGAIN)]
    assert read_all(other) == b"b"
    received = b""
    while len(received) < sent:
        received += read_all(peer)
    assert received == b"a" * sent
    assert sends.send_batch(fds, b"c") == []
    assert read_all(peer) == b"c"  # and not the b, which was given back


def test_sockets_that_fail_do_not_hinder_the_others(
    sends: BatchSends, pairs: list[tuple[socket.socket, socket.socket]]
) -> None:
    (reset, reset_peer), (ended, _), (closed, _), (first, first_peer), (last, last_peer) = pairs
    reset_peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    reset_peer.close()
    ended.shutdown(socket.SHUT_WR)
    gone = closed.fileno()
    closed.close()
    fds = [first.fileno(), reset.fileno(), ended.fileno(), gone, -1, last.fileno()]
    unsent = dict(sends.send_batch(fds, b"x"))
    assert unsent.keys() == {1, 2, 3, 4}
    assert unsent[1] in (-errno.ECONNRESET, -errno.EPIPE)
    assert (unsent[2], unsent[3], unsent[4]) == (-errno.EPIPE, -errno.EBADF, -errno.EBADF)
    assert read_all(first_peer) == read_all(last_peer) == b"x"


def test_the_bytes_are_given_back_after_the_batch(
    sends: BatchSends, pairs: list[tuple[socket.socket, socket.socket]]
) -> None:
    data = [os.urandom(1000) for _ in pairs]
    fds = [ours.fileno() for ours, _ in pairs]
    before = [sys.getrefcount(each) for each in data]
    assert sends.send_batch(fds, data) == []
    assert sends.send_batch(fds, data[0]) == []
    assert [sys.getrefcount(each) for each in data] == before
    assert [read_all(peer) for _, peer in pairs] == [each + data[0] for each in data]


@pytest.mark.parametrize(
    ("fds", "data"),
    [([1], [b"", b""]), (["1"], b"x"), ([1, 1], [b"x", "x"]), ([1], "x"), ([1 << 80], b"x"), (None, b"")],
)
def test_nothing_is_sent_when_the_arguments_are_wrong(sends: BatchSends, fds: Any, data: Any) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        sends.send_batch(fds, data)


def test_other_threads_run_during_a_batch(sends: BatchSends) -> None:
    ours, peer = socket.socketpair()
    go, seen = threading.Lock(), threading.Event()
    with ours, peer:
        go.acquire()
        ours.setblocking(False)

        def note() -> None:
            with go:
                seen.set()

        thread = threading.Thread(target=note)
        thread.start()
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1000)  # nobody asks for the GIL: who holds it gives it up, or keeps it
        try:
            go.release()
            deadline = time.monotonic() + patient(10)
            while not seen.is_set() and time.monotonic() < deadline:
                sends.send_batch([ours.fileno()] * 512, b"x")
        finally:
            sys.setswitchinterval(interval)
        thread.join(patient(10))
    assert seen.is_set()


def test_a_ring_that_fails_is_given_up_and_nothing_is_lost() -> None:
    sends = open_way("io_uring")
    assert sends is not None
    ring = cast("Any", sends)._ring
    results: list[object] = []
    with some_pairs(10) as made:
        fds = [ours.fileno() for ours, _ in made] * 60
        # A ring belongs to one thread: the kernel refuses another one's batch as a whole.
        thread = threading.Thread(target=lambda: results.append(sends.send_batch(fds, b"x")))
        thread.start()
        thread.join(patient(10))
        assert results == [[]]
        assert [read_all(peer) for _, peer in made] == [b"x" * 60] * 10
        assert ring.fileno() == -1
        assert sends.send_batch(fds[:10], b"y") == []
        assert [read_all(peer) for _, peer in made] == [b"y"] * 10
    sends.close()
    sends.close()


class _Undelivering:
    """A ring of a sandbox that allows to make one, and no operation."""

    def send_batch(self, fds: list[int], _data: bytes) -> list[tuple[int, int]]:
        return [(index, -errno.EACCES) for index in range(len(fds))]

    def close(self) -> None:
        pass


def _refuse() -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize(
    "native",
    [
        pytest.param({"Ring": _refuse}, id="seccomp forbids it"),
        pytest.param({"Ring": _Undelivering}, id="no operation is allowed"),
        pytest.param({}, id="no Linux"),
    ],
)
def test_without_io_uring_a_loop_serves(native: dict[str, Any]) -> None:
    module = cast("ModuleType", SimpleNamespace(send_batch=lambda _fds, _data: [], **native))
    wanted: WantedWay
    for wanted in ("auto", "io_uring"):
        sends = open_sends(wanted, module)
        assert sends is not None
        assert sends.way == "loop"
        sends.close()


_FORBIDDEN = """
import ctypes, errno, socket, struct

# A seccomp filter, as runtimes of containers set one (seccomp(2)): io_uring_setup, number 425 everywhere, gets EPERM.
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, 425), (0x06, 0, 0, 0x00050000 | errno.EPERM), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0

from gateway.sends import describe_sends, open_sends
from tests.support.native import load_native

sends = open_sends("auto", load_native())
ours, peer = socket.socketpair()
assert sends.send_batch([ours.fileno()] * 30, b"x") == []
assert peer.recv(100) == b"x" * 30
print(describe_sends(sends))
"""


@pytest.mark.skipif(sys.platform != "linux" or sys.maxsize < 1 << 32, reason="needs seccomp of a 64-bit Linux")
def test_where_seccomp_forbids_io_uring_a_loop_serves() -> None:
    need_native()
    done = subprocess.run(
        [sys.executable, "-c", _FORBIDDEN], cwd=ROOT, capture_output=True, text=True, timeout=patient(60), check=False
    )
    assert (done.stdout, done.stderr) == ("in batches, with a loop of send\n", "")


def test_the_wanted_way_is_taken() -> None:
    native = need_native()
    loop = open_sends("loop", native)
    assert loop is not None
    assert loop.way == "loop"
    assert describe_sends(loop) == "in batches, with a loop of send"
    assert open_sends("python", native) is None
    assert describe_sends(None) == "socket by socket, from Python"


def test_the_module_is_built_by_the_compiler_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_native()
    built = tmp_path / "_sends.abi3.so"
    assert compile_module(ROOT, built) == ""
    module = load_module(built)
    ours, peer = socket.socketpair()
    with ours, peer:
        assert module.send_batch([ours.fileno()], b"x") == []
        assert peer.recv(10) == b"x"
    for compiler, reason in (
        ("no-such-compiler", "cannot be run"),
        ("false", "the compiler failed"),
        ("cc 'without an end", "CC is no command: No closing quotation"),
        (r"""sh -c 'printf "error: \351\n" >&2; exit 1'""", "error: \ufffd"),  # in ISO 8859-1
    ):
        monkeypatch.setenv("CC", compiler)
        assert reason in compile_module(ROOT, tmp_path / "other.so")
    assert [path.name for path in tmp_path.iterdir()] == ["_sends.abi3.so"]
