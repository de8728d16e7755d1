"""Checks that the lock files fit pyproject.toml, as far as that can be seen without a network.

Every direct dependency is pinned to a version that its specifier allows, every pin has a hash, no line names a place
to download from, and what runs is tested: the tests' lock file holds all of the others, in the same versions.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {
    "run": ["server", "build"],
    "production": ["production", "build"],
    "test": ["production", "classifier", "purerpc", "tracing", "build", "test"],
}
"""Lock file → the extras and dependency groups that it holds beside the project's own dependencies."""

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<rest>.*)$")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")
_ADDRESS = re.compile(r"://|\s@\s|^\s*-(?!-hash)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    """Canonical name → version, of a lock file's text."""
    found = (_PIN.match(line) for line in lock.splitlines())
    return {canonicalize_name(pin["name"]): pin["version"] for pin in found if pin}


def entries(lock: str) -> Iterator[str]:
    """The pins of a lock file, each with its continuation lines."""
    text = "\n".join(line for line in lock.splitlines() if not line.lstrip().startswith("#"))
    return (entry for entry in re.split(r"\n(?=\S)", text) if entry.strip())


def faults(name: str, lock: str, wanted: Iterable[str]) -> Iterator[str]:
    """What is wrong with one lock file, a sentence each."""
    pinned = pins(lock)
    for text in wanted:
        requirement = Requirement(text)
        version = pinned.get(canonicalize_name(requirement.name))
        if version is None:
            yield f"{name}: {requirement.name} is missing"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield f"{name}: {requirement.name} is pinned to {version}, and pyproject.toml wants {requirement.specifier}"
    for entry in entries(lock):
        first = entry.splitlines()[0]
        if not _PIN.match(first):
            yield f"{name}: this line is no pin: {first}"
        elif not _HASH.search(entry):
            yield f"{name}: {first.split()[0]} has no hash"
        if _ADDRESS.search(entry.replace("--hash=", "")):
            yield f"{name}: {first.split()[0]} names a place to download from"


def list_group(groups: Mapping[str, Sequence[str]], names: Iterable[str]) -> Iterator[str]:
    """The requirements of extras and groups, and of the extras that these name, as in `rookery[server]`."""
    for name in names:
        for text in groups[name]:
            requirement = Requirement(text)
            if requirement.name == "rookery":
                yield from list_group(groups, sorted(requirement.extras))
            else:
                yield text


def check(root: Path) -> list[str]:
    """All that is wrong with the lock files of the project in `root`."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    texts = {name: (root / "requirements" / f"{name}.txt").read_text() for name in LOCKS}
    groups = {**project["project"]["optional-dependencies"], **project["dependency-groups"]}
    wrong: list[str] = []
    for name, held in LOCKS.items():
        wanted = [*project["project"]["dependencies"], *list_group(groups, held)]
        wrong += faults(f"requirements/{name}.txt", texts[name], wanted)
    tested = pins(texts["test"])
    wrong += [
        f"requirements/test.txt: {name} is not at {version}, the version in {lock}.txt"
        for lock, text in texts.items()
        for name, version in pins(text).items()
        if tested.get(name) != version
    ]
    return wrong


def main() -> int:
    wrong = check(ROOT)
    for line in wrong:
        print(line)
    if wrong:
        print("scripts/lock writes the lock files anew")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
