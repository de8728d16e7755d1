"""Builds the environment that the image holds: `python build.py TARGET`, from the root of the sources.

The Containerfile runs this, and so does a test without any engine. It needs nothing but Python with venv.

Rule 1: packages come from the lock file, with hashes, and from nowhere else.
Rule 2: what only builds (pip, hatchling) stays in an environment beside the target, which is thrown away.
Rule 3: nothing writes into the target later, so its bytecode is compiled now.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

LOCK = Path("requirements/production.txt")
EXTRA = "production"
_CLOSE = """
import sys
from importlib.metadata import Distribution, distribution
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

def asked(package, extras):
    for text in package.requires or ():
        wanted = Requirement(text)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield wanted

(wheel,) = Distribution.discover(path=[sys.argv[1]], name="rookery")
found, left = set(), list(asked(wheel, [sys.argv[2]]))
while left:
    wanted = left.pop()
    name = canonicalize_name(wanted.name)
    key = (name, frozenset(wanted.extras))
    if key in found:
        continue
    found.add(key)
    if name == "rookery":
        left += asked(wheel, wanted.extras)
    else:
        left += asked(distribution(name), wanted.extras)
print(*sorted({name for name, _ in found} - {"rookery"}), sep="\\n")
"""
"""Prints what the wheel needs with an extra, and what that needs in turn, as installed in the building environment."""


def build_environment(target: Path) -> None:
    """Make a virtual environment at `target` that holds Rookery and what it needs to run, and nothing else.

    Raises `subprocess.CalledProcessError` when a step fails; the step has said why on standard error.
    """
    with TemporaryDirectory(prefix="rookery-build-") as folder:
        tools = Path(folder) / "tools"
        _run([sys.executable, "-m", "venv", str(tools)])
        python = str(tools / "bin/python")
        pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
        _run([*pip, "install", "--require-hashes", "--no-deps", "-r", str(LOCK)])  # rule 1
        _run([python, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(Path(folder) / "dist")])
        (wheel,) = Path(folder, "dist").glob("*.whl")
        needed = Path(folder) / "needed.txt"
        needed.write_text(select_pins(LOCK.read_text(), _list_needed(python, wheel)))

        shutil.rmtree(target, ignore_errors=True)
        _run([sys.executable, "-m", "venv", "--without-pip", str(target)])  # rule 2
        into = [*pip, "--python", str(target / "bin/python"), "install", "--no-deps", "--no-compile"]
        _run([*into, "--require-hashes", "-r", str(needed)])
        _run([*into, "--no-index", str(wheel)])
    # rule 3. The stamp of a source file may change when layers are copied; its hash does not, and nobody checks it.
    compileall = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(target / "lib")]
    _run([str(target / "bin/python"), *compileall])


def select_pins(lock: str, names: Sequence[str]) -> str:
    """The entries of a lock file for these packages, with their hashes. Raises `LookupError` when one is missing."""
    entries = re.split(r"\n(?=\S)", lock)
    found = {
        match[1].lower().replace("_", "-"): entry for entry in entries if (match := re.match(r"([\w.-]+)==", entry))
    }
    missing = [name for name in names if name not in found]
    if missing:
        raise LookupError(f"{LOCK} has no {', '.join(missing)}")
    return "\n".join(found[name] for name in names) + "\n"


def _list_needed(python: str, wheel: Path) -> list[str]:
    done = subprocess.run(
        [python, "-I", "-c", _CLOSE, str(wheel), EXTRA], stdout=subprocess.PIPE, text=True, check=True, timeout=120
    )
    return done.stdout.split()


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


if __name__ == "__main__":
    build_environment(Path(sys.argv[1]).resolve())
