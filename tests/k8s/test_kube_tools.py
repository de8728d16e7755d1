"""The programs that check manifests are built once, whatever number of checks runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GO = """#!{python}
import fcntl, os, pathlib
target = pathlib.Path(os.environ["GOBIN"])
with (target.parent / (target.name + ".lock")).open("a") as lock:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = "another check may build at the same time"
    except BlockingIOError:
        found = "alone"
with (target.parent / "builds").open("a") as builds:
    builds.write(found + "\\n")
(target / "kubeconform").touch(0o755)
"""


def test_a_module_is_built_by_one_check_alone(tmp_path: Path) -> None:
    """In a copy of the scripts, where nothing is built yet, with a Go that says whether others are kept out."""
    for package in ("kube", "servers"):
        shutil.copytree(ROOT / "scripts/lib" / package, tmp_path / "scripts/lib" / package)
    go = tmp_path / "bin/go"
    go.parent.mkdir()
    go.write_text(GO.format(python=sys.executable))
    go.chmod(0o755)
    command = [sys.executable, "-c", "from scripts.lib.kube.tools import find_kubeconform as f; print(f())"]
    environment = {**os.environ, "PATH": f"{go.parent}:{os.environ['PATH']}", "PYTHONPATH": str(tmp_path)}
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        assert Path(done.stdout.strip()) == tmp_path / "output/kube/tools/kubeconform"
    assert (tmp_path / "output/kube/builds").read_text() == "alone\n"
