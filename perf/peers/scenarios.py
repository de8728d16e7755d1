"""The scenarios: each is a function of a started contestant and a size, and returns what it measured.

Times are in milliseconds, CPU in microseconds of the server's process (user and system, all threads), memory in bytes.
Every scenario raises `LostDelivery` when a delivery is lost or doubled.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from perf.peers.contestants import Contestant, Crowd, Started, kernel_memory, started
from perf.peers.loading import Counted, LoadClient, load_client
from perf.peers.profiling import Watch, watch_nothing
from perf.peers.wires import Step

Measures = dict[str, float]
Size = Mapping[str, float]


@dataclass(frozen=True)
class Arena:
    """A contestant under load, and the load client's program."""

    contestant: Contestant
    program: Path
    watch: Watch = watch_nothing

    @contextmanager
    def start(
        self, crowd: Crowd, *, ping_seconds: float = 25, deflate: bool = False
    ) -> Iterator[tuple[Started, LoadClient]]:
        """The server with these users and rooms, and a load client."""
        with (
            started(self.contestant, crowd, ping_seconds=ping_seconds, deflate=deflate) as running,
            load_client(self.program, running.port) as load,
        ):
            yield replace(running, watch=self.watch), load


def plan_members(
    running: Started, crowd: Crowd, count: int, *, deflate: bool = False, since: int | None = None
) -> list[Sequence[Step]]:
    """Openings of the first users, each with all of the rooms that it is a member of."""
    rooms_of: list[list[str]] = [[] for _ in range(crowd.users)]
    for number, room in enumerate(running.server.rooms):
        for offset in range(crowd.members):
            rooms_of[(number * crowd.members + offset) % crowd.users].append(room)
    wire, tokens = running.contestant.wire, running.server.tokens
    return [wire.open_session(tokens[at], rooms_of[at], deflate=deflate, since=since) for at in range(count)]


def room_messages(running: Started, senders: range, room: int = 0) -> list[tuple[int, str]]:
    """Messages of these sessions to one room."""
    text = running.contestant.wire.send(running.server.rooms[room])
    return [(session, text) for session in senders]


def measure_sending(
    running: Started, load: LoadClient, messages: Sequence[tuple[int, str]], size: Size, fan_out: int, *,
    pinger: int = -1, rate: float | None = None, count: int | None = None,
) -> Measures:  # fmt: skip
    """Send at the size's rate for its seconds, and measure the server over exactly that."""
    rate = rate or size["rate"]
    count = count or max(1, int(rate * size["seconds"]))
    wire = running.contestant.wire
    with running.spending() as spent:
        counted = load.send(
            messages,
            rate=rate,
            count=count,
            fan_out=fan_out,
            answer=wire.answer,
            seconds=size.get("limit", 60),
            pinger=pinger,
            acks=wire.answer != "-",
        )
    measures = {
        "cpu_us": spent.cpu / counted.deliveries * 1e6,
        "load_cpu_us": counted.cpu / counted.deliveries * 1e6,
        "deliveries_per_second": counted.deliveries / counted.seconds,
        "p50": counted.latency.p50,
        "p99": counted.latency.p99,
    }
    return measures | ({"ping_p99": counted.pings.p99} if pinger >= 0 else {})


def _fan_out(arena: Arena, size: Size, *, deflate: bool = False) -> Measures:
    """Everybody in one room; twenty of them speak in turn."""
    members = int(size["members"])
    crowd = Crowd(members, 1, members)
    with arena.start(crowd, deflate=deflate) as (running, load):
        sessions = load.plan(plan_members(running, crowd, members, deflate=deflate))
        load.open_all(sessions)
        messages = room_messages(running, range(min(20, members)))
        first = measure_sending(running, load, messages, size, members, count=10)
        # The limits know no pings.
        pinger = members - 1 if size.get("pings") and "jwt" in running.contestant.can else -1
        return measure_sending(running, load, messages, size, members, pinger=pinger, count=bound(first, size, members))


def bound(first: Measures, size: Size, fan_out: int) -> int:
    """How many messages to send. Whoever is slow gets fewer, so that a round ends; it is saturated all the same."""
    most = int(first["deliveries_per_second"] / fan_out * size["seconds"] * 2)
    return max(10, min(int(size["rate"] * size["seconds"]), most))


def measure_room(arena: Arena, size: Size) -> Measures:
    """(a) One room, one message at a time."""
    return _fan_out(arena, size)


