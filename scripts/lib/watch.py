"""watch.py COMMAND…: runs the command, and again whenever a file of the checkout changes, until Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 0.5
_OUTPUT = {"output", "data", "node_modules", "__pycache__", "dist"}

Snapshot = dict[str, int]


def take_snapshot(root: Path) -> Snapshot:
    """When each file that somebody may edit was last changed: path → time in ns."""
    return dict(_list_files(str(root)))


def _list_files(folder: str) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _OUTPUT:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _list_files(entry.path)
            else:
                with suppress(FileNotFoundError):  # an editor's temporary file is gone again at once
                    yield entry.path, entry.stat().st_mtime_ns


def list_changes(before: Snapshot, after: Snapshot) -> list[str]:
    """The paths that were added, changed or removed, in order."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def watch(command: Sequence[str], root: Path, pause: Callable[[], None]) -> None:
    """Run `command` once, then after each change under `root`; also after one that was made while it ran.

    `pause` is called between two looks. Whatever it raises ends the loop.
    """
    while True:
        seen = take_snapshot(root)
        subprocess.run(command, cwd=root, check=False)
        print("watching; Ctrl-C ends", file=sys.stderr, flush=True)
        while not (changed := list_changes(seen, take_snapshot(root))):
            pause()
        shown = ", ".join(os.path.relpath(path, root) for path in changed[:3])
        print(f"changed: {shown}{', …' if len(changed) > 3 else ''}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        watch(sys.argv[1:], ROOT, lambda: time.sleep(POLL_SECONDS))
    except KeyboardInterrupt:
        sys.exit(130)
