"""How long one message to a room of 9,000 keeps other sockets waiting, and what it costs, for each way of sending.

Method: the edge's own fan-out, hub and multiplexer in this process, on one core; 9,000 TCP connections over loopback,
whose receivers are another process on another core. One more socket is always ready: between two of its turns, the
event loop did something else. The wait is counted in the CPU that this thread took meanwhile, because elapsed time
depends on who else uses the core. The ways take turns, on the same connections.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import select
import socket
import time
from typing import cast

import anyio
import anyio.lowlevel

from chat.ports.relay import Delivery
from chat.wire.relay import pack_message
from gateway.connection import Connection
from gateway.counters import Counters
from gateway.fanout import EdgeControl, FanOut
from gateway.hub import Channel, Hub
from gateway.multiplexer import Multiplexer
from gateway.sends import SendWay, open_sends
from gateway.websocket.encode import TextFrame
from perf.measure import pin
from perf.percentiles import percentile
from perf.served import CLIENT_CORE, SERVER_CORE

WAYS: tuple[SendWay, ...] = ("io_uring", "loop", "python")
BODY = b'{"type":"message","text":"%b","ts":"2026-11-27T00:00:00.000Z"}' % (b"x" * 300)


class Member:
    """A subscriber without a session."""

    deflate = False

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def gather_frame(self, frame: TextFrame) -> None:
        """See `Subscriber`."""
        self.connection.gather(frame.plain)


class AlwaysReady:
    """A socket that is ready in every turn. `waits` are the seconds of CPU between two turns."""

    def __init__(self, mux: Multiplexer) -> None:
        self._sock, self._peer = socket.socketpair()
        self._peer.send(b"x")
        self._last = time.thread_time()
        self.waits: list[float] = []
        mux.add(self._sock.fileno(), self)

    def on_ready(self, _mask: int) -> None:
        """See `Ready`."""
        now = time.thread_time()
        self.waits.append(now - self._last)
        self._last = now

    def abort(self) -> None:
        """See `Ready`."""
        self._sock.close()
        self._peer.close()


def receive_all(address: tuple[str, int], members: int) -> None:
    """Connect as often, and read until the first connection ends."""
    pin(CLIENT_CORE)
    poll, socks = select.epoll(), {}
    for _ in range(members):
        sock = socket.create_connection(address)
        socks[sock.fileno()] = sock
        poll.register(sock.fileno(), select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if not socks[fd].recv(65536):
                return


async def send_to_crowd(socks: list[socket.socket], way: SendWay, messages: int) -> tuple[float, list[float]]:
    """Seconds of CPU for all messages, and the waits of the other socket."""
    mux, channel = Multiplexer(open_sends(way)), Channel("room:crowd")
    fan_out = FanOut(Hub(), mux, Counters(), cast("EdgeControl", None))
    channel.seq = 0
    for sock in socks:
        channel.add_member(Member(Connection(mux, sock.dup(), 1 << 20)))
    other = AlwaysReady(mux)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mux.run)
        await anyio.sleep(0.1)
        other.waits.clear()
        began = time.thread_time()
        for seq in range(1, messages + 1):
            delivery = Delivery(channel.name, pack_message(seq, BODY))
            await fan_out._fan_out_run(channel, [delivery], Channel.write_frame)
            await anyio.lowlevel.checkpoint()
        spent = time.thread_time() - began
        tasks.cancel_scope.cancel()
    for member in channel.members:
        member.connection.abort()
    mux.close()
    return spent, other.waits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=9000, help="each takes two descriptors of this process")
    parser.add_argument("--messages", type=int, default=10, help="in a round")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--backend", default="uvloop")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    loop = ("trio", {}) if options.backend == "trio" else ("asyncio", {"use_uvloop": options.backend == "uvloop"})
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    receiver = multiprocessing.Process(target=receive_all, args=(listener.getsockname(), options.members), daemon=True)
    receiver.start()
    socks = []
    for _ in range(options.members):
        sock, _ = listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        socks.append(sock)
    pin(SERVER_CORE)
    spent = dict.fromkeys(WAYS, 0.0)
    waits: dict[SendWay, list[float]] = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way in WAYS:
            seconds, waited = anyio.run(
                send_to_crowd, socks, way, options.messages, backend=loop[0], backend_options=loop[1]
            )
            spent[way] += seconds
            waits[way] += waited
    deliveries = options.rounds * options.messages * options.members
    for way in WAYS:
        cost = spent[way] / deliveries * 1e6
        p50, p99 = percentile(waits[way], 0.5), percentile(waits[way], 0.99)
        print(f"{way:<9} {cost:5.2f} µs CPU a delivery, {spent[way] / spent['python']:.2f} of Python's", end="   ")
        print(f"others wait {p50:.1f} ms of CPU, p99 {p99:.1f} ms")
    socks[0].close()
    receiver.terminate()


if __name__ == "__main__":
    main()
