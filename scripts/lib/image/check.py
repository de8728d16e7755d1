"""Checks an environment that build.py made: it holds nothing that builds, and it runs as somebody who cannot write it.

`python -m scripts.lib.image.check TARGET`
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

USER = 10001
"""Who runs in the image (Containerfile)."""
BUILDERS = {"pip", "setuptools", "wheel", "hatchling", "editables", "uv", "build", "cffi-gen-src"}
_SECONDS = 120


def find_faults(target: Path) -> Iterator[str]:
    """What is wrong with the environment, a sentence each."""
    yield from find_builders(target)
    yield from find_writable(target)
    if not list(target.glob("lib/python*/site-packages/rookery/__pycache__/*.pyc")):
        yield "the bytecode is not compiled, and nobody can do it later"
    with TemporaryDirectory(prefix="image-") as folder:
        yield from run_commands(target, Path(folder))


def find_builders(target: Path) -> Iterator[str]:
    """Packages that install or build."""
    for site in target.glob("lib/python*/site-packages"):
        names = {path.name.partition("-")[0].partition(".")[0].lower() for path in site.iterdir()}
        yield from (f"{name} is in the environment" for name in sorted(names & BUILDERS))


def find_writable(target: Path) -> Iterator[str]:
    """Files that others than their owner can write."""
    for path in target.rglob("*"):
        if not path.is_symlink() and path.stat().st_mode & 0o022:
            yield f"{path.relative_to(target)} can be written by others"
            return


def run_commands(target: Path, folder: Path) -> Iterator[str]:
    """Start what the image starts, as its user where that can be done, in a folder that is the only one to write."""
    rookery = str(target / "bin/rookery")
    help_text = _run([rookery, "--help"], folder)
    if "usage: rookery" not in help_text.stdout:
        yield f"`rookery --help` fails: {help_text.stderr}"
        return
    data = folder / "data"
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        folder.chmod(0o755)
        os.chown(data, USER, USER)
    yield from _serve(rookery, data)


def _serve(rookery: str, data: Path) -> Iterator[str]:
    tini = shutil.which("tini-static") or shutil.which("tini")
    process_1 = [tini, "-s", "--"] if tini else []
    command = [*_become_user(), *process_1, rookery, "serve", "--http", "127.0.0.1:0", "--ws", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=data, env=_environment(data), stdout=subprocess.PIPE, text=True) as it:
        try:
            line = it.stdout.readline() if it.stdout else ""
            ready = dict(part.partition("=")[::2] for part in line.split())
            if "http" not in ready:
                yield "`rookery serve` does not become ready"
                return
            with urllib.request.urlopen(f"http://{ready['http']}/readyz", timeout=_SECONDS) as answer:
                if answer.status != 200:
                    yield f"/readyz answers {answer.status}"
            it.send_signal(signal.SIGTERM)
            code = it.wait(_SECONDS)
            if code != 0:
                yield f"after SIGTERM the exit code is {code}"
        finally:
            if it.poll() is None:
                it.kill()


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=_environment(folder), capture_output=True, text=True, timeout=_SECONDS, check=False
    )


def _environment(home: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "ROOKERY_DATA": str(home / "rookery"),
        "ROOKERY_DRAIN_SECONDS": "5",
    }


def _become_user() -> list[str]:
    """As the user of the image, who may read all and write nothing: Python may stand in root's own folder."""
    if os.geteuid() != 0:
        return []
    capability = "+dac_read_search"
    who = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    return [
        "setpriv",
        *who,
        f"--inh-caps=-all,{capability}",
        f"--ambient-caps=-all,{capability}",
        "--no-new-privs",
        "--",
    ]


if __name__ == "__main__":
    problems = list(find_faults(Path(sys.argv[1]).resolve()))
    print(*problems, sep="\n", end="\n" if problems else "")
    sys.exit(1 if problems else 0)
