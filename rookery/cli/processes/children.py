"""A process under the supervisor: how it is started, how it says that it serves, and how it is told to leave.

Rule 1: standard input is a pipe of the supervisor's. Its end tells the process to leave, so none stays behind when the
        supervisor is killed.
Rule 2: a process has a session of its own, so Ctrl-C on a terminal reaches the supervisor alone, which passes it on
        once; a second signal would end the drain.
Rule 3: it inherits its listening socket, which stays open in the supervisor: connections that wait there are not reset
        when the process ends.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Protocol

import anyio
from anyio.abc import ByteReceiveStream, Process

from chat.settings import Address, parse_address

_READY = re.compile(rb"^ready http=(\S+)", re.MULTILINE)
_MOST_OUTPUT = 4096


class Child(Protocol):
    """What the supervisor needs of a process. `ready` is set once it serves; `address` is its HTTP from then on."""

    ready: anyio.Event
    address: Address | None

    async def run(self) -> int:
        """Start it, and wait for its end: its exit code, or minus the signal that ended it.

        Raises `OSError` when it cannot be started. When cancelled, kills it, and waits until it is gone.
        """
        ...

    def send_signal(self, signum: int) -> None:
        """Send it a signal; one that has not started yet gets it then, and one that has ended gets none."""
        ...

    async def release_socket(self) -> None:
        """Tell it that another process has its listening socket now: it accepts no more, drains, and ends."""
        ...


class EdgeProcess:
    """A `rookery edge` with a socket of its supervisor. See `Child` and the module."""

    def __init__(self, arguments: Sequence[str], number: int, listener: socket.socket) -> None:
        self.ready = anyio.Event()
        self.address: Address | None = None
        self._fd = listener.fileno()
        own = ["--http", "127.0.0.1:0", "--listener", str(self._fd), "--process-number", str(number)]
        self._command = [sys.executable, "-m", "rookery", *arguments, *own]
        self._process: Process | None = None
        self._early: list[int] = []

    async def run(self) -> int:
        """See `Child.run`."""
        opened = await anyio.open_process(
            self._command,
            stdin=subprocess.PIPE,  # rule 1
            stdout=subprocess.PIPE,
            stderr=None,
            start_new_session=True,  # rule 2
            pass_fds=[self._fd],  # rule 3
        )
        async with opened as process:
            self._process = process
            for signum in self._early:
                self.send_signal(signum)
            if process.stdout is not None:
                await self._read_output(process.stdout)
            return await process.wait()

    async def _read_output(self, stdout: ByteReceiveStream) -> None:
        """Read until the end, so that the process never waits for a reader; keep the start, which says `ready`."""
        said = b""
        async for data in stdout:
            said = (said + data)[:_MOST_OUTPUT]
            found = _READY.search(said)
            if found and b"\n" in said[found.start() :] and not self.ready.is_set():
                self.address = parse_address(found[1].decode())
                self.ready.set()

    def send_signal(self, signum: int) -> None:
        """See `Child.send_signal`."""
        if self._process is None:
            self._early.append(signum)
        elif self._process.returncode is None:
            try:
                self._process.send_signal(signal.Signals(signum))
            except ProcessLookupError:
                return  # it has ended, and nobody has waited for it yet

    async def release_socket(self) -> None:
        """See `Child.release_socket`."""
        if self._process is not None and self._process.stdin is not None:
            await self._process.stdin.aclose()
