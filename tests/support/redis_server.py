"""A Redis of a test's own, which it may pause, kill and start again; and a cluster of them."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import hiredis
import pytest

from chat.adapters.redis.target import Target, parse_target
from chat.adapters.redis.topology import SLOTS
from chat.settings import RedisSettings
from scripts.lib.servers import redis
from scripts.lib.servers.__main__ import TOOLS, alone
from scripts.lib.servers.process import Needs, Process
from scripts.lib.servers.tools import ports
from tests.support.patience import patient

_ANSWER_SECONDS = 10.0
_FORM_SECONDS = 30.0


class RedisServer:
    """One process. It keeps nothing on the disk: started again, it is empty."""

    def __init__(self, folder: Path, *options: str) -> None:
        with alone("redis", folder):
            try:
                process = redis.process(folder, TOOLS)
            except Needs as missing:
                pytest.skip(str(missing))
        self.url = redis.url(folder)
        self.target: Target = parse_target(RedisSettings(url=self.url))
        self.port = self.target.address.port
        self.cluster_port = 0
        self._process = Process(
            folder=folder,
            command=[*process.command, *options],
            ready=process.ready,
            prepare=process.prepare,
        )

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process.launch()
        self._process.await_ready()

    def kill(self) -> None:
        """SIGKILL."""
        self._signal(signal.SIGKILL)
        self._process.stop()

    def stop(self) -> None:
        """End it, if it runs."""
        self._process.stop()

    def pause(self) -> None:
        """SIGSTOP: connections stay open, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def ask(self, *commands: tuple[Any, ...]) -> list[Any]:
        """The replies to commands on a connection of their own; blocks. Raises the first that is an error."""
        return ask_server(self.port, *commands)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.pid() is not None

    def info(self, section: str) -> dict[str, str]:
        """What `INFO` says."""
        return self.info_of(self.port, section)

    @staticmethod
    def info_of(port: int, section: str) -> dict[str, str]:
        """What `INFO` of any server on this machine says."""
        (text,) = ask_server(port, ("INFO", section))
        return dict(line.split(":", 1) for line in text.decode().split("\r\n") if ":" in line)

    def _signal(self, number: signal.Signals) -> None:
        pid = self._process.pid()
        assert pid is not None, "the server does not run"
        os.kill(pid, number)


def ask_server(port: int, *commands: tuple[Any, ...]) -> list[Any]:
    """The same, of any server on this machine."""
    pack: Any = hiredis.pack_command
    reader = hiredis.Reader()
    replies: list[Any] = []
    with socket.create_connection(("127.0.0.1", port), timeout=patient(_ANSWER_SECONDS)) as sock:
        sock.sendall(b"".join(pack(command) for command in commands))
        while len(replies) < len(commands):
            reader.feed(sock.recv(65536))
            while (reply := reader.gets()) is not False:
                if isinstance(reply, hiredis.ReplyError):
                    raise reply
                replies.append(reply)
    return replies


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[RedisServer]:
    """A server that runs."""
    server = RedisServer(folder, *options)
    try:
        server.start()
        yield server
    finally:
        server.stop()


class RedisCluster:
    """Three nodes that share the slots, and a fourth that stands by for the first."""

    def __init__(self, nodes: list[RedisServer]) -> None:
        self.nodes = nodes
        self.ids = [node.ask(("CLUSTER", "MYID"))[0] for node in nodes]

    @property
    def target(self) -> Target:
        """The cluster, asked through its second node."""
        return self.nodes[1].target

    def owner(self, slot: int) -> int:
        """The number of the node that owns the slot, as the second node sees it."""
        (ranges,) = self.nodes[1].ask(("CLUSTER", "SLOTS"))
        (owner,) = [one[2][2] for one in ranges if one[0] <= slot <= one[1]]
        return self.ids.index(owner)

    def begin_move(self, slot: int, source: int, to: int) -> None:
        """The first half of moving a slot."""
        self.nodes[to].ask(("CLUSTER", "SETSLOT", slot, "IMPORTING", self.ids[source]))
        self.nodes[source].ask(("CLUSTER", "SETSLOT", slot, "MIGRATING", self.ids[to]))

    def end_move(self, slot: int, source: int, to: int) -> None:
        """The second half; the keys of the slot are forgotten."""
        self.nodes[source].ask(("FLUSHALL",))
        for node in (to, source, 3 - to - source):
            self.nodes[node].ask(("CLUSTER", "SETSLOT", slot, "NODE", self.ids[to]))

    def form(self) -> None:
        """Share the slots, and let the nodes know each other."""
        share = SLOTS // 3
        first, *others = self.nodes
        for number, node in enumerate(self.nodes[:3]):
            last = SLOTS - 1 if number == 2 else (number + 1) * share - 1
            node.ask(("CLUSTER", "ADDSLOTSRANGE", number * share, last), ("CLUSTER", "SET-CONFIG-EPOCH", number + 1))
        for node in others:
            first.ask(("CLUSTER", "MEET", "127.0.0.1", node.port, node.cluster_port))
        self.await_state(lambda: all(self._knows_all(node) for node in self.nodes))
        self.nodes[3].ask(("CLUSTER", "REPLICATE", self.ids[0]))
        self.await_state(lambda: self.nodes[3].info("replication").get("master_link_status") == "up")
        self.await_state(lambda: all(self._is_ok(node) for node in self.nodes))

    def await_state(self, reached: Callable[[], bool]) -> None:
        """Wait until the nodes have exchanged their state."""
        deadline = time.monotonic() + patient(_FORM_SECONDS)
        while not reached():
            assert time.monotonic() < deadline, "the cluster does not come to terms"
            time.sleep(0.05)

    def _knows_all(self, node: RedisServer) -> bool:
        (text,) = node.ask(("CLUSTER", "NODES"))
        lines = text.decode().splitlines()
        return len(lines) == len(self.nodes) and not any("handshake" in line for line in lines)

    def _is_ok(self, node: RedisServer) -> bool:
        (text,) = node.ask(("CLUSTER", "INFO"))
        return "cluster_state:ok" in text.decode()


@contextmanager
def redis_cluster(folder: Path) -> Iterator[RedisCluster]:
    """A cluster that runs; for tests that need sharded Pub/Sub, which came with Redis 7."""
    with ExitStack() as stack:
        nodes = []
        for number in range(4):
            options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port"]
            bus = ports(folder / f"bus{number}", 1)[0]
            try:
                node = stack.enter_context(redis_server(folder / str(number), *options, str(bus)))
            except Needs:
                pytest.skip("needs Redis 7 or newer, for sharded Pub/Sub")
            node.cluster_port = bus
            nodes.append(node)
        cluster = RedisCluster(nodes)
        cluster.form()
        yield cluster
