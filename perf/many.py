"""How many idle connections does one machine hold in several edges on one port, and what do memory and CPU come to?

Method: `rookery edge --processes N` on the real servers, and clients in processes of their own, each with a loopback
address of its own, because one address has 28,000 ports. A client shakes hands, logs in by JWT, subscribes to a room,
and then answers the edge's pings and is silent. What is stated:

- connections that were live together at the end of the idle time, and how evenly the kernel divided them;
- memory of the edges (proportional: shared pages count once) before the first connection and after the last;
- memory of the kernel for both ends of the connections: its slabs (`Slab` of /proc/meminfo), before and after;
- CPU of the edges a connection while it begins (with that of the connections that are idle meanwhile), and in all while
  everybody is idle, over whole intervals of the heartbeat.

Each process may have `ulimit -n` open files, so 100,000 connections may need several processes on both sides.
"""

from __future__ import annotations

import argparse
import base64
import multiprocessing
import os
import resource
import select
import socket
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from perf.cluster import cluster
from perf.loadclient import frames, masked
from perf.measure import read_process_cpu

SESSIONS_A_USER = 20
MEMBERS = 50
UNDER_WAY = 40
_SPARE_FILES = 500
_PING, _PONG = 0x89, 0x8A


class IdleClient:
    """One client: its stage on the way in, and then the answers to pings."""

    __slots__ = ("left", "room", "sock", "stage", "token")

    def __init__(self, address: tuple[str, int], source: str, token: str, room: str) -> None:
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_IP, _BIND_WITHOUT_PORT, 1)
        self.sock.bind((source, 0))
        self.sock.connect_ex(address)
        self.token, self.room = token, room
        self.stage = 0
        self.left = b""

    def step(self) -> bool:
        """Go on with what came; whether the client became live. Raises `ConnectionError` when it was refused."""
        if self.stage == 0:
            self.sock.sendall(_HANDSHAKE)
            self.stage = 1
            return False
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError(self.left[:200])
        if self.stage == 4:
            self._answer_pings(data)
            return False
        self.left += data
        if self.stage == 1:
            self._read_handshake()
        elif self._read_answer():
            self._send_next()
        return self.stage == 4

    def _read_handshake(self) -> None:
        if b"\r\n\r\n" not in self.left:
            return
        if not self.left.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(self.left[:200])
        self.left = self.left.partition(b"\r\n\r\n")[2]
        self.sock.sendall(masked(b'{"type":"auth","id":1,"token":"%s"}' % self.token.encode()))
        self.stage = 2

    def _read_answer(self) -> bool:
        """Whether the `ok` is there."""
        answers, self.left = frames(self.left)
        if any(b'"type":"error"' in answer for answer in answers):
            raise ConnectionError(answers)
        return any(b'"type":"ok"' in answer for answer in answers)

    def _send_next(self) -> None:
        self.stage += 1
        if self.stage == 3:
            self.sock.sendall(masked(b'{"type":"subscribe","id":2,"room":"%s"}' % self.room.encode()))
        else:
            self.token, self.room, self.left = "", "", b""

    def _answer_pings(self, data: bytes) -> None:
        """An idle client gets pings, and few other frames; what is behind the first frame is not looked at."""
        if data[0] == _PING:
            payload = data[2 : 2 + data[1]]
            frame = bytearray(masked(payload))
            frame[0] = _PONG
            self.sock.sendall(frame)


_BIND_WITHOUT_PORT = 24
"""IP_BIND_ADDRESS_NO_PORT of Linux: the port is chosen when the socket connects, and may serve other addresses, too."""
_HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: " + base64.b64encode(bytes(16)) + b"\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def hold_clients(
    address: tuple[str, int], source: str, plans: Sequence[tuple[str, str]], pipe: Pipe, under_way: int
) -> None:
    """In a process of its own: connect all, `under_way` at a time, and hold them until the pipe says so.

    Whoever asks through the pipe gets how many are live, and how many attempts failed and were made again.
    """
    poll = select.epoll()
    poll.register(pipe.fileno(), select.EPOLLIN)
    clients: dict[int, IdleClient] = {}
    waiting = list(plans)
    busy = live = failed = 0
    while True:
        while waiting and busy < under_way:
            client = IdleClient(address, source, *waiting.pop())
            clients[client.sock.fileno()] = client
            poll.register(client.sock.fileno(), select.EPOLLOUT)
            busy += 1
        for fd, _ in poll.poll(0.2):
            if fd == pipe.fileno():
                if pipe.recv() == "end":
                    return
                pipe.send((live, failed))
                continue
            client = clients[fd]
            was = client.stage
            plan = (client.token, client.room)
            try:
                became_live = client.step()
            except OSError:
                poll.unregister(fd)
                del clients[fd]
                client.sock.close()
                failed += 1
                if was == 4:
                    live -= 1
                else:
                    busy -= 1
                    waiting.append(plan)
                continue
            if was == 0:
                poll.modify(fd, select.EPOLLIN)
            if became_live:
                busy, live = busy - 1, live + 1


