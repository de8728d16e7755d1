"""Roles under test: real `rookery` processes on the real servers, each with its own CPU account. Shared by benchmarks.

The servers are those of ROOKERY_TEST_REDIS_URL, ROOKERY_TEST_KAFKA and ROOKERY_TEST_MONGO_URL, or those that
scripts/servers runs. Every run has a prefix and a database of its own there.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from aiokafka.admin import AIOKafkaAdminClient

from chat.adapters.mongo.client import open_mongo
from chat.settings import MongoSettings
from perf.measure import read_process_cpu

ROOT = Path(__file__).resolve().parents[1]
PARTITIONS = 12
_STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Servers:
    """Where they are."""

    redis: str
    kafka: str
    mongo: str


def find_servers() -> Servers:
    """Those of the environment, or of scripts/servers, which starts them when they do not run."""
    return Servers(*(_address(name, variable) for name, variable in _VARIABLES.items()))


_VARIABLES = {
    "redis": "ROOKERY_TEST_REDIS_URL",
    "kafka": "ROOKERY_TEST_KAFKA",
    "mongo": "ROOKERY_TEST_MONGO_URL",
}


def _address(name: str, variable: str) -> str:
    command = [str(ROOT / "scripts" / "servers"), "url", name]
    return os.environ.get(variable) or subprocess.check_output(command, text=True).strip()


@dataclass(frozen=True)
class RoleProcess:
    """A running role. `ws` is the address of an edge."""

    pid: int
    ws: tuple[str, int]
    trace: Path | None

    def cpu(self) -> float:
        """Seconds of CPU; see `read_process_cpu`."""
        return read_process_cpu(self.pid)

    def pin(self, core: int) -> None:
        """Keep it on one core."""
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {core})


@dataclass
class Cluster:
    """What runs, and who is known there."""

    servers: Servers
    environ: dict[str, str]
    folder: Path
    tokens: list[str] = field(default_factory=list)
    rooms: list[str] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def command(self, *arguments: str) -> None:
        """Run `rookery` to its end."""
        command = [sys.executable, "-m", "rookery", *arguments]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"rookery {' '.join(arguments)}: {done.stderr}")

    def seed(self, *, users: int, rooms: int, members: int) -> None:
        """Make users and rooms: room R has the next `members` users in turn."""
        tokens, ids = self.folder / "tokens", self.folder / "rooms"
        flags = [f"--users={users}", f"--rooms={rooms}", f"--members={members}"]
        self.command("admin", "seed", *flags, f"--tokens={tokens}", f"--room-ids={ids}")
        self.tokens, self.rooms = tokens.read_text().split(), ids.read_text().split()

    def edge(self, *, trace: bool = False, ws: str = "127.0.0.1:0", processes: int = 1) -> RoleProcess:
        """Start an edge; with `processes`, so many on one port, and what is returned is their supervisor."""
        return self._stack.enter_context(self._role("edge", "--ws", ws, "--processes", str(processes), trace=trace))

    def worker(self, *, trace: bool = False) -> RoleProcess:
        """Start a persistence worker."""
        return self._stack.enter_context(self._role("worker", "persistence", trace=trace))

    def close(self) -> None:
        """End what was started, the last first."""
        self._stack.close()

    @contextmanager
    def _role(self, *arguments: str, trace: bool) -> Iterator[RoleProcess]:
        file = self.folder / f"trace-{uuid.uuid4().hex}" if trace else None
        program = ["-m", "perf.traced", str(file)] if file else ["-m", "rookery"]
        command = [sys.executable, *program, *arguments, "--http", "127.0.0.1:0", "--log-level", "warning"]
        process = subprocess.Popen(command, env=self.environ, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            if not ready.startswith("ready"):
                raise RuntimeError(f"{arguments[0]} did not start")
            found = re.search(r"ws=([\d.]+):(\d+)", ready)
            yield RoleProcess(process.pid, (found[1], int(found[2])) if found else ("", 0), file)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def cluster(**settings: str) -> Iterator[Cluster]:
    """Migrated collections, topics, and nothing running yet. Limits of rate are off. Roles are ended at the end."""
    servers = find_servers()
    name = f"perf-{uuid.uuid4().hex[:12]}"
    environ = {
        **os.environ,
        "ROOKERY_REDIS_URL": servers.redis,
        "ROOKERY_REDIS_PREFIX": f"{name}:",
        "ROOKERY_KAFKA": servers.kafka,
        "ROOKERY_KAFKA_PREFIX": f"{name}.",
        "ROOKERY_KAFKA_PARTITIONS": str(PARTITIONS),
        "ROOKERY_KAFKA_REPLICATION": "1",
        "ROOKERY_MONGO_URL": servers.mongo,
        "ROOKERY_MONGO_DATABASE": name,
        "ROOKERY_RATE_LIMITS": "off",
        **settings,
    }
    with tempfile.TemporaryDirectory(prefix="rookery-perf-") as folder:
        made = Cluster(servers, environ, Path(folder))
        try:
            made.command("db", "migrate")
            made.command("topics", "apply")
            yield made
        finally:
            made.close()
            anyio.run(_remove, servers, name)


async def _remove(servers: Servers, name: str) -> None:
    """What lies about makes the next run slower: databases have their part in each checkpoint."""
    async with open_mongo(MongoSettings(url=servers.mongo, database=name, timeout_seconds=60)) as mongo:
        await mongo.client.drop_database(name)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await admin.start()
    try:
        await admin.delete_topics([topic for topic in await admin.list_topics() if topic.startswith(f"{name}.")])
    finally:
        await admin.close()
