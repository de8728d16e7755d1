"""How long does a direct message take to another edge, against a bare PUBLISH, and what does it cost the edges?

`python -m perf.dms [--rates N,…] [--seconds S] [--rounds N]`. Time: one direct message at a time, from the write of its
`dm` on one edge to the arrival at its receiver on the other; round by round, a bare PUBLISH to its message on blocking
sockets takes its turns. CPU: senders on the one edge, receivers on the other, at a steady rate; "in" is the sending
edge (frame in, checks, Kafka, two publications, the sender's own copy, the answer), "out" is the receiving one. First
without a worker, then with it, which brings a `stored` to both: two more deliveries for each message.
"""

from __future__ import annotations

import argparse
import base64
import json
import select
import statistics
import time
import uuid
from collections.abc import Sequence

from perf import bare
from perf.cluster import Cluster, RoleProcess, cluster
from perf.loadclient import Session, Swarm, masked
from perf.percentiles import percentile

PAIRS = 100
SINGLE = 300
PAUSE_SECONDS = 0.005
_LIVE = b'{"type":"dm"'


class Pairs:
    """Senders on one edge, each with a receiver on another."""

    def __init__(self, made: Cluster, senders: RoleProcess, receivers: RoleProcess) -> None:
        tokens = made.tokens
        self.receivers = [Session(receivers.ws, token) for token in tokens[PAIRS:]]
        self.senders = [Session(senders.ws, token) for token in tokens[:PAIRS]]
        self.users = [_user_of(token) for token in tokens[PAIRS:]]
        self.swarm = Swarm([*self.senders, *self.receivers])
        self._far = {session.sock.fileno() for session in self.receivers}
        self.came = 0
        self.answered = 0

    def frame(self, number: int) -> bytes:
        """A `dm` command."""
        command = {
            "type": "dm",
            "id": number,
            "to": self.users[number % PAIRS],
            "text": f"{number:100}",
            "client_id": str(uuid.uuid4()),
        }
        return masked(json.dumps(command, separators=(",", ":")).encode())

    def pump(self, seconds: float) -> None:
        """Read what comes within this time."""
        for fd, _ in self.swarm.poll.poll(max(0.0, seconds)):
            far = fd in self._far
            for payload in self.swarm.sessions[fd].read():
                if far:
                    self.came += payload.startswith(_LIVE)
                elif payload.startswith(b'{"type":"ok"'):
                    self.answered += 1
                elif payload.startswith(b'{"type":"error"'):
                    raise RuntimeError(payload)

    def run(self, rate: int, count: int) -> None:
        """Send at this rate, and return when all was received and answered."""
        frames = [self.frame(number) for number in range(count)]
        came, answered = self.came + count, self.answered + count
        start = time.perf_counter()
        for number, frame in enumerate(frames):
            while (left := start + number / rate - time.perf_counter()) > 0:
                self.pump(left - 0.001 if left > 0.002 else 0.0)
            self.senders[number % PAIRS].sock.send(frame)
        deadline = time.monotonic() + 30
        while self.came < came or self.answered < answered:
            if time.monotonic() > deadline:
                raise TimeoutError("messages did not come")
            self.pump(0.05)

    def single(self, count: int) -> list[float]:
        """One at a time; how long each took, in seconds."""
        took = []
        for number in range(count):
            at = number % PAIRS
            frame, receiver = self.frame(number), self.receivers[at]
            with select.epoll() as poll:
                poll.register(receiver.sock.fileno(), select.EPOLLIN)
                begun = time.perf_counter()
                self.senders[at].sock.send(frame)
                while not any(payload.startswith(_LIVE) for payload in _read(poll, receiver)):
                    pass
                took.append(time.perf_counter() - begun)
            until = time.perf_counter() + PAUSE_SECONDS
            while (left := until - time.perf_counter()) > 0:
                self.pump(left)
        return took


def _read(poll: select.epoll, receiver: Session) -> list[bytes]:
    if not poll.poll(5.0):
        raise TimeoutError("a message did not come")
    return receiver.read()


def _user_of(token: str) -> str:
    """The subject of an access token."""
    body = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    user: str = claims["sub"]
    return user


def times(made: Cluster, pairs: Pairs, rounds: int) -> None:
    """The table of times."""
    above = []
    for number in range(1, rounds + 1):
        least = bare.redis(made.servers.redis, SINGLE, PAUSE_SECONDS)
        took = pairs.single(SINGLE)
        above.append(percentile(took, 0.5) - percentile(least, 0.5))
        print(
            f"round {number}: median {percentile(took, 0.5):.2f} ms, p99 {percentile(took, 0.99):.2f} ms; bare PUBLISH "
            f"{percentile(least, 0.5):.2f} and {percentile(least, 0.99):.2f}; above it {above[-1]:.2f} ms",
            flush=True,
        )
    print(f"above a bare PUBLISH: {statistics.median(above):.2f} ms (median of the rounds), {min(above):.2f} (least)")


def costs(pairs: Pairs, edges: Sequence[RoleProcess], rates: Sequence[int], seconds: float, rounds: int) -> None:
    """The table of CPU."""
    for rate in rates:
        samples = []
        for _ in range(rounds):
            before = [edge.cpu() for edge in edges]
            count = int(rate * seconds)
            pairs.run(rate, count)
            samples.append([1e6 * (edge.cpu() - then) / count for edge, then in zip(edges, before, strict=True)])
        into, out = (statistics.median(sample[side] for sample in samples) for side in (0, 1))
        least = min(sum(sample) for sample in samples)
        print(
            f"{rate:6} a second: in {into:6.1f} µs, out {out:6.1f} µs, together {into + out:6.1f} (least {least:.1f})",
            flush=True,
        )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", default="200,1000,3000", help="messages a second, for the CPU")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rates = [int(rate) for rate in given.rates.split(",")]
    with cluster() as made:
        made.seed(users=2 * PAIRS, rooms=0, members=0)
        edges = [made.edge(), made.edge()]
        pairs = Pairs(made, edges[0], edges[1])
        pairs.run(200, 400)
        times(made, pairs, given.rounds)
        print("CPU of the edges for a message, without a worker")
        costs(pairs, edges, rates, given.seconds, given.rounds)
        made.worker()
        time.sleep(3.0)
        print("the same with a worker, whose `stored` is delivered to both")
        costs(pairs, edges, rates[:1], given.seconds, given.rounds)


if __name__ == "__main__":
    main()
