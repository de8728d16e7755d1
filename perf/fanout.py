"""CPU per delivery in a room of 1,000 members, as a ratio to a bare loop of send(2) in C.

Method: one run, one core for the server, another for the receivers. Both send the same bytes to as many sockets of the
same receiving process, and every round ends when the last receiver has its frame, so no queue grows. The server's
figure is all the CPU of its process (parsing, log, store, relay and fan-out of each message) over the deliveries.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path

from perf.loadclient import Session, Swarm, masked
from perf.served import CLIENT_CORE, SERVER_CORE, Served, served


def bare(members: int, size: int, rounds: int) -> float | None:
    """Microseconds of CPU per send of the loop in C; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "bare")
        subprocess.run([compiler, "-O2", "-o", program, Path(__file__).with_name("bare.c")], check=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [program, str(port), str(members), str(size), str(rounds)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        os.sched_setaffinity(process.pid, {SERVER_CORE})
        os.sched_setaffinity(0, {CLIENT_CORE})
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(members)]
        for _ in range(rounds):
            sockets[0].send(b"x")
            for sock in sockets:
                got = 0
                while got < size:
                    got += len(sock.recv(size - got))
        result = float(process.stdout.readline())
        process.wait(10)
        for sock in sockets:
            sock.close()
        return result


def measured(server: Served, members: int, rounds: int, burst: int) -> tuple[float, int]:
    """Microseconds of CPU per delivery, and the bytes of a frame."""
    swarm = Swarm(Session(server.ws, server.tokens[index], [server.rooms[0]]) for index in range(members))
    sender = Session(server.ws, server.tokens[0])
    swarm.poll.register(sender.sock.fileno(), 1)
    swarm.sessions[sender.sock.fileno()] = sender
    text, size = "x" * 100, 0

    def one_round(number: int) -> None:
        target = swarm.received + burst * (members + 1)
        commands = [
            {
                "type": "send",
                "id": number * burst + each,
                "room": server.rooms[0],
                "text": text,
                "client_id": str(uuid.uuid4()),
            }
            for each in range(burst)
        ]
        sender.sock.send(b"".join(masked(json.dumps(command).encode()) for command in commands))
        swarm.drain(lambda: swarm.received >= target, 30)

    def note(payload: bytes) -> None:
        nonlocal size
        if b'"message"' in payload:
            size = len(payload) + 4

    for number in range(5):
        one_round(number)
    command = {"type": "send", "id": 1, "room": server.rooms[0], "text": text, "client_id": str(uuid.uuid4())}
    target = swarm.received + members + 1
    sender.sock.send(masked(json.dumps(command).encode()))
    swarm.drain(lambda: swarm.received >= target, 30, note)
    begun = server.cpu()
    for number in range(rounds):
        one_round(number + 10)
    spent = server.cpu() - begun
    swarm.close()
    return spent / rounds / burst / members * 1e6, size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--backend", default="uvloop")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    members, rounds = options.members, options.rounds
    results: dict[str, float] = {}
    with served(users=members, rooms=1, members=members, backend=options.backend) as server:
        results["one message at a time"], size = measured(server, members, rounds, 1)
        results["ten messages at a time"], _ = measured(server, members, max(1, rounds // 10), 10)
    floor = bare(members, size, rounds)
    for name, value in results.items():
        ratio = "" if floor is None else f"   {value / floor:.2f} x the loop in C ({floor:.2f} µs)"
        print(f"{name:<24} {value:6.2f} µs CPU per delivery of {size} bytes{ratio}")


if __name__ == "__main__":
    main()
