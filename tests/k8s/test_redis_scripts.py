"""The start scripts of k8s/base/redis, with three real nodes and three real sentinels, as in the cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from scripts.lib.servers import redis
from scripts.lib.servers.__main__ import TOOLS
from scripts.lib.servers.process import Needs, Process
from tests.support.named_hosts import NamedHosts, wait_until

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.production]
SCRIPTS = Path(__file__).resolve().parents[2] / "k8s/base/redis"
PASSWORD = "a password with spaces"
NAMES = {f"redis-{number}.redis": f"127.0.40.{number + 1}" for number in range(3)}
NAMES |= {f"redis-sentinel-{number}.redis-sentinel": f"127.0.41.{number + 1}" for number in range(3)}
SENTINELS = " ".join(name for name in NAMES if "sentinel" in name)


class Nodes:
    """Nodes and sentinels, by the names of their pods."""

    def __init__(self, folder: Path, hosts: NamedHosts, programs: Path) -> None:
        self._programs = programs
        self.processes = {name: self._make_process(folder / name, hosts, name) for name in hosts.names}

    def ask(self, name: str, *words: str) -> str:
        """What redis-cli says; empty while nobody answers."""
        port = "26379" if "sentinel" in name else "6379"
        command = [str(self._programs / "redis-cli"), "-h", NAMES[name], "-p", port, "--raw", *words]
        environment = {"REDISCLI_AUTH": PASSWORD, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)
        return done.stdout

    def find_primary(self, sentinel: int = 0) -> str:
        """The name that a sentinel gives."""
        name = f"redis-sentinel-{sentinel}.redis-sentinel"
        return self.ask(name, "sentinel", "get-master-addr-by-name", "rookery").partition("\n")[0]

    def is_whole(self) -> bool:
        """Whether the primary has two replicas, and each sentinel knows both and the two other sentinels."""
        primary = self.find_primary()
        facts = [self.ask(name, "sentinel", "master", "rookery").split("\n") for name in SENTINELS.split()]
        known = [dict(zip(each[::2], each[1::2], strict=False)) for each in facts]
        counts = {(each.get("num-slaves"), each.get("num-other-sentinels")) for each in known}
        return (
            primary in NAMES
            and "connected_slaves:2" in self.ask(primary, "info", "replication")
            and counts == {("2", "2")}
        )

    def _make_process(self, folder: Path, hosts: NamedHosts, name: str) -> Process:
        folder.mkdir(parents=True)
        is_sentinel = "sentinel" in name
        script = SCRIPTS / ("start-sentinel.sh" if is_sentinel else "start-redis.sh")
        return hosts.make_process(
            folder,
            ["sh", str(script)],
            lambda: "PONG" in self.ask(name, "ping"),
            PATH=f"{self._programs}:/usr/sbin:/usr/bin:/sbin:/bin",
            LISTEN=NAMES[name],
            NODE=name.partition(".")[0].rpartition("-")[2],
            ME=name,
            DOMAIN=".redis",
            SENTINELS=SENTINELS,
            QUORUM="2",
            REDIS_PASSWORD=PASSWORD,
            MADE=str(folder / "redis.conf"),
            FOLDER=str(folder),
            DATA=str(folder),
            MAXMEMORY="64mb",
        )


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    """All six, which have found each other."""
    try:
        binary = redis.binary(TOOLS).resolve()
    except Needs as missing:
        pytest.skip(str(missing))
    programs = tmp_path / "bin"
    programs.mkdir()
    client = Path("/usr/bin/redis-cli")
    if not client.exists():
        pytest.skip("redis-cli is not installed, which the scripts call")
    for name, target in (("redis-server", binary), ("redis-sentinel", binary), ("redis-cli", client)):
        (programs / name).symlink_to(target)
    found = Nodes(tmp_path, NamedHosts(tmp_path, NAMES), programs)
    with ExitStack() as stack:
        for process in found.processes.values():
            stack.callback(process.stop)
            process.launch()
        for process in found.processes.values():
            process.await_ready()
        yield found


def test_another_node_becomes_primary_and_the_dead_one_comes_back_as_its_replica(nodes: Nodes) -> None:
    wait_until(nodes.is_whole)
    assert nodes.find_primary() == "redis-0.redis"

    first = nodes.processes["redis-0.redis"]
    pid = first.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not {nodes.find_primary(number) for number in range(3)} & {"redis-0.redis", ""})

    first.launch()
    first.await_ready()
    wait_until(nodes.is_whole)
    assert nodes.find_primary() in ("redis-1.redis", "redis-2.redis")
    assert "role:slave" in nodes.ask("redis-0.redis", "info", "replication")


def test_nobody_without_the_password_is_answered(nodes: Nodes) -> None:
    command = [sys.executable, "-c", "import socket, sys; s = socket.create_connection((sys.argv[1], 6379)); "]
    command[2] += "s.sendall(b'PING\\r\\n'); print(s.recv(100))"
    done = subprocess.run([*command, NAMES["redis-0.redis"]], capture_output=True, text=True, check=True, timeout=60)
    assert "NOAUTH" in done.stdout
