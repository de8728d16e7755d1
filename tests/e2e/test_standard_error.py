"""A server whose standard error nobody reads: a paused terminal, or a log driver that is stuck."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.process import ServerProcess

pytestmark = pytest.mark.slow


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The end for writing of a pipe that takes no byte more."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    yield writer
    os.close(reader)
    os.close(writer)


def test_a_server_whose_log_nobody_reads_starts_answers_and_drains(full_pipe: int, tmp_path: Path) -> None:
    server = ServerProcess("unread", tmp_path)
    server.stderr = full_pipe
    with server:
        for _ in range(20):
            assert httpx.get(f"{server.http}/readyz", timeout=60).status_code == 200
        assert "rookery_stderr_dropped_total 0.0" in httpx.get(f"{server.http}/metrics", timeout=60).text
        server.terminate()
        assert server.wait() == 0
