"""What the servers' installations share: commands with a clear end, virtual environments, free ports."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.lib.servers.process import Needs

# Below what systems give to outgoing connections, so that a port is free again when a server is started again.
_PORTS = range(20_000, 30_000)


def say(text: str) -> None:
    """Tell the user; standard output belongs to the answers."""
    print(f"rookery: {text}", file=sys.stderr, flush=True)


def run(command: Sequence[str], what: str, **environment: str) -> None:
    """Run a command to its end. Raises `Needs` with the end of what it said."""
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise Needs(f"{what}: {error}") from None
    if done.returncode:
        words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise Needs(f"{what}; `{' '.join(command[:4])} …` failed:\n{words}")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; the others wait. The lock goes with its process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def environment_with(folder: Path, requirement: str, program: str, what: str) -> Path:
    """A program of a virtual environment that holds this package alone; made when it is missing."""
    found = folder / "bin" / program
    mark = folder / ".complete"
    if mark.exists() and mark.read_text() == requirement and found.exists():
        return found
    say(f"installing {requirement} into an environment of its own")
    shutil.rmtree(folder, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(folder)], f"{what}: `python -m venv` does not work here")
    run(
        [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement],
        f"{what}: pip cannot install {requirement}",
    )
    if not found.exists():
        raise Needs(f"{what}: {requirement} has no program {program} for this system")
    mark.write_text(requirement)
    return found


def ports(folder: Path, count: int) -> list[int]:
    """So many free ports; the same ones again for the same folder."""
    kept = folder / "ports"
    if kept.exists():
        numbers = [int(word) for word in kept.read_text().split()]
        if len(numbers) == count:
            return numbers
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [port for port in random.sample(_PORTS, 200) if _free(port)][:count]
    kept.write_text(" ".join(map(str, chosen)) + "\n")
    return chosen


def _free(port: int) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int, question: bytes, expected: bytes) -> bool:
    """Whether the server on this port answers the question with something that holds the expected bytes."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as sock:
            sock.sendall(question)
            return expected in sock.recv(4096)
    except OSError:
        return False
