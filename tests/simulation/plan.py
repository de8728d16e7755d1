"""The plan of a run, drawn from its seed: the size of the cluster, what clients do, and the incidents."""

from __future__ import annotations

import random

from msgspec import Struct

from chat.domain.models import User
from chat.settings import EdgeSettings, LimitSettings, Settings

NAMES = ("ann", "ben", "cat", "dan", "eve")
ROOMS = ("hall", "attic")
ROUND_SECONDS = 4.0
INCIDENTS = {
    "kill an edge": 3,
    "kill a pool": 4,
    "drain an edge": 1,
    "stop a pool": 1,
    "expel a pool": 4,
    "expel every pool": 2,
    "stall a pool": 3,
    "stall and expel a pool": 3,
    "stall an edge": 1,
    "break an edge's relay": 5,
    "restart the relay": 2,
    "cut a client": 2,
    "cut every client": 2,
    "make a client vanish": 1,
    "stall a client": 6,
    "change a right": 8,
}


class Plan(Struct, frozen=True):
    """The plan of one run. `people` has the user of each client; a round is a list of (seconds, incident)."""

    edges: int
    pools: int
    partitions: int
    rooms: int
    people: list[User]
    actions: int
    text_bytes: int
    send_buffer: int
    sqlite: bool
    settings: Settings
    rounds: list[list[tuple[float, str]]]

    def __str__(self) -> str:
        engines = "SQLite" if self.sqlite else "memory"
        incidents = sum(map(len, self.rounds))
        return (
            f"{self.edges} edges, {self.pools} pools, {self.partitions} partitions, {self.rooms} rooms, "
            f"{len(self.people)} clients, {incidents} incidents in {len(self.rounds)} rounds, on {engines}"
        )


def identity(kind: int, number: int) -> str:
    """A UUID that is the same in every run."""
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


def draw_plan(seed: int, rng: random.Random) -> Plan:
    """The plan of a seed. One in eight runs on the real SQLite engines."""
    users = [User(id=identity(1, number), name=name) for number, name in enumerate(NAMES[: rng.randint(2, 5)])]
    clients = rng.randint(3, 8)
    people = [users[number] if number < len(users) else rng.choice(users) for number in range(max(clients, len(users)))]
    return Plan(
        edges=rng.choice((1, 2, 2, 3)),
        pools=rng.choice((1, 2, 2, 3)),
        partitions=rng.choice((1, 1, 2, 3)),
        rooms=rng.choice((1, 1, 2)),
        people=people,
        actions=rng.choice((1, 1, 2, 3, 4)),
        text_bytes=rng.choice((0, 1500)),
        send_buffer=rng.choice((0, 2048, 2048)),
        sqlite=seed % 8 == 0,
        settings=draw_settings(rng),
        rounds=[_draw_round(rng) for _ in range(rng.choice((2, 3)))],
    )


def _draw_round(rng: random.Random) -> list[tuple[float, str]]:
    names, weights = zip(*INCIDENTS.items(), strict=True)
    count = rng.choice((0, 1, 2, 3, 4, 6))
    times = sorted(rng.random() * ROUND_SECONDS for _ in range(count))
    return list(zip(times, rng.choices(names, weights, k=count), strict=True))


def draw_settings(rng: random.Random) -> Settings:
    """Draw small limits, so that small runs reach them."""
    # The outbox takes the largest answer: what is resumed, with some 350 bytes around each text.
    resume = rng.choice((3, 8))
    limits = LimitSettings(
        resume_messages=resume, resume_bytes=4_000, outbox_bytes=8_000, pending_commands=rng.choice((2, 8))
    )
    edge = EdgeSettings(
        deflate=False,
        heartbeat_seconds=4.0,
        auth_seconds=6.0,
        handshake_seconds=6.0,
        close_seconds=1.0,
        drain_seconds=3.0,
        reconnect_jitter_seconds=0.0,
        presence_damping_seconds=0.5,
        access_cache_seconds=rng.choice((0.5, 60.0)),
    )
    return Settings(edge=edge, limits=limits)
