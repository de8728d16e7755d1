"""Real servers of a test's own, which it may pause, kill and start again; and where the shared ones are."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.lib.servers.__main__ import running, start, stop
from scripts.lib.servers.process import Needs, Process
from tests.support.servers import server_url


@dataclass(frozen=True)
class Servers:
    """The addresses that roles are given. `copies`: on how many brokers a record has to be."""

    redis: str
    kafka: str
    mongo: str
    copies: int = 1


class OwnServer:
    """`redis`, `kafka`, `mongo` or `kafka3`, with its data in a folder of its own; the same port at every start."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder
        self.url = ""

    def start(self) -> None:
        """Start its processes that do not run, and wait until it answers.

        The first time, skips the test where the server cannot be installed.
        """
        try:
            self.url = start(self._name, self._folder)
        except Needs as missing:
            if self.url:
                raise
            reason = str(missing).splitlines()[0]
            pytest.skip(reason if reason.startswith("needs") else f"needs {reason}")

    def stop(self) -> None:
        """Kill its processes. Its data is no longer needed."""
        for process in self._processes():
            self._signal(process, signal.SIGKILL)
        stop(self._name, self._folder)

    def kill(self, node: int = 0) -> None:
        """SIGKILL to one of its processes; it is gone when this returns."""
        process = self._processes()[node]
        self._signal(process, signal.SIGKILL)
        process.stop()

    def pause(self) -> None:
        """SIGSTOP: connections stay open, new ones are accepted by the system, and nobody answers."""
        for process in self._processes():
            self._signal(process, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        for process in self._processes():
            self._signal(process, signal.SIGCONT)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It does not answer for the length of the block."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def _processes(self) -> list[Process]:
        return running(self._name, self._folder)

    @staticmethod
    def _signal(process: Process, number: signal.Signals) -> None:
        pid = process.pid()
        assert pid is not None, "the server does not run"
        os.kill(pid, number)


@contextmanager
def own_server(name: str, folder: Path) -> Iterator[OwnServer]:
    """One that runs."""
    server = OwnServer(name, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def servers_with(*own: OwnServer, copies: int = 1) -> Servers:
    """The shared servers, but for those that are given."""
    urls = {server._name.removesuffix("3"): server.url for server in own}
    redis, kafka, mongo = (urls.get(name) or server_url(name) for name in ("redis", "kafka", "mongo"))
    return Servers(redis, kafka, mongo, copies)
