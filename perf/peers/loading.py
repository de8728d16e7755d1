"""Drives the load client in C (load.c, frames.c, plan.c): writes its plans, and reads what it counted."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from perf.peers.wires import Step
from perf.served import CLIENT_CORE, claim_core


class Times(msgspec.Struct, frozen=True):
    """A distribution, in milliseconds."""

    count: int
    p50: float
    p90: float
    p99: float
    longest: float


class Counted(msgspec.Struct, frozen=True):
    """What the load client saw during one command; `cpu` is its own. `least` and `most`: deliveries to one session."""

    seconds: float
    cpu: float
    sent: int
    deliveries: int
    answers: int
    failures: int
    opened: int
    refused: int
    closed: int
    least: int
    most: int
    bytes: int
    reads: int
    latency: Times
    opening: Times
    pings: Times
    failure: str


class LostDelivery(AssertionError):
    """A contestant did not deliver what it took, or delivered it twice, or ended a session."""


class LoadClient:
    """A running load client; sessions are numbered in the order in which they were planned."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._planned = 0

    def plan(self, sessions: Sequence[Sequence[Step]]) -> range:
        """Add sessions; their numbers."""
        parts = [struct.pack("=I", len(sessions))]
        for steps in sessions:
            parts.append(struct.pack("=I", len(steps)))
            for step in steps:
                parts += [
                    struct.pack("=3I", len(step.written), len(step.marker), step.count),
                    step.written,
                    step.marker,
                ]
        path = self._folder / "plan"
        path.write_bytes(b"".join(parts))
        self.ask(f"plan {path}")
        numbers = range(self._planned, self._planned + len(sessions))
        self._planned += len(sessions)
        return numbers

    def open(
        self, sessions: range, *, at_once: int = 64, attempts: int = 1, seconds: float = 60, buffer: int = 0
    ) -> Counted:
        """Connect and open them, some at once; a refused one comes again after a second, up to `attempts` times."""
        return self.ask(f"open {sessions.start} {sessions.stop} {at_once} {attempts} {seconds} {buffer}")

    def open_all(self, sessions: range, *, buffer: int = 0) -> Counted:
        """Open them without a single refusal. Raises `LostDelivery`."""
        counted = self.open(sessions, seconds=120, buffer=buffer)
        if counted.opened != len(sessions):
            raise LostDelivery(f"{counted.opened} of {len(sessions)} sessions were opened: {counted.failure}")
        return counted

    def send(
        self,
        messages: Sequence[tuple[int, str]],
        *,
        rate: float,
        count: int,
        fan_out: int,
        answer: str,
        seconds: float = 60,
        pinger: int = -1,
        acks: bool = True,
    ) -> Counted:
        """Send `count` of these in turn, `rate` a second, and wait for `fan_out` deliveries and an answer of each.

        Raises `LostDelivery` unless exactly these came.
        """
        path = self._write_templates(messages)
        counted = self.ask(f"send {path} {rate} {count} {count * fan_out} {int(acks)} {seconds} {pinger} {answer}")
        wanted = count * fan_out
        if counted.failures or counted.deliveries != wanted or (acks and counted.answers != count):
            raise LostDelivery(
                f"{counted.deliveries} of {wanted} deliveries and {counted.answers} answers to {counted.sent} of "
                f"{count} messages came within {counted.seconds:.0f} s; {counted.failure}"
            )
        return counted

    def echo(self, messages: Sequence[tuple[int, str]], seconds: float) -> Counted:
        """Each message again and again, as soon as it came back. Raises `LostDelivery`."""
        counted = self.ask(f"echo {self._write_templates(messages)} {seconds}")
        if counted.failures or counted.sent != counted.deliveries:
            raise LostDelivery(f"{counted.sent} were sent, {counted.deliveries} came; {counted.failure}")
        return counted

    def wait(self, seconds: float) -> Counted:
        """Read, answer pings, and send nothing."""
        return self.ask(f"wait {seconds}")

    def stall(self, sessions: range) -> None:
        """Read no more of these."""
        self.ask(f"stall {sessions.start} {sessions.stop}")

    def close(self, sessions: range) -> None:
        """End these."""
        self.ask(f"close {sessions.start} {sessions.stop}")

    def begin(self, command: str) -> None:
        """Give a command, and leave its result to `finish`."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()

    def finish(self) -> Counted:
        """The result of the command that is under way."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load client ended with {self._process.wait()}")
        return msgspec.json.decode(line, type=Counted)

    def ask(self, command: str) -> Counted:
        """A command and its result."""
        self.begin(command)
        return self.finish()

    def _write_templates(self, messages: Sequence[tuple[int, str]]) -> Path:
        parts = [struct.pack("=I", len(messages))]
        for session, text in messages:
            payload = text.encode()
            parts += [struct.pack("=2I", session, len(payload)), payload]
        path = self._folder / "messages"
        path.write_bytes(b"".join(parts))
        return path


@contextmanager
def load_client(program: Path, port: int) -> Iterator[LoadClient]:
    """A load client for the server on this port of loopback, on the core that is kept for it."""
    with tempfile.TemporaryDirectory(prefix="rookery-load-") as folder:
        command = [str(program), str(port)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            claim_core(process.pid, CLIENT_CORE)
            try:
                yield LoadClient(process, Path(folder))
            finally:
                process.kill()
