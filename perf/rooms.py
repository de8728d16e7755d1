"""How long does a room message take to a member on another edge, against the bare servers?

`python -m perf.rooms [--rate N] [--seconds S] [--rounds N] [--figure FILE]`. Two edges and a persistence worker, each a
process; senders in 50 rooms on the one edge, a member of each room on the other. Messages go out at a steady rate, and
the clock of one runs from the write of its `send` to the arrival of its `message`. In the same run, round by round,
the bare servers take their turns: Kafka from produce to consume, one insert, one PUBLISH to its message, one at a time
(`perf/bare.py`). With `--figure`, the roles note when each message passes, and a
chart of where its time goes is drawn; the notes cost a little.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import anyio

from perf import bare
from perf.cluster import Cluster, RoleProcess, Servers, cluster
from perf.drawing import draw
from perf.loadclient import Session, Swarm, masked
from perf.percentiles import percentile

ROOMS = 50
BARE = 200
_CLIENT_ID = re.compile(rb'"client_id":"([^"]+)"')
STAGES = {
    "edge": "to the edge; parsed and checked",
    "acknowledged": "Kafka, until it has acknowledged",
    "polled": "until the worker takes it: the batch before is at work",
    "stored": "MongoDB: inserted, committed, journaled",
    "received": "Redis, until the other edge has it",
    "delivered": "to the member's socket",
}


class Clients:
    """Senders on one edge, listeners on another; when each message left and came, on the monotonic clock."""

    def __init__(self, made: Cluster, senders: RoleProcess, listeners: RoleProcess) -> None:
        self.rooms = made.rooms
        # Room R has the users 2R and 2R+1.
        self.senders = [Session(senders.ws, made.tokens[2 * at], [room]) for at, room in enumerate(self.rooms)]
        self.listeners = [Session(listeners.ws, made.tokens[2 * at + 1], [room]) for at, room in enumerate(self.rooms)]
        self.swarm = Swarm([*self.senders, *self.listeners])
        self._far = {session.sock.fileno() for session in self.listeners}
        self.sent: dict[bytes, int] = {}
        self.came: dict[bytes, int] = {}

    def pump(self, seconds: float) -> None:
        """Read what comes within this time."""
        for fd, _ in self.swarm.poll.poll(max(0.0, seconds)):
            payloads = self.swarm.sessions[fd].read()
            now = time.monotonic_ns()
            for payload in payloads:
                if payload.startswith(b'{"type":"error"'):
                    raise RuntimeError(payload)
                found = _CLIENT_ID.search(payload) if fd in self._far else None
                if found:
                    self.came[found[1]] = now

    def run(self, rate: int, seconds: float) -> list[float]:
        """Send at this rate; how long each took, in seconds."""
        total = int(rate * seconds)
        frames = []
        for number in range(total):
            client_id = str(uuid.uuid4())
            command = {
                "type": "send",
                "id": number,
                "room": self.rooms[number * 7 % ROOMS],
                "text": f"{number:100}",
                "client_id": client_id,
            }
            frames.append((client_id.encode(), masked(json.dumps(command, separators=(",", ":")).encode())))
        start = time.perf_counter()
        for number, (key, frame) in enumerate(frames):
            while (left := start + number / rate - time.perf_counter()) > 0:
                # The poll counts in whole milliseconds: the last of them is spent looking.
                self.pump(left - 0.001 if left > 0.002 else 0.0)
            self.sent[key] = time.monotonic_ns()
            self.senders[number * 7 % ROOMS].sock.send(frame)
        deadline = time.monotonic() + 30
        while any(key not in self.came for key, _ in frames):
            if time.monotonic() > deadline:
                raise TimeoutError("messages did not come")
            self.pump(0.05)
        return [(self.came[key] - self.sent[key]) / 1e9 for key, _ in frames]


def bare_medians(servers: Servers) -> dict[str, float]:
    """Milliseconds."""
    options = {"use_uvloop": True}
    return {
        "Kafka, produce to consume": percentile(
            anyio.run(bare.kafka, servers.kafka, BARE, backend_options=options), 0.5
        ),
        "MongoDB, one insert": percentile(anyio.run(bare.mongo, servers.mongo, BARE, backend_options=options), 0.5),
        "Redis, PUBLISH to message": percentile(bare.redis(servers.redis, BARE), 0.5),
    }


def stages(clients: Clients, roles: Sequence[RoleProcess]) -> dict[str, float]:
    """The median time in milliseconds that a message takes to each stage from the one before."""
    passed: dict[str, dict[str, int]] = defaultdict(dict)
    for key, when in clients.sent.items():
        passed[key.decode()]["sent"] = when
    for role in roles:
        assert role.trace is not None
        for line in role.trace.read_text().splitlines():
            stage, client_id, moment = line.split()
            if stage != "received" or role is roles[-1]:
                passed[client_id].setdefault(stage, int(moment))
    for key, when in clients.came.items():
        passed[key.decode()]["delivered"] = when
    names = ("sent", *STAGES)
    whole = [moments for moments in passed.values() if moments.keys() >= set(names)]
    return {
        STAGES[later]: max(0.0, statistics.median(moments[later] - moments[earlier] for moments in whole) / 1e6)
        for earlier, later in pairwise(names)
    }


def show(rounds: Sequence[tuple[dict[str, float], list[float]]]) -> None:
    """The rounds, and what the targets say of their medians."""
    over, ratio = [], []
    for number, (least, took) in enumerate(rounds, 1):
        median, p99 = percentile(took, 0.5), percentile(took, 0.99)
        over.append(median - sum(least.values()))
        ratio.append(p99 / median)
        parts = ", ".join(f"{name} {value:.2f}" for name, value in least.items())
        print(
            f"round {number}: median {median:.1f} ms, p99 {p99:.1f} ms ({p99 / median:.1f} x); "
            f"bare {sum(least.values()):.1f} ms ({parts}); above them {over[-1]:.1f} ms",
            flush=True,
        )
    print(f"above the bare medians: {statistics.median(over):.1f} ms (median of the rounds), {min(over):.1f} (least)")
    print(f"p99 by median: {statistics.median(ratio):.1f} (median of the rounds), {min(ratio):.1f} (least)")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=300, help="messages a second")
    parser.add_argument("--seconds", type=float, default=5.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--figure", type=Path, help="draw where the time goes, as SVG")
    given = parser.parse_args()
    with cluster() as made:
        made.seed(users=2 * ROOMS, rooms=ROOMS, members=2)
        trace = given.figure is not None
        roles = [made.edge(trace=trace), made.worker(trace=trace), made.edge(trace=trace)]
        clients = Clients(made, roles[0], roles[2])
        clients.run(given.rate, 2.0)  # caches, connections and partitions
        clients.sent.clear()
        clients.came.clear()
        rounds = []
        for _ in range(given.rounds):
            least = bare_medians(made.servers)
            cpu = [role.cpu() for role in roles]
            took = clients.run(given.rate, given.seconds)
            spent = [1e6 * (role.cpu() - before) / len(took) for role, before in zip(roles, cpu, strict=True)]
            rounds.append((least, took))
            names = ("sending edge", "worker", "receiving edge")
            told = ", ".join(f"{name} {each:.0f}" for name, each in zip(names, spent, strict=True))
            print(f"µs of CPU for a message: {told}", flush=True)
        show(rounds)
        made.close()
        if trace:
            least = {name: statistics.median(each[name] for each, _ in rounds) for name in rounds[0][0]}
            bars = {"Through the roles": stages(clients, roles), "The bare servers, one at a time": least}
            for name, parts in bars.items():
                print(f"{name}: " + ", ".join(f"{part} {value:.2f} ms" for part, value in parts.items()))
            given.figure.write_text(draw(f"A room message to another edge, {given.rate} a second (medians)", bars))


if __name__ == "__main__":
    main()
