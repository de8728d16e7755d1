"""Where the time goes: sampled stacks and a count of system calls of the edge, over each scenario's measured period.

`py-spy` samples the stacks (`pip install py-spy`) without stopping the server; `perf stat` of Linux counts system calls
in the kernel, where `strace -c` would stop the server at each. Both need the right to watch another process.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import msgspec

from perf.measure import read_process_cpu
from perf.served import CLIENT_CORE

Watch = Callable[[int], AbstractContextManager[object]]
"""Watches the process of this id while the context is entered."""
STOP_SECONDS = 60
SAMPLES_PER_SECOND = 400
CALLS = (
    "epoll_wait", "epoll_pwait", "epoll_ctl", "accept4", "recvfrom", "sendto", "io_uring_enter", "read", "write",
    "futex", "pwrite64", "pread64", "fdatasync", "fcntl", "close", "mmap", "getpid", "getrandom",
)  # fmt: skip
"""Those that an edge on SQLite makes; `others` are the rest of all."""
_ALL = "raw_syscalls:sys_enter"
_COUNT = re.compile(r"^(\d+),[^,]*,syscalls:sys_enter_(\w+)", re.MULTILINE)
_TOTAL = re.compile(r"^(\d+),[^,]*,raw_syscalls:sys_enter", re.MULTILINE)


class SystemCalls(msgspec.Struct, frozen=True):
    """How often a process asked the kernel for something, by call, in all its threads; CPU and time are in seconds."""

    seconds: float
    cpu: float
    calls: dict[str, int]


def watch_nothing(_pid: int) -> AbstractContextManager[object]:
    """Measure, and do not look."""
    return nullcontext()


def require_tools(*names: str) -> None:
    """Raises `SystemExit` for one that is not installed."""
    for name in names:
        if shutil.which(name) is None:
            raise SystemExit(f"--profile needs {name}: install it and put it on the PATH")


def record_stacks(target: Path) -> Watch:
    """Write sampled stacks to this file (py-spy's `raw`): the last measured period's, if there are several."""

    @contextmanager
    def watch(pid: int) -> Iterator[None]:
        options = (
            "--nonblocking",
            "--function",
            "--format",
            "raw",
            "--rate",
            str(SAMPLES_PER_SECOND),
            "--duration",
            "unlimited",
        )
        with _running("py-spy", "record", *options, "--output", str(target), "--pid", str(pid)) as process:
            assert process.stdout is not None
            while "Sampling process" not in (line := process.stdout.readline()):
                if not line:
                    raise RuntimeError(f"py-spy cannot watch {pid}")
            yield

    return watch


def count_calls(target: Path) -> Watch:
    """Write `SystemCalls` to this file as JSON: the last measured period's, if there are several."""

    @contextmanager
    def watch(pid: int) -> Iterator[None]:
        text = target.with_suffix(".txt")
        names = ",".join([_ALL, *(f"syscalls:sys_enter_{name}" for name in CALLS)])
        with _running("perf", "stat", "-x", ",", "-e", names, "-o", str(text), "-p", str(pid)):
            time.sleep(0.5)  # it says nothing when it has begun
            began, before = time.monotonic(), read_process_cpu(pid)
            yield
            seconds, cpu = time.monotonic() - began, read_process_cpu(pid) - before
        target.write_bytes(msgspec.json.encode(SystemCalls(seconds, cpu, read_calls(text.read_text()))))

    return watch


def read_calls(counted: str) -> dict[str, int]:
    """How often each call was made, from what `perf stat -x ,` wrote; `others` are those that it did not tell apart.

    Calls that were never made are left out.
    """
    calls = {name: int(count) for count, name in _COUNT.findall(counted)}
    others = int(found[1]) if (found := _TOTAL.search(counted)) else 0
    calls["others"] = max(0, others - sum(calls.values()))
    return {name: count for name, count in calls.items() if count}


@contextmanager
def _running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A watcher on the load client's core, ended by an interrupt, at which it writes its file."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        os.sched_setaffinity(process.pid, {CLIENT_CORE})
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
