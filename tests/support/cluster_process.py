"""Roles in processes of their own, on real servers, behind one address for sockets and one for REST."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.front import Front, front
from tests.support.own_servers import Servers
from tests.support.patience import patient
from tests.support.process import ROOT, RoleProcess

_TOOL_SECONDS = 120.0
PARTITIONS = 4


@dataclass(frozen=True)
class User:
    """One that was seeded."""

    id: str
    name: str
    token: str


@dataclass(frozen=True)
class Seeded:
    """Users, and rooms by their ids with their members."""

    users: list[User]
    rooms: dict[str, list[User]]


class Cluster:
    """Its topics, keys and database belong to one test: their names begin with something of its own.

    `environment` are settings for all roles, as `heartbeat_seconds="2"`. `processes` are there by their names: `auth`,
    `chat`, `edge0`, …, `worker0`, …; a test may kill, pause and start each of them. With `whole` there is one process
    instead, `serve`, which has all roles. With `services` there are `moderation` and `judge`, the worker pool of
    moderation, too, and the roles ask each other over gRPC.
    """

    def __init__(
        self,
        name: str,
        servers: Servers,
        *,
        edges: int = 2,
        workers: int = 1,
        whole: bool = False,
        services: bool = False,
        **environment: str,
    ) -> None:
        mark = uuid.uuid4().hex[:8]
        self._name = name
        self._environment = {
            "redis_url": servers.redis,
            "redis_prefix": f"test-{mark}:",
            "kafka": servers.kafka,
            "kafka_prefix": f"test-{int(time.time())}-{mark}.",
            "kafka_partitions": str(PARTITIONS),
            "kafka_replication": str(servers.copies),
            "kafka_min_insync": str(min(2, servers.copies)),
            "mongo_url": servers.mongo,
            "mongo_database": f"test_{mark}",
            "rate_limits": "off",
            "reconnect_jitter_seconds": "0.5",
            **environment,
        }
        self._roles = {"serve": ("serve",)} if whole else _roles(edges, workers)
        self._own: dict[str, dict[str, str]] = {}
        if services:
            self._roles = {**_SERVICES, **self._roles}
            self._own = {f"{role}": {"rpc_listen": free_address()} for role in ("auth", "chat", "moderation")}
            calls = {f"{role}_rpc": own["rpc_listen"] for role, own in self._own.items()}
            self._environment |= {"rpc_token": mark, **calls}
        self.processes: dict[str, RoleProcess] = {}
        self.front = Front("", "")

    @property
    def environment(self) -> dict[str, str]:
        """The settings of all roles, by their names without `ROOKERY_`, in small letters."""
        return dict(self._environment)

    @property
    def http(self) -> str:
        """Where REST and the page are."""
        return f"http://{self.front.http}"

    @property
    def ws(self) -> str:
        """Where the edges are."""
        return f"ws://{self.front.ws}/ws"

    @property
    def alive(self) -> bool:
        """Whether every process runs."""
        return all(process.alive for process in self.processes.values())

    @contextmanager
    def running(self) -> Iterator[Cluster]:
        """All of it, ready; killed at the end."""
        self.run_tool("db", "migrate")
        self.run_tool("topics", "apply")
        with front(self._edge_addresses, self._route) as self.front:
            for name, role in self._roles.items():
                self.add(name, *role, ws_url=self.ws, **self._own.get(name, {}))
            try:
                for process in self.processes.values():
                    process.launch()
                for process in self.processes.values():
                    process.await_ready()
                yield self
            finally:
                for process in self.processes.values():
                    process.kill()

    def add(self, name: str, *role: str, **environment: str) -> RoleProcess:
        """One process more, which is not started yet."""
        settings = {**self._environment, **environment}
        process = RoleProcess(f"{self._name}-{name}", *role, edge=role[0] in ("edge", "serve"), **settings)
        self.processes[name] = process
        return process

    def seed(self, folder: Path, *, users: int, rooms: int, members: int) -> Seeded:
        """`rookery admin seed`, with users that nobody has seen yet."""
        folder = folder / uuid.uuid4().hex[:8]
        folder.mkdir()
        tokens, ids = folder / "tokens", folder / "rooms"
        wanted = ["--users", str(users), "--rooms", str(rooms), "--members", str(members), "--prefix", folder.name]
        self.run_tool("admin", "seed", *wanted, "--tokens", str(tokens), "--room-ids", str(ids))
        people = [_user_of(token) for token in tokens.read_text().split()]
        found = {}
        for number, room in enumerate(ids.read_text().split()):
            found[room] = [people[(number * members + offset) % users] for offset in range(members)]
        return Seeded(people, found)

    def errors(self) -> str:
        """What all processes wrote to standard error."""
        return "".join(process.errors() for process in self.processes.values())

    def check(self, *stopped: str) -> None:
        """Every process runs, but those that the test has stopped, and none of them logged a defect."""
        for name, process in self.processes.items():
            assert name in stopped or process.alive, f"{name} has ended: {process.errors()[-3000:]}"
            process.check()

    def _edge_addresses(self) -> list[str]:
        return [process.ws_address for process in self.processes.values() if process.ws_address]

    def _route(self, path: str) -> str:
        role = "serve" if "serve" in self.processes else "auth" if path.startswith("/api/auth/") else "chat"
        return self.processes[role].http_address

    def run_tool(self, *arguments: str) -> None:
        """Run `rookery …` with the settings of the roles; fails with what it said."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ROOKERY_")}
        given = {f"ROOKERY_{key.upper()}": value for key, value in self._environment.items()}
        command = [sys.executable, "-m", "rookery", *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**kept, **given},
            capture_output=True,
            text=True,
            timeout=patient(_TOOL_SECONDS),
            check=False,
        )
        assert done.returncode == 0, f"rookery {' '.join(arguments[:2])}: {done.stdout}{done.stderr}"


_SERVICES = {"moderation": ("moderation",), "judge": ("worker", "moderation")}


def free_address() -> str:
    """An address that nobody listens on yet, for a process that must know where others will be."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{sock.getsockname()[1]}"


def _roles(edges: int, workers: int) -> dict[str, tuple[str, ...]]:
    """The commands of the processes, by their names."""
    return {
        "auth": ("auth",),
        "chat": ("chat",),
        **{f"worker{number}": ("worker", "persistence") for number in range(workers)},
        **{f"edge{number}": ("edge",) for number in range(edges)},
    }


def _user_of(token: str) -> User:
    part = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return User(claims["sub"], claims["name"], token)
