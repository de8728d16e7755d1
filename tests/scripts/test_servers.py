"""scripts/servers starts what it can, says what it cannot, and ends only what it started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.lib.servers import kafka, tools
from scripts.lib.servers.process import Needs, Process, birth

ROOT = Path(__file__).resolve().parents[2]
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """A process that is ready as soon as it runs."""
    made = Process(folder=tmp_path / "server", command=SLEEP, ready=lambda: True)
    yield made
    made.stop()


def servers(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "scripts/servers"), "--folder", str(folder), *arguments]
    environ = os.environ | environment
    return subprocess.run(command, env=environ, check=False, capture_output=True, text=True, timeout=120)


def test_starting_twice_starts_once_and_stopping_twice_is_no_error(process: Process) -> None:
    process.launch()
    process.await_ready()
    pid = process.pid()
    process.launch()
    assert process.pid() == pid
    assert process.stop()
    assert process.pid() is None
    assert not process.stop()


def test_a_process_that_another_started_is_left_alone(process: Process) -> None:
    with subprocess.Popen(SLEEP) as stranger:
        process.folder.mkdir()
        (process.folder / "pid").write_text(f"{stranger.pid} 12345\n")
        assert process.pid() is None
        assert not process.stop()
        assert birth(stranger.pid) is not None
        stranger.kill()


def test_a_process_that_does_not_listen_to_sigterm_is_killed(tmp_path: Path) -> None:
    ignores = "import signal, time; signal.signal(15, signal.SIG_IGN); open('up', 'w'); time.sleep(60)"
    command = [sys.executable, "-c", ignores]
    process = Process(folder=tmp_path, command=command, ready=(tmp_path / "up").exists, stop_seconds=0.2)
    process.launch()
    process.await_ready()
    pid = process.pid()
    assert pid is not None
    assert process.stop()
    assert birth(pid) is None


def test_a_server_that_ends_at_once_says_why(tmp_path: Path) -> None:
    process = Process(tmp_path, [sys.executable, "-c", "print('no room'); raise SystemExit(1)"], ready=lambda: False)
    process.launch()
    with pytest.raises(Needs, match="no room"):
        process.await_ready()


def test_a_server_that_never_answers_is_stopped(tmp_path: Path) -> None:
    process = Process(tmp_path, SLEEP, ready=lambda: False, start_seconds=0.1)
    process.launch()
    with pytest.raises(Needs, match="answers within"):
        process.await_ready()
    assert process.pid() is None


def test_ports_stay_the_same(tmp_path: Path) -> None:
    chosen = tools.ports(tmp_path, 3)
    assert len(set(chosen)) == 3
    assert tools.ports(tmp_path, 3) == chosen


def test_what_cannot_be_run_is_needed() -> None:
    with pytest.raises(Needs, match=r"^needs it"):
        tools.run(["/nonexistent/tool"], "needs it")
    with pytest.raises(Needs, match=r"(?s)^needs it; `sh -c .*no luck"):
        tools.run(["sh", "-c", "echo no luck >&2; exit 3"], "needs it")


def test_what_is_missing_is_named_and_the_exit_code_tells(tmp_path: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for tool in ("bash", "cat", "dirname"):
        (few / tool).symlink_to(shutil.which(tool) or "")
    result = servers(tmp_path, "start", "kafka", PATH=str(few))
    assert result.returncode == 1
    assert result.stderr.startswith("kafka: needs Kafka: a Java of at least version 17")
    assert servers(tmp_path, "url", "kafka", PATH=str(few)).stderr.startswith("needs Kafka")


def test_brokers_have_ports_of_their_own(tmp_path: Path) -> None:
    brokers = kafka.url(tmp_path, 3).split(",")
    assert len(set(brokers)) == 3
    assert kafka.url(tmp_path, 3).split(",") == brokers


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    result = servers(tmp_path, "start", "oracle")
    assert result.returncode == 2
    assert "there is no server oracle; there are redis, kafka, mongo, kafka3" in result.stderr


@pytest.mark.production
def test_redis_starts_answers_and_stops(tmp_path: Path) -> None:
    started = servers(tmp_path, "start", "redis")
    if started.returncode:
        pytest.skip(started.stderr.partition("redis: ")[2].strip() or "needs redis-server")
    try:
        url = servers(tmp_path, "url", "redis").stdout.strip()
        assert started.stdout.split() == ["redis", url]
        assert url.startswith("redis://127.0.0.1:")
        assert servers(tmp_path, "status", "redis").stdout.split() == ["redis", url]
        (pid,) = servers(tmp_path, "pids", "redis").stdout.split()
        os.kill(int(pid), 0)
    finally:
        assert servers(tmp_path, "stop").stdout.splitlines()[0].split() == ["redis", "stopped"]
    assert servers(tmp_path, "status", "redis").stdout.split() == ["redis", "stopped"]
    assert birth(int(pid)) is None
