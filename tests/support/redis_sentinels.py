"""A primary of Redis with two replicas, and three sentinels that choose another when it dies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import hiredis

from scripts.lib.servers import redis
from scripts.lib.servers.__main__ import TOOLS
from scripts.lib.servers.process import Process
from scripts.lib.servers.tools import answers, ports
from tests.support.patience import patient
from tests.support.redis_server import RedisServer, ask_server, redis_server

NAME = "chat"
_AGREE_SECONDS = 30.0
_DOWN_MS = 1000
_SETTINGS = """\
bind 127.0.0.1
port {port}
sentinel monitor {name} 127.0.0.1 {primary} 2
sentinel down-after-milliseconds {name} {down}
sentinel failover-timeout {name} 5000
sentinel parallel-syncs {name} 2
"""


class RedisSentinels:
    """`nodes` are the servers, the first primary first; `url` is what ROOKERY_REDIS_URL takes."""

    def __init__(self, nodes: list[RedisServer], sentinels: list[Process], sentinel_ports: list[int]) -> None:
        self.nodes = nodes
        self.sentinels = sentinels
        self.url = f"redis+sentinel://{','.join(f'127.0.0.1:{port}' for port in sentinel_ports)}/{NAME}"

    def primary(self) -> RedisServer:
        """The node that calls itself the primary; of two, the one with replicas."""
        claims = [node for node in self.nodes if node.alive and node.info("replication")["role"] == "master"]
        return max(claims, key=lambda node: int(node.info("replication")["connected_slaves"]))

    def await_agreement(self) -> None:
        """Wait until the replicas follow the primary, and each sentinel knows the others and the replicas."""
        deadline = time.monotonic() + patient(_AGREE_SECONDS)
        wanted = {"slaves=2", "sentinels=3", "status=ok"}
        while not all(wanted <= self._told_by(process) for process in self.sentinels):
            assert time.monotonic() < deadline, "the sentinels do not come to terms"
            time.sleep(0.05)

    def replace_primary(self) -> None:
        """Have another primary, while the old one runs; a failover that just ended must be forgotten first."""
        deadline = time.monotonic() + patient(_AGREE_SECONDS)
        while True:
            try:
                ask_server(_port_of(self.sentinels[0]), ("SENTINEL", "FAILOVER", NAME))
            except hiredis.ReplyError:
                assert time.monotonic() < deadline, "the sentinels replace nobody"
                time.sleep(0.1)
            else:
                return

    def _told_by(self, process: Process) -> set[str]:
        told = RedisServer.info_of(_port_of(process), "sentinel").get("master0", "")
        return set(told.strip().split(","))


def _port_of(sentinel: Process) -> int:
    return int((sentinel.folder / "port").read_text())


@contextmanager
def redis_sentinels(folder: Path) -> Iterator[RedisSentinels]:
    """All six of them, in agreement."""
    with ExitStack() as stack:
        first = stack.enter_context(redis_server(folder / "0"))
        replica = ["--replicaof", f"127.0.0.1 {first.port}", "--repl-diskless-sync-delay", "0"]
        others = [stack.enter_context(redis_server(folder / str(number), *replica)) for number in (1, 2)]
        chosen = [ports(folder / f"sentinel{number}", 1)[0] for number in range(3)]
        sentinels = [_make_sentinel(folder / f"sentinel{number}", chosen[number], first.port) for number in range(3)]
        for process in sentinels:
            stack.callback(process.stop)
            process.launch()
        for process in sentinels:
            process.await_ready()
        group = RedisSentinels([first, *others], sentinels, chosen)
        group.await_agreement()
        yield group


def _make_sentinel(folder: Path, port: int, primary: int) -> Process:
    def prepare() -> None:
        (folder / "port").write_text(str(port))
        (folder / "sentinel.conf").write_text(_SETTINGS.format(port=port, name=NAME, primary=primary, down=_DOWN_MS))

    return Process(
        folder=folder,
        command=[str(redis.binary(TOOLS)), "sentinel.conf", "--sentinel"],
        ready=lambda: answers(port, b"PING\r\n", b"+PONG"),
        prepare=prepare,
    )
