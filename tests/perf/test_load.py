"""`scripts/load` passes on a server that keeps its promises, and fails on one that loses or doubles a delivery."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as serve_websocket

from tests.support.process import ROOT, ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.long]

SPOILED = 12
"""Which of all room messages that go to clients is lost or doubled."""


class Meddler:
    """Stands between clients and the edge, and sends the one delivery `copies` times."""

    def __init__(self, copies: int) -> None:
        self.upstream = ""
        self._copies = copies
        self._count = 0
        self._lock = threading.Lock()

    def relay(self, client: ServerConnection) -> None:
        """One connection, until either side ends it."""
        with connect(self.upstream, open_timeout=60, ping_interval=None) as edge:
            reader = threading.Thread(target=self._forward, args=(client, edge), daemon=True)
            reader.start()
            self._forward(edge, client)
            reader.join(60)

    def _forward(self, source: Connection, target: Connection) -> None:
        try:
            for frame in source:
                for _ in range(self._copies_of(frame)):
                    target.send(frame)
        except ConnectionClosed:
            pass
        finally:
            target.close()

    def _copies_of(self, frame: str | bytes) -> int:
        if json.loads(frame).get("type") != "message":
            return 1
        with self._lock:
            self._count += 1
            return self._copies if self._count == SPOILED else 1


@contextmanager
def meddling(copies: int) -> Iterator[tuple[Meddler, str]]:
    meddler = Meddler(copies)
    with serve_websocket(meddler.relay, "127.0.0.1", 0, ping_interval=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield meddler, f"ws://127.0.0.1:{server.socket.getsockname()[1]}/ws"
        finally:
            server.shutdown()
            thread.join(60)


def load(server: ServerProcess, *options: str) -> subprocess.CompletedProcess[str]:
    command = ["scripts/load", server.http, "--users", "5", "--seconds", "15", "--pause", "1", *options]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=600, env=os.environ)


def test_a_server_that_keeps_its_promises_passes(tmp_path: Path) -> None:
    with ServerProcess("test_load", tmp_path) as server:
        done = load(server, "--processes", "2")
        server.check()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "send → ok" in done.stderr + done.stdout
    assert "promise: " not in done.stderr + done.stdout
    assert "delivery" in Path(ROOT, "output/load/report.html").read_text()


@pytest.mark.parametrize(("copies", "promise"), [(0, "gap"), (2, "doubled")])
def test_a_broken_promise_fails_the_run(tmp_path: Path, copies: int, promise: str) -> None:
    with meddling(copies) as (meddler, url), ServerProcess("test_load", tmp_path, ws_url=url) as server:
        meddler.upstream = server.ws
        done = load(server)
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"promise: {promise}" in done.stdout + done.stderr
