"""Names: one word for one thing, as docs/glossary.md has it; functions are verbs with objects."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("chat", "gateway", "services", "workers", "rookery", "web")
ONE_WORD_OVER_ALL = 0.43
ONE_WORD_IN_A_ROOM = 0.55
# Rooms with a bound of their own. Lower it when the room gets better.
SHORTER_NAMES = {
    "chat": 0.4,  # chat/concurrency.py: `set`, `wait`, `close` as everywhere
    "chat/adapters/kafka": 0.2,
    "chat/adapters/mongo": 0.3,
    "chat/adapters/redis": 0.2,
    "chat/adapters/rpc": 0.2,
    "chat/engines": 0.32,
    "chat/ports": 0.2,
    "workers": 0.1,
    "gateway": 0.35,
    "gateway/websocket": 0.35,
    "rookery/cli": 0.15,
    "rookery/client": 0.35,  # what users import: `connect`, `Client.send`, `Core.receive`
    "services/auth": 0.1,
    "services/common": 0.15,
    "services/chat": 0.2,
    "services/moderation": 0.2,
}
# Synonyms that still stand in names. Remove a word from here when it is gone.
STILL_THERE = {
    "person",
    "see",
    "tell",
    "whole",
}

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def list_modules() -> list[Path]:
    """The path from the root of every module of the product that people write."""
    return [path.relative_to(ROOT) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@cache
def read_modules() -> dict[Path, ast.Module]:
    """Path of a module → its tree."""
    return {path: ast.parse((ROOT / path).read_text()) for path in list_modules()}


@cache
def list_definitions() -> list[tuple[Path, Definition]]:
    """Every class and function, with its module."""
    modules = read_modules().items()
    return [(path, node) for path, tree in modules for node in ast.walk(tree) if isinstance(node, Definition)]


def room_of(path: Path) -> str:
    """`chat/engines` of `chat/engines/log.py`; an adapter's system is a room of its own."""
    depth = 3 if path.parts[:2] == ("chat", "adapters") else 2
    return "/".join(path.parts[: min(depth, len(path.parts) - 1)])


def split_name(name: str) -> set[str]:
    """The words of a name, in lower case, each in the singular, too."""
    words = {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}
    return words | {word.removesuffix("s") for word in words}


def read_forbidden_words() -> dict[str, str]:
    """Synonym → the word of the glossary that is used in its place."""
    forbidden: dict[str, str] = {}
    for line in (ROOT / "docs/glossary.md").read_text().splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            forbidden |= dict.fromkeys(re.findall(r"`([a-z_]+)`", cells[-1]), cells[0])
    return forbidden


def test_no_name_has_a_synonym_that_the_glossary_forbids() -> None:
    forbidden = read_forbidden_words()
    assert len(forbidden) > 40
    assert forbidden.keys() >= STILL_THERE
    named = [(path, path.stem) for path in read_modules()]
    named += [(path.parent, path.parent.name) for path in read_modules()]
    named += [(path, node.name) for path, node in list_definitions()]
    found = {
        f"{path}: {name}: {word}"
        for path, name in named
        for word in split_name(name) & (forbidden.keys() - STILL_THERE)
    }
    assert sorted(found) == []


def test_a_class_name_stands_in_one_file() -> None:
    files = defaultdict(set)
    for path, node in list_definitions():
        if isinstance(node, ast.ClassDef):
            files[node.name].add(str(path))
    assert {name: sorted(paths) for name, paths in files.items() if len(paths) > 1} == {}


@cache
def count_one_word_names() -> dict[str, tuple[int, int]]:
    """Room → functions with a name of one word, and all functions; dunder methods do not count."""
    counts: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for path, node in list_definitions():
        if not isinstance(node, ast.ClassDef) and not node.name.startswith("__"):
            one, all_ = counts[room_of(path)]
            counts[room_of(path)] = (one + ("_" not in node.name.strip("_")), all_ + 1)
    return counts


def test_most_function_names_are_a_verb_and_an_object() -> None:
    counts = count_one_word_names()
    assert sum(one for one, _ in counts.values()) <= ONE_WORD_OVER_ALL * sum(all_ for _, all_ in counts.values())


@pytest.mark.parametrize("room", sorted({room_of(path) for path in list_modules()}))
def test_in_every_room_names_say_what_is_done(room: str) -> None:
    one, all_ = count_one_word_names().get(room, (0, 0))
    assert one <= SHORTER_NAMES.get(room, ONE_WORD_IN_A_ROOM) * all_ or all_ < 10, (
        f"{one} of {all_} functions have a name of one word"
    )


def test_no_docstring_only_points_elsewhere() -> None:
    pointing = [
        f"{path}: {node.name}"
        for path, node in list_definitions()
        if (ast.get_docstring(node) or "").startswith("See the port")
    ]
    assert pointing == []
