"""What an idle connection costs: memory of the process and of the kernel, and the CPU of keep-alive.

Each is authenticated, subscribed to one room of a hundred, and silent but for the answers to pings.

Method: resident memory of the process before the first connection and after the last, over their number. A first batch
is connected before the measurement, so that what is allocated once is not counted. The kernel's share is what its slabs
grew by meanwhile, on the whole machine; both ends of each connection are on it, so half is the server's. CPU is the
server's over two intervals of keep-alive, in which each client answers two pings.
"""

from __future__ import annotations

import argparse
import re
import resource
import select
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from perf.connections import Plan, bring_in
from perf.loadclient import masked
from perf.served import served

PONG = b"\x8a" + masked(b"")[1:]


def slab_bytes() -> int:
    """What the kernel's own structures take: sockets, buffers, entries of poll sets, descriptors."""
    return 1024 * int(re.findall(r"^Slab:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)[0])


def answer_pings(sockets: Sequence[socket.socket], seconds: float) -> int:
    """Read what comes for so long, and answer each ping; how many there were."""
    poll, by_fd, pings = select.epoll(), {sock.fileno(): sock for sock in sockets}, 0
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for fd, _ in poll.poll(left):
            if by_fd[fd].recv(4096) == b"\x89\x00":
                by_fd[fd].send(PONG)
                pings += 1
    poll.close()
    return pings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--backend", default="uvloop")
    parser.add_argument("--heartbeat", type=float, default=25.0, help="seconds; 0: don't measure CPU (default: 25)")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count, warm = options.connections, 200
    per_room = (count + warm) // 100
    settings = {"ROOKERY_HEARTBEAT_SECONDS": f"{options.heartbeat or 25.0:g}"}
    with served(users=count + warm, rooms=100, members=per_room, backend=options.backend, **settings) as server:
        plans = [Plan(token, [server.rooms[user // per_room]]) for user, token in enumerate(server.tokens)]
        ready = server.memory()
        first = bring_in(server, plans[:warm], 20).live
        before, slabs, cpu = server.memory(), slab_bytes(), server.cpu()
        sockets = bring_in(server, plans[warm:], 100).live
        assert len(sockets) == count
        after, cpu = server.memory(), server.cpu() - cpu
        print(f"{count} connections on {options.backend}: {(after - before) / count:.0f} bytes of the process each")
        print(f"with all that it allocated since it was ready: {(after - ready) / (count + warm):.0f} bytes each")
        print(f"slabs of the kernel: {(slab_bytes() - slabs) / count / 2:.0f} bytes each, for one end")
        print(f"connecting, authenticating and subscribing: {cpu / count * 1e6:.0f} µs CPU each")
        if options.heartbeat:
            began, cpu, seconds = time.monotonic(), server.cpu(), 2 * options.heartbeat
            pings = answer_pings([*first, *sockets], seconds)
            share = (server.cpu() - cpu) / (time.monotonic() - began)
            print(f"keep-alive, {pings} pings in {seconds:g} s: {100 * share:.2f} % of a core")
            print(f"memory after that: {(server.memory() - before) / count:.0f} bytes each")


if __name__ == "__main__":
    main()
