"""How benchmarks measure."""

from __future__ import annotations

import subprocess
import sys

import pytest

from perf.measure import read_process_cpu

THREAD_THAT_ENDS = """
import threading, time

def work():
    while time.thread_time() < 0.1:
        pass

thread = threading.Thread(target=work)
thread.start()
thread.join()
print(time.process_time(), flush=True)
input()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the CPU clock of another process is Linux's")
def test_the_cpu_of_a_process_is_that_of_its_ended_threads_too() -> None:
    command = [sys.executable, "-c", THREAD_THAT_ENDS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = float(process.stdout.readline())
        found = read_process_cpu(process.pid)
        process.communicate("\n")
    assert found >= told >= 0.1
    with pytest.raises(OSError, match="Invalid argument"):
        read_process_cpu(process.pid)
