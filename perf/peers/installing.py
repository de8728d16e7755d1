"""Builds and installs the contestants under output/peers, by name from the registries, pinned with hashes.

A kit is installed once for its lock files and sources: a stamp beside it holds their digest.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from gateway.sends import find_native
from hatch_build import MODULE, compile_module
from perf.peers.contestants import OUTPUT, ROOT

PEERS = ROOT / "perf" / "peers"
LOAD_CLIENT = OUTPUT / "bin" / "load"
INSTALL_SECONDS = 900
_LOAD_SOURCES = ("load.c", "frames.c", "plan.c")


class Missing(Exception):
    """A kit cannot be installed here, and why."""


def install_load_client() -> Path:
    """The load client's program. Raises `Missing` without a C compiler."""
    _install("load", [PEERS / name for name in (*_LOAD_SOURCES, "load.h")], _build_load_client)
    return LOAD_CLIENT


def install_kit(kit: str) -> None:
    """Install what contestants of this kit need. Raises `Missing`."""
    if kit == "none":
        _build_sends()
    elif kit == "go":
        _install(kit, sorted((PEERS / "centrifuge").iterdir()), _build_centrifuge)
    elif kit == "node":
        _install(kit, sorted((PEERS / "node").iterdir()), _install_node)
    elif kit == "python":
        _install(kit, [PEERS / "python" / "requirements.txt"], _install_python)
    elif kit == "cc":
        _install(kit, [PEERS / "limit.c"], _build_limit)


def _install(kit: str, sources: list[Path], build: Callable[[], None]) -> None:
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = OUTPUT / f".installed-{kit}"
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"installing {kit} for the comparison", file=sys.stderr, flush=True)
    stamp.unlink(missing_ok=True)
    (OUTPUT / "bin").mkdir(parents=True, exist_ok=True)
    try:
        build()
    except subprocess.CalledProcessError as error:
        raise Missing(f"{error.cmd[0]} failed: {(error.stderr or b'').decode(errors='replace')[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise Missing(f"{error.cmd[0]} took longer than {INSTALL_SECONDS} s") from error
    stamp.write_text(digest)


def _find(*names: str) -> str:
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    raise Missing(f"{' or '.join(names)} is not installed")


def _run(*command: str | Path, cwd: Path, **environ: str) -> None:
    environment = {**os.environ, **environ}
    subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True, timeout=INSTALL_SECONDS)


def _build_load_client() -> None:
    compiler = _find("cc", "gcc")
    built = LOAD_CLIENT.with_name(f"load.{os.getpid()}")
    options = ("-std=gnu11", "-O2", "-o", str(built), *_LOAD_SOURCES)
    try:
        _run(compiler, *options, "-lz", cwd=PEERS)
    except subprocess.CalledProcessError:
        # Without zlib's header it cannot inflate, and everything else works.
        _run(compiler, *options, cwd=PEERS)
    built.replace(LOAD_CLIENT)  # another process may run it


def _build_sends() -> None:
    # An installation builds it; a virtual environment that was copied, or made without a compiler, has none. Without
    # it, the edge would be measured as it runs where there is no compiler.
    if find_native() is None and (failure := compile_module(ROOT, ROOT / MODULE)):
        print(f"Rookery sends socket by socket: {failure}", file=sys.stderr, flush=True)


def _build_limit() -> None:
    built = OUTPUT / "bin" / f"limit.{os.getpid()}"
    _run(_find("cc", "gcc"), "-std=gnu11", "-O2", "-o", built, "limit.c", cwd=PEERS)
    built.replace(OUTPUT / "bin" / "limit")


def _build_centrifuge() -> None:
    # The sums of go.sum decide; a build changes neither file.
    flags = ("-trimpath", "-mod=readonly")
    _run(_find("go"), "build", *flags, "-o", OUTPUT / "bin" / "centrifuge", ".", cwd=PEERS / "centrifuge")


def _install_node() -> None:
    npm, target = _find("npm"), OUTPUT / "node"
    _find("node")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(PEERS / "node", target)
    _run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=target)


def _install_python() -> None:
    target = OUTPUT / "python"
    shutil.rmtree(target, ignore_errors=True)
    venv.create(target, with_pip=False, symlinks=True)
    options = ("--quiet", "--require-hashes", "--no-deps", "-r", str(PEERS / "python" / "requirements.txt"))
    pip = (sys.executable, "-m", "pip", "--python", str(target / "bin" / "python"))
    _run(*pip, "install", *options, cwd=ROOT, PIP_DISABLE_PIP_VERSION_CHECK="1")