def list_children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def read_cpu(pids: Sequence[int]) -> float:
    """Seconds of CPU of these processes together; see `read_process_cpu`."""
    return sum(map(read_process_cpu, pids))


def read_memory(pids: Sequence[int]) -> int:
    """Bytes that these processes have, each page divided by how many processes share it."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024


def read_slabs() -> int:
    """Bytes of the kernel's slabs: sockets, files, entries of epoll and of conntrack."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Slab:")) * 1024


def divide_plans(plans: list[tuple[str, str]], parts: int) -> Iterator[list[tuple[str, str]]]:
    """The plans in so many parts of nearly one size."""
    for part in range(parts):
        yield plans[part::parts]


def ask_holders(pipes: Sequence[Pipe]) -> tuple[int, int]:
    """How many clients are live, and how many attempts have failed."""
    for pipe in pipes:
        pipe.send("how many")
    answers = [pipe.recv() for pipe in pipes]
    return sum(live for live, _ in answers), sum(failed for _, failed in answers)


def count_files(pids: Sequence[int]) -> list[int]:
    """Open files of each process."""
    return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=5_000)
    parser.add_argument("--processes", type=int, default=2, help="edges on the port")
    parser.add_argument("--holders", type=int, default=0, help="processes of the clients; by default by `ulimit -n`")
    parser.add_argument("--idle-seconds", type=float, default=25.0, help="how long to measure idle")
    parser.add_argument("--seconds", type=float, default=600.0, help="time for all to be live")
    parser.add_argument("--heartbeat", type=float, default=25.0)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = options.connections
    holders = options.holders or -(-count // (hard - _SPARE_FILES))
    print(f"{os.cpu_count()} cores, {hard} open files a process")
    print(f"{options.processes} edges, {holders} processes of clients")
    users = -(-count // SESSIONS_A_USER)
    rooms = -(-users // MEMBERS)
    settings = {
        "ROOKERY_DRAIN_SECONDS": "5",
        "ROOKERY_HEARTBEAT_SECONDS": str(options.heartbeat),
        "ROOKERY_MONGO_TIMEOUT_SECONDS": "60",  # the server for tests is slow on a busy machine
    }
    with cluster(**settings) as system:
        system.seed(users=users, rooms=rooms, members=min(MEMBERS, users))
        edge = system.edge(processes=options.processes)
        edges = list_children(edge.pid)
        print(f"the supervisor: {read_memory([edge.pid]) / 1e6:.0f} MB; an edge at start: ", end="")
        print(f"{read_memory(edges) / len(edges) / 1e6:.0f} MB")
        plans = [
            (system.tokens[index % users], system.rooms[(index % users) // MEMBERS % rooms]) for index in range(count)
        ]
        memory, slabs, files = read_memory(edges), read_slabs(), count_files(edges)
        cpu, begun = read_cpu(edges), time.monotonic()
        pipes = []
        processes = []
        for number, part in enumerate(divide_plans(plans, holders)):
            ours, theirs = multiprocessing.Pipe()
            source = f"127.0.1.{number + 1}"
            holder = multiprocessing.Process(
                target=hold_clients,
                args=(edge.ws, source, part, theirs, max(1, UNDER_WAY * options.processes // holders)),
            )
            holder.start()
            pipes.append(ours)
            processes.append(holder)
        try:
            live, failed = 0, 0
            while live < count and time.monotonic() - begun < options.seconds:
                time.sleep(0.5)  # nobody is to be disturbed by questions
                live, failed = ask_holders(pipes)
            if not live:
                raise SystemExit(f"no client was live within {options.seconds:.0f} s; {failed} attempts failed")
            took = time.monotonic() - begun
            spent = read_cpu(edges) - cpu
            print(f"{live} live after {took:.0f} s, {failed} attempts failed and were made again")
            print(f"connecting, logging in, subscribing: {spent / live * 1e6:.0f} µs CPU of the edges each")
            spread = [after - before for before, after in zip(files, count_files(edges), strict=True)]
            print(f"connections of each edge: {min(spread)} to {max(spread)}")
            print(f"memory of the edges: {(read_memory(edges) - memory) / live:.0f} bytes a connection")
            print(f"slabs of the kernel: {(read_slabs() - slabs) / live:.0f} bytes a connection, both ends together")
            cpu, begun = read_cpu(edges), time.monotonic()
            time.sleep(options.idle_seconds)
            idle = (read_cpu(edges) - cpu) / (time.monotonic() - begun)
            live, failed = ask_holders(pipes)
            print(f"idle for {options.idle_seconds:.0f} s, pinged every {options.heartbeat:.0f} s: ", end="")
            print(f"{idle * 100:.1f} % of a core for all edges, {idle / max(1, live) * 1e9:.0f} ns a second each")
            print(f"{live} of {count} live at the end, {failed} attempts failed")
        finally:
            for pipe in pipes:
                pipe.send("end")
            for holder in processes:
                holder.join(30)
                holder.kill()


if __name__ == "__main__":
    main()