def measure_throughput(arena: Arena, size: Size) -> Measures:
    """(b), (b2) The same with more messages than most can carry: what is delivered a second, and how late."""
    members = int(size["members"])
    crowd = Crowd(members, 1, members)
    with arena.start(crowd) as (running, load):
        load.open_all(load.plan(plan_members(running, crowd, members)))
        messages = room_messages(running, range(min(20, members)))
        first = measure_sending(running, load, messages, size, members, rate=1000, count=100)
        return measure_sending(running, load, messages, size, members, count=bound(first, size, members))


def measure_crowd(arena: Arena, size: Size) -> Measures:
    """(c) A huge room, while another session is pinged: is the crowd's traffic fair to it?"""
    return _fan_out(arena, size)


def measure_rooms(arena: Arena, size: Size) -> Measures:
    """(d) Many rooms of fifty, each session in twenty of them."""
    users = int(size["users"])
    crowd = Crowd(users, users * 20 // 50, 50)
    with arena.start(crowd) as (running, load):
        load.open_all(load.plan(plan_members(running, crowd, users)))
        wire, rooms = running.contestant.wire, running.server.rooms
        messages = [(number * 50 % users, wire.send(room)) for number, room in enumerate(rooms)]
        measure_sending(running, load, messages, size, 50, rate=200, count=100)
        first = measure_sending(running, load, messages, size, 50, count=200)
        return measure_sending(running, load, messages, size, 50, count=bound(first, size, 50))


def measure_dms(arena: Arena, size: Size) -> Measures:
    """(e) Direct messages: each goes to its receiver, and back to its sender as an event."""
    pairs = int(size["pairs"])
    crowd = Crowd(2 * pairs)
    with arena.start(crowd) as (running, load):
        wire, users = running.contestant.wire, running.users
        shared = [f"dm:{at % pairs}" for at in range(2 * pairs)] if running.contestant.kit == "go" else None
        plans = [
            wire.open_session(token, [shared[at]] if shared else [], deflate=False, since=None)
            for at, token in enumerate(running.server.tokens)
        ]
        load.open_all(load.plan(plans))
        messages = [(at, wire.dm(users[pairs + at], f"dm:{at}")) for at in range(pairs)]
        measure_sending(running, load, messages, size, 2, rate=200, count=100)
        measures = measure_sending(running, load, messages, size, 2)
        return measures | {"cpu_us": 2 * measures["cpu_us"]}


def measure_idle(arena: Arena, size: Size) -> Measures:
    """(f) Silent sessions that are kept alive: memory of the process and of the kernel, and CPU over one interval."""
    count, warm = int(size["connections"]), 200
    members = 100
    crowd = Crowd(count + warm, (count + warm) // members, members)
    with arena.start(crowd, ping_seconds=size["ping_seconds"]) as (running, load):
        sessions = load.plan(plan_members(running, crowd, count + warm))
        load.open_all(sessions[:warm])
        process, kernel, cpu = running.server.memory(), kernel_memory(), running.server.cpu()
        load.open_all(sessions[warm:])
        opened = running.server.cpu() - cpu
        grown, held = running.server.memory() - process, kernel_memory() - kernel
        load.wait(2)
        with running.spending() as spent:
            counted = load.wait(size["seconds"])
        check_alive(counted)
        return {
            "bytes": grown / count,
            "kernel_bytes": held / count,
            "cpu_percent": 100 * spent.cpu / spent.seconds * 10_000 / count,
            "opening_cpu_us": opened / count * 1e6,
        }


def check_alive(counted: Counted) -> None:
    """Raises `AssertionError` when a session ended that nobody ended."""
    assert not counted.failures, counted.failure


def measure_storm(arena: Arena, size: Size) -> Measures:
    """(g) All come at once, with a JWT and twenty subscriptions each, while others talk."""
    count, talking = int(size["connections"]), 200
    crowd = Crowd(count, count * 20 // 50, 50)
    with arena.start(crowd) as (running, load), load_client(arena.program, running.port) as talk:
        talkers = talk.plan(plan_members(running, crowd, talking))
        talk.open_all(talkers)
        wire, room = running.contestant.wire, running.server.rooms[0]
        messages = [(at, wire.send(room)) for at in range(20)]
        calm = measure_sending(running, talk, messages, {"rate": 20, "seconds": size["calm_seconds"]}, 50)
        newcomers = load.plan(plan_members(running, crowd, count)[talking:])
        felt: list[float] = []
        stop = threading.Event()

        def keep_talking() -> None:
            while not stop.is_set():
                counted = talk.send(messages, rate=20, count=10, fan_out=50, answer=wire.answer)
                felt.append(counted.latency.p99)

        with ThreadPoolExecutor(1) as threads:
            talker = threads.submit(keep_talking)
            try:
                with running.spending() as spent:
                    counted = load.open(newcomers, at_once=int(size["at_once"]), attempts=1, seconds=120)
            finally:
                stop.set()
        talker.result()  # raises `LostDelivery` of those who talked
        return {
            "per_second": counted.opened / counted.seconds,
            "opening_cpu_us": spent.cpu / max(1, counted.opened) * 1e6,
            "refused": len(newcomers) - counted.opened,
            "opening_p50": counted.opening.p50,
            "opening_p99": counted.opening.p99,
            "calm_p99": calm["p99"],
            "p99": max(felt, default=0.0),
        }


def measure_slow(arena: Arena, size: Size) -> Measures:
    """(h) One in twenty does not read: what the others feel, and what the server holds for the silent ones."""
    members = int(size["members"])
    slow = members // 20
    crowd = Crowd(members, 1, members)
    with arena.start(crowd) as (running, load):
        sessions = load.plan(plan_members(running, crowd, members))
        load.open_all(sessions[: members - slow])
        messages = room_messages(running, range(20))
        measure_sending(running, load, messages, size, members - slow, count=20)
        calm = measure_sending(running, load, messages, size, members - slow)
        load.open_all(sessions[members - slow :], buffer=4096)
        load.stall(sessions[members - slow :])
        before = running.server.memory()
        slowed = measure_sending(running, load, messages, size, members - slow)
        held = running.server.memory() - before
        return slowed | {"calm_p99": calm["p99"], "calm_p50": calm["p50"], "held_bytes": held / slow}


def measure_echo(arena: Arena, size: Size) -> Measures:
    """(i) Small frames, one under way for each session."""
    count = int(size["connections"])
    crowd = Crowd(count)
    with arena.start(crowd) as (running, load):
        if "room" in running.contestant.can:
            plans = plan_members(running, crowd, count)
        else:
            plans = [running.contestant.wire.open_session("", [], deflate=False, since=None)[:1]] * count
        load.open_all(load.plan(plans))
        messages = [(at, running.contestant.wire.echo()) for at in range(count)]
        load.echo(messages, 0.5)
        with running.spending() as spent:
            counted = load.echo(messages, size["seconds"])
        return {
            "cpu_us": spent.cpu / counted.deliveries * 1e6,
            "per_second": counted.deliveries / size["seconds"],
            "load_cpu_us": counted.cpu / counted.deliveries * 1e6,
            "p50": counted.latency.p50,
            "p99": counted.latency.p99,
        }


def measure_deflate(arena: Arena, size: Size) -> Measures:
    """(j) As (a), and every session has its frames compressed."""
    return _fan_out(arena, size, deflate=True)


def measure_resume(arena: Arena, size: Size) -> Measures:
    """(k) All sessions are lost at once and come back with `since`: time until the last has what it missed."""
    count, missed = int(size["connections"]), 20
    members = 100
    crowd = Crowd(count, count // members, members)
    with arena.start(crowd) as (running, load):
        wire, rooms = running.contestant.wire, running.server.rooms
        sessions = load.plan(plan_members(running, crowd, count))
        load.open_all(sessions)
        speakers = [(number * members, wire.send(room)) for number, room in enumerate(rooms)]
        measure_sending(running, load, speakers, {"rate": 500, "seconds": 1}, members, count=len(rooms))
        load.close(sessions)
        with load_client(arena.program, running.port) as talk:
            talk.open_all(talk.plan(plan_members(running, crowd, count)[::members]))
            texts = [(number, wire.send(room)) for number, room in enumerate(rooms)]
            measure_sending(running, talk, texts, {"rate": 500, "seconds": 1}, 1, count=missed * len(rooms))
        returning = load.plan(plan_members(running, crowd, count, since=1))
        with running.spending() as spent:
            counted = load.open(returning, at_once=count, attempts=3, seconds=120)
        assert counted.deliveries == count * missed, f"{counted.deliveries} of {count * missed} missed messages came"
        return {
            "seconds": counted.opening.longest / 1000,
            "per_second": counted.opened / counted.seconds,
            "opening_cpu_us": spent.cpu / count * 1e6,
            "opening_p99": counted.opening.p99,
            "refused": counted.refused,
            "never": count - counted.opened,
        }


@dataclass(frozen=True)
class Scenario:
    """A scenario with its sizes; `figure` is what its plot shows, and less of it is better unless `more` is."""

    letter: str
    title: str
    needs: str
    run: Callable[[Arena, Size], Measures]
    full: Size
    quick: Size
    shown: tuple[str, ...]
    figure: str
    more: bool = False
    quickly: bool = True
    """Whether `--quick` has it, unless it is asked for by its letter."""


SCENARIOS = (
    Scenario(
        "a", "One room of 1,000, 20 messages a second", "room", measure_room,
        {"members": 1000, "rate": 20, "seconds": 8}, {"members": 1000, "rate": 20, "seconds": 2},
        ("cpu_us", "p50", "p99"), "cpu_us",
    ),
    Scenario(
        "b", "One room of 1,000, 2,000 messages a second", "room", measure_throughput,
        {"members": 1000, "rate": 2000, "seconds": 4}, {"members": 1000, "rate": 2000, "seconds": 1},
        ("deliveries_per_second", "cpu_us", "p50", "p99"), "deliveries_per_second", more=True,
    ),
    Scenario(
        "b2", "One room of 1,000, 6,000 messages a second", "room", measure_throughput,
        {"members": 1000, "rate": 6000, "seconds": 4}, {"members": 1000, "rate": 6000, "seconds": 1},
        ("deliveries_per_second", "cpu_us", "p50", "p99"), "deliveries_per_second", more=True, quickly=False,
    ),
    Scenario(
        "c", "One room of 15,000, 10 messages a second", "room", measure_crowd,
        {"members": 15000, "rate": 10, "seconds": 4, "pings": 1, "limit": 120},
        {"members": 2000, "rate": 10, "seconds": 1, "pings": 1, "limit": 60},
        ("deliveries_per_second", "cpu_us", "p50", "p99", "ping_p99"), "cpu_us",
    ),
    Scenario(
        "d", "1,000 sessions in 20 rooms of 50 each, 2,000 messages a second in all", "jwt", measure_rooms,
        {"users": 1000, "rate": 2000, "seconds": 4}, {"users": 1000, "rate": 2000, "seconds": 1},
        ("deliveries_per_second", "cpu_us", "p50", "p99"), "cpu_us",
    ),
    Scenario(
        "e", "Direct messages, 1,000 a second", "dm", measure_dms,
        {"pairs": 100, "rate": 1000, "seconds": 5}, {"pairs": 100, "rate": 1000, "seconds": 2},
        ("cpu_us", "p50", "p99"), "cpu_us",
    ),
    Scenario(
        "f", "15,000 idle sessions, kept alive by pings", "idle", measure_idle,
        {"connections": 15000, "ping_seconds": 25, "seconds": 25},
        {"connections": 3000, "ping_seconds": 5, "seconds": 5},
        ("bytes", "kernel_bytes", "cpu_percent"), "bytes",
    ),
    Scenario(
        "g", "A storm of sessions: handshake, JWT, 20 subscriptions", "jwt", measure_storm,
        {"connections": 5000, "at_once": 500, "calm_seconds": 3},
        {"connections": 1000, "at_once": 200, "calm_seconds": 1},
        ("per_second", "opening_cpu_us", "refused", "calm_p99", "p99"), "opening_cpu_us",
    ),
    Scenario(
        "h", "One client in twenty does not read", "room", measure_slow,
        {"members": 200, "rate": 500, "seconds": 6}, {"members": 100, "rate": 500, "seconds": 3},
        ("calm_p99", "p99", "cpu_us", "held_bytes"), "p99",
    ),
    Scenario(
        "i", "Echo of small frames", "echo", measure_echo,
        {"connections": 100, "seconds": 4}, {"connections": 100, "seconds": 1},
        ("cpu_us", "per_second", "p99"), "cpu_us",
    ),
    Scenario(
        "j", "As (a), compressed by permessage-deflate", "deflate", measure_deflate,
        {"members": 1000, "rate": 20, "seconds": 8}, {"members": 500, "rate": 20, "seconds": 2},
        ("cpu_us", "p50", "p99"), "cpu_us",
    ),
    Scenario(
        "k", "10,000 come back at once and resume", "history", measure_resume,
        {"connections": 10000}, {"connections": 1000},
        ("seconds", "opening_cpu_us", "refused", "never"), "opening_cpu_us",
    ),
)  # fmt: skip
