"""The programs that check manifests, each in a version that stands in the repository, built or installed when missing.

They stand in output/kube. Go's caches of a build are there as well, and go when it has ended. Two checks at once, as
tests run them, build one after the other, and the second finds what the first has built.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.lib.servers.process import Needs
from scripts.lib.servers.tools import locked, run, say

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / "output" / "kube"
HERE = Path(__file__).resolve().parent
KUBERNETES = "1.34.0"
VALIDATE = "kubernetes-validate==1.37.0"
"""It brings the schemas of Kubernetes 1.25 to 1.37."""


def find_kustomize() -> list[str]:
    """The command that builds an overlay: kubectl's own kustomize, or one that Go builds. Raises `Needs`."""
    kubectl = shutil.which("kubectl")
    if kubectl is not None and _works([kubectl, "kustomize", "--help"]):
        return [kubectl, "kustomize"]
    return [str(build_tools("tools")["kustomize"]), "build"]


def find_kubeconform() -> Path:
    """Raises `Needs`."""
    return build_tools("tools")["kubeconform"]


def build_tools(module: str) -> dict[str, Path]:
    """The programs of a Go module beside this file, by name; built when its go.mod has changed. Raises `Needs`."""
    folder, target = HERE / module, HOME / module
    wanted = (folder / "go.mod").read_text() + (folder / "go.sum").read_text()
    mark = target / ".complete"
    with locked(HOME / f"{module}.lock"):
        if not mark.exists() or mark.read_text() != wanted:
            _build_module(folder, target)
            mark.write_text(wanted)
    return {path.name: path for path in target.iterdir() if os.access(path, os.X_OK) and path.is_file()}


def _build_module(folder: Path, target: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise Needs("needs Go 1.24 or newer")
    say(f"building the programs of {folder.relative_to(ROOT)}; this happens once")
    shutil.rmtree(target, ignore_errors=True)
    cache = HOME / f"{folder.name}-cache"
    environment = {
        "CGO_ENABLED": "0",
        "GOBIN": str(target),
        "GOCACHE": str(cache / "build"),
        "GOMODCACHE": str(cache / "modules"),
        "GOFLAGS": "-modcacherw -buildvcs=false -mod=readonly",
    }
    try:
        target.mkdir(parents=True)
        # Of a copy: Git may lay the sources anew during a build of some minutes.
        copied = shutil.copytree(folder, cache / "source")
        build = ["nice", go, "-C", str(copied), "install", "-trimpath", "-ldflags=-s -w", "tool"]
        run(build, "needs Go, and access to its modules", **environment)
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def find_validator() -> tuple[Path, Path]:
    """kubernetes-validate's Python, and its schemas. Raises `Needs`."""
    folder = HOME / "validate"
    mark = folder / ".complete"
    with locked(HOME / "validate.lock"):
        if not mark.exists() or mark.read_text() != VALIDATE:
            say(f"installing {VALIDATE} into an environment of its own")
            shutil.rmtree(folder, ignore_errors=True)
            run([sys.executable, "-m", "venv", str(folder)], "needs Python's venv")
            pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            run([*pip, VALIDATE], "needs an index of Python packages")
            mark.write_text(VALIDATE)
    (schemas,) = folder.glob("lib/python*/site-packages/kubernetes_validate/kubernetes-json-schema")
    return folder / "bin/python", schemas


def _works(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
