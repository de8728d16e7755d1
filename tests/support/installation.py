"""An empty virtual environment, into which a test installs the wheel as a user does."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
_PIP_SECONDS = 600.0


class Installation:
    """A virtual environment at `folder`, with nothing in it at first.

    Rule 1: pip resolves and installs what the wheel asks for, in the versions of the lock files.
    Rule 2: where no index is in reach, the packages are linked from the running environment: those that the wheel asks
            for, and no others.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder, with_pip=False)
        self.python = folder / "bin/python"
        (self._packages,) = folder.glob("lib/python*/site-packages")

    def install_wheel(self, wheel: Path, *extras: str) -> None:
        """Install the wheel with what it and the extras need."""
        wanted = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
        constraints = self.folder / "constraints.txt"
        lines = (ROOT / "requirements/test.txt").read_text().splitlines()
        pins = [line.rstrip("\\ ") for line in lines if "==" in line]
        constraints.write_text("\n".join(pins))
        if self._reaches_index():
            done = self._run_pip("install", "--constraint", str(constraints), wanted)  # rule 1
        else:
            done = self._run_pip("install", "--no-deps", "--no-index", str(wheel))
        assert done.returncode == 0, done.stdout + done.stderr
        (installed,) = Distribution.discover(name="rookery", path=[str(self._packages)])
        self._link_packages(_list_requirements(installed, extras))  # rule 2; after rule 1 there is nothing to link

    def install_tools(self, *names: str) -> None:
        """Link packages of the running environment, with what they need, into this one."""
        self._link_packages(names)

    def run_code(self, code: str, *arguments: str, cwd: Path, timeout: float = 120.0) -> str:
        """Run Python in the environment; its standard output. Fails when the code does."""
        done = self.run("-c", code, *arguments, cwd=cwd, timeout=timeout)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, *arguments: str, cwd: Path, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run the environment's Python, which sees nothing but the environment."""
        command = [str(self.python), "-I", *arguments]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)

    def _reaches_index(self) -> bool:
        return self._run_pip("install", "--dry-run", "--no-deps", "--retries", "1", "wsproto").returncode == 0

    def _run_pip(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        outside = next(each for each in (sys.executable, str(Path(sys.executable).resolve())) if _has_pip(each))
        command = [outside, "-m", "pip", "--python", str(self.python), "--disable-pip-version-check", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False)

    def _link_packages(self, names: Iterable[str]) -> None:
        there = {canonicalize_name(each.name) for each in Distribution.discover(path=[str(self._packages)])}
        for package in _close_over(names):
            if canonicalize_name(package.name) in there:
                continue
            for file in package.files or ():
                target = self._packages / file
                if ".." not in file.parts:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.symlink_to(Path(str(package.locate_file(file))))


def _has_pip(python: str) -> bool:
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def _list_requirements(package: Distribution, extras: Iterable[str]) -> Iterator[str]:
    """What the distribution asks for here, with these extras."""
    for text in package.requires or ():
        marker = Requirement(text).marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield text.partition(";")[0]


def _close_over(texts: Iterable[str]) -> list[Distribution]:
    """The distributions that are asked for, those that they ask for, and so on; fails when a version does not fit."""
    found: dict[tuple[str, frozenset[str]], Distribution] = {}
    left = [Requirement(text) for text in texts]
    while left:
        wanted = left.pop()
        package = distribution(wanted.name)
        assert wanted.specifier.contains(package.version, prereleases=True), f"{wanted}: {package.version} is there"
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key not in found:
            found[key] = package
            left += map(Requirement, _list_requirements(package, wanted.extras))
    return list(found.values())
