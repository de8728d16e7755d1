"""What does a system of so many connections take: edges, Redis, workers, network, money? It calculates, not measures.

The prices of one connection, message, delivery and copy are measured (`many`, `pubsub`, `fanout`, `worker`; see
perf/README.md) and stand in `MEASURED`. What people do is an assumption, in `HABITS`, and so is money, in `MONEY`.
docs/scale.md explains each line.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from math import ceil
from pathlib import Path

from msgspec import Struct

from perf.drawing import draw_shares


class Prices(Struct, frozen=True):
    """What one of each costs; seconds of CPU and bytes."""

    edge_bytes: float = 96e6
    connection_bytes: float = 1_870.0
    kernel_bytes: float = 5_040.0
    idle_cpu: float = 2.0e-6
    log_in_cpu: float = 300e-6
    send_cpu: float = 330e-6
    receive_cpu: float = 30e-6
    delivery_cpu: float = 16.4e-6
    worker_cpu: float = 50e-6
    heartbeat_redis_cpu: float = 15e-6
    publish_redis_cpu: float = 0.7e-6
    copy_redis_cpu: float = 0.23e-6
    delivery_wire_bytes: float = 500.0
    idle_wire_bytes: float = 11.0


class Habits(Struct, frozen=True):
    """What people do at the busiest time, and what is left free."""

    send_seconds: float = 300.0
    online_members: float = 50.0
    heartbeat_seconds: float = 25.0
    return_seconds: float = 60.0
    connections_an_edge: float = 20_000.0
    busy: float = 0.6
    mean_of_peak: float = 0.3
    stored_bytes: float = 800.0


class Money(Struct, frozen=True):
    """Example prices in dollars, of nobody in particular."""

    core_hour: float = 0.04
    gigabyte_hour: float = 0.005
    egress_gigabyte: float = 0.05
    hours: float = 730.0


MEASURED, HABITS, MONEY = Prices(), Habits(), Money()


class Need(Struct, frozen=True):
    """What a number of connections takes, at the busiest time."""

    connections: int
    edges: int
    messages: float
    deliveries: float
    copies: float
    edge_cores: dict[str, float]
    log_in_cores: float
    redis_cores: float
    worker_cores: float
    memory: float
    egress: float
    stored_a_day: float

    @property
    def cores(self) -> float:
        """Cores of edges, Redis and workers, with what is left free."""
        return (sum(self.edge_cores.values()) + self.redis_cores + self.worker_cores) / HABITS.busy

    @property
    def dollars(self) -> float:
        """A month, without Kafka's and MongoDB's machines and disks."""
        hardware = self.cores * MONEY.core_hour + self.memory / 1e9 * MONEY.gigabyte_hour
        egress = self.egress * HABITS.mean_of_peak * 3600 / 1e9 * MONEY.egress_gigabyte
        return (hardware + egress) * MONEY.hours


def compute_need(connections: int) -> Need:
    """What so many take."""
    edges = ceil(connections / HABITS.connections_an_edge)
    messages = connections / HABITS.send_seconds
    deliveries = messages * HABITS.online_members
    # Members are on edges at random: so many different edges does a message reach.
    reached = edges * (1 - (1 - 1 / edges) ** HABITS.online_members)
    copies = messages * reached
    edge_cores = {
        "keep-alive": connections * MEASURED.idle_cpu,
        "messages in": messages * MEASURED.send_cpu,
        "copies from Redis": copies * MEASURED.receive_cpu,
        "deliveries": deliveries * MEASURED.delivery_cpu,
    }
    beats = connections / HABITS.heartbeat_seconds * MEASURED.heartbeat_redis_cpu
    return Need(
        connections=connections,
        edges=edges,
        messages=messages,
        deliveries=deliveries,
        copies=copies,
        edge_cores=edge_cores,
        log_in_cores=HABITS.connections_an_edge / HABITS.return_seconds * MEASURED.log_in_cpu,
        redis_cores=messages * MEASURED.publish_redis_cpu + copies * MEASURED.copy_redis_cpu + beats,
        worker_cores=messages * MEASURED.worker_cpu,
        memory=edges * MEASURED.edge_bytes + connections * (MEASURED.connection_bytes + MEASURED.kernel_bytes),
        egress=deliveries * MEASURED.delivery_wire_bytes + connections * MEASURED.idle_wire_bytes,
        stored_a_day=messages * HABITS.mean_of_peak * 86_400 * HABITS.stored_bytes,
    )


ROWS: tuple[tuple[str, Callable[[Need], str]], ...] = (
    ("edges of 20,000 connections", lambda need: f"{need.edges:,}"),
    ("messages a second", lambda need: f"{need.messages:,.0f}"),
    ("deliveries a second", lambda need: f"{need.deliveries:,.0f}"),
    ("copies that Redis sends a second", lambda need: f"{need.copies:,.0f}"),
    ("cores busy in edges", lambda need: f"{sum(need.edge_cores.values()):,.1f}"),
    ("cores busy in Redis", lambda need: f"{need.redis_cores:,.2f}"),
    ("shards of Redis, each 60 % busy", lambda need: f"{ceil(need.redis_cores / HABITS.busy):,}"),
    ("cores busy in persistence workers", lambda need: f"{need.worker_cores:,.2f}"),
    ("cores in all, 60 % busy", lambda need: f"{need.cores:,.0f}"),
    ("memory of edges and their kernels", lambda need: f"{need.memory / 1e9:,.1f} GB"),
    ("to the network at the peak", lambda need: f"{need.egress * 8 / 1e9:,.2f} Gbit/s"),
    ("new in MongoDB a day", lambda need: f"{need.stored_a_day / 1e9:,.0f} GB"),
    ("dollars a month, by the example prices", lambda need: f"{need.dollars:,.0f}"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", type=Path, help="an SVG of what the edges' cores are busy with")
    options = parser.parse_args()
    needs = [compute_need(count) for count in (100_000, 1_000_000, 10_000_000)]
    print("| |", " | ".join(f"{need.connections:,}" for need in needs), "|")
    print("| --- |" + " --- |" * len(needs))
    for name, show in ROWS:
        print(f"| {name} |", " | ".join(show(need) for need in needs), "|")
    print(f"an edge whose clients all come back within a minute: {needs[0].log_in_cores:.2f} cores for log-ins")
    if options.figure is not None:
        bars = {f"{need.connections:,} connections": {**need.edge_cores, "Redis": need.redis_cores} for need in needs}
        options.figure.write_text(draw_shares("What the cores of edges and of Redis are busy with", bars))


if __name__ == "__main__":
    main()
