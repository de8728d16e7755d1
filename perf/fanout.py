"""CPU per delivery in a room of 1,000 members, as a ratio to a bare loop of send(2) in C.

Method: one run, one core for the senders, another for the receivers. A server for each way of sending, and the loop,
take turns, a message each, and send the same bytes to as many sockets of the same receiving process; a round ends when
the last receiver has its frame, so no queue grows, and both find the machine's caches and TCP's timers in the same
state. Three figures, each over the deliveries: all the CPU of the server for messages that come one at a time; the
same without what such a message costs in a room of one (parsing, log, store, relay), measured in the same turns, which
leaves the fan-out; and all the CPU for messages that come ten at a time, where each member gets them with one write.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import select
import shutil
import socket
import statistics
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from perf.loadclient import Session, Swarm, masked
from perf.served import CLIENT_CORE, SERVER_CORE, Served, served

FRAME_BYTES = 354


class Room:
    """The server's room: its members, and one who sends."""

    def __init__(self, server: Served, number: int, members: int) -> None:
        self._room = server.rooms[number]
        self.members = members
        self._swarm = Swarm(Session(server.ws, server.tokens[index], [self._room]) for index in range(members))
        self._sender = Session(server.ws, server.tokens[0])
        self._swarm.poll.register(self._sender.sock.fileno(), select.EPOLLIN)
        self._swarm.sessions[self._sender.sock.fileno()] = self._sender
        self.size = 0

    def round(self, burst: int = 1) -> None:
        """Send some messages at once, and wait until every member has them and the sender its answers."""
        target = self._swarm.received + burst * (self.members + 1)
        commands = [
            {
                "type": "send",
                "id": number,
                "room": self._room,
                "text": "x" * 100,
                "client_id": str(uuid.uuid4()),
            }
            for number in range(burst)
        ]
        self._sender.sock.send(b"".join(masked(json.dumps(command).encode()) for command in commands))
        self._swarm.drain(lambda: self._swarm.received >= target, 30, None if self.size else self._note)

    def _note(self, payload: bytes) -> None:
        if b'"message"' in payload:
            self.size = len(payload) + 4


class Loop:
    """The loop in C, with its receivers."""

    def __init__(self, process: subprocess.Popen[str], port: int, members: int) -> None:
        self._process = process
        self._sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(members)]
        self._by_fd = {sock.fileno(): sock for sock in self._sockets}
        self._poll = select.epoll()
        for fd in self._by_fd:
            self._poll.register(fd, select.EPOLLIN)

    def round(self) -> None:
        """One message to all."""
        missing = len(self._sockets) * FRAME_BYTES
        self._sockets[0].send(b"x")
        while missing:
            for fd, _mask in self._poll.poll():
                missing -= len(self._by_fd[fd].recv(262144))

    def result(self) -> float:
        """Microseconds of CPU per send, after the last round."""
        assert self._process.stdout is not None
        return float(self._process.stdout.readline())


@contextmanager
def loop_in_c(members: int, rounds: int) -> Iterator[Loop | None]:
    """The loop, compiled and pinned to the server's core; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "bare")
        subprocess.run([compiler, "-O2", "-o", program, Path(__file__).with_name("bare.c")], check=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        command = [str(program), str(port), str(members), str(FRAME_BYTES), str(rounds)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            os.sched_setaffinity(process.pid, {SERVER_CORE})
            os.sched_setaffinity(0, {CLIENT_CORE})
            try:
                yield Loop(process, port, members)
            finally:
                process.kill()


class Contestant:
    """A server whose bytes leave in one of the ways, and the CPU that it took so far."""

    def __init__(self, way: str, server: Served, members: int) -> None:
        self.way, self.server = way, server
        self.room, self.alone = Room(server, 0, members), Room(server, 1, 1)
        self.all_of_it = self.one = 0.0
        self.tens: list[float] = []

    def play(self) -> None:
        """A message to the room, and one to the room of one."""
        began = self.server.cpu()
        self.room.round()
        between = self.server.cpu()
        self.alone.round()
        self.all_of_it += between - began
        self.one += self.server.cpu() - between

    def play_ten(self) -> None:
        """Ten messages at once to the room."""
        began = self.server.cpu()
        self.room.round(10)
        self.tens.append(self.server.cpu() - began)

    def report(self, deliveries: int, floor: float | None) -> None:
        """Print the figures, as ratios to the loop in C."""
        rounds = deliveries / self.room.members
        for name, seconds in (
            ("one message at a time, all of it", self.all_of_it),
            ("the fan-out in that", self.all_of_it - self.one),
            ("ten messages at a time, all of it", statistics.fmean(self.tens) / 10 * rounds),
        ):
            value = seconds * 1e6 / deliveries
            ratio = "" if floor is None else f"   {value / floor:.2f} x the loop in C ({floor:.2f} µs)"
            print(f"{self.way:<9} {name:<34} {value:6.2f} µs CPU per delivery of {self.room.size} bytes{ratio}")
        print(f"{self.way:<9} a message in a room of one           {self.one * 1e6 / rounds:6.0f} µs CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--backend", default="uvloop")
    parser.add_argument("--ways", nargs="+", default=["io_uring", "loop", "python"], help="of ROOKERY_EDGE_WRITES")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    members, rounds = options.members, options.rounds
    with ExitStack() as stack:
        contestants = []
        for way in options.ways:
            more = {"ROOKERY_EDGE_WRITES": way}
            server = stack.enter_context(
                served(users=members, rooms=2, members=members, backend=options.backend, **more)
            )
            contestants.append(Contestant(way, server, members))
        loop = stack.enter_context(loop_in_c(members, rounds))
        for each in contestants:
            for _ in range(5):
                each.play()
            each.all_of_it = each.one = 0.0
        for number in range(rounds):
            if loop is not None:
                loop.round()
            for each in contestants:
                each.play()
                if number % 10 == 0:
                    each.play_ten()
        floor = loop.result() if loop is not None else None
        for each in contestants:
            each.report(rounds * members, floor)


if __name__ == "__main__":
    main()
