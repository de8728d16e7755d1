"""What the documents state as facts is true: settings, links, commands, error and close codes."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from chat.wire import commands
from chat.wire.close import CloseCode

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("perf/*.md")])


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of every table."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_the_tables_of_the_settings_are_current() -> None:
    script = ROOT / "scripts/lib/settings_tables.py"
    command = [sys.executable, str(script), "--check"]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": "."}, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def test_every_command_stands_in_the_protocol() -> None:
    named = {
        name for row in rows((ROOT / "docs/protocol.md").read_text()) for name in re.findall(r"`([a-z]+)`", row[0])
    }
    known = {kind.__struct_config__.tag for kind in commands.AnyCommand.__args__}
    assert known - named == set()


def test_every_close_code_that_is_sent_stands_in_the_protocol() -> None:
    first_cells = " ".join(row[0] for row in rows((ROOT / "docs/protocol.md").read_text()))
    never_sent = {CloseCode.NO_STATUS, CloseCode.ABNORMAL}
    assert [code for code in CloseCode if code not in never_sent and str(int(code)) not in first_cells] == []


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as code hosts make them."""
    headings = re.findall(r"^#+ +(.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        there = (document.parent / path).resolve() if path else document
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_that_are_named_exist(document: Path) -> None:
    folders = "rookery|gateway|services|workers|chat|web|proto|perf|k8s|tests|scripts|docs|examples|requirements"
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    named = re.findall(rf"`((?:{folders})/[\w./-]*)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def find_definitions(path: Path) -> set[str]:
    """The functions and classes of a module, and the methods of its classes as `Class.method`."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
            found |= {f"{node.name}.{method.name}" for method in methods}
    return found


def test_the_way_of_a_message_names_functions_that_exist() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    section = text.partition("## The way of a message")[2].partition("\n## ")[0]
    missing = []
    steps = set()
    for numbers, module, functions in (row for row in rows(section) if row[1].endswith(".py`")):
        names = re.findall(r"`([\w.]+)`", functions)
        assert names
        missing += [f"{module}: {name}" for name in set(names) - find_definitions(ROOT / module.strip("`"))]
        steps |= set(numbers.split(", "))
    assert missing == []
    assert steps >= set("12345678")


def test_the_map_has_every_room_and_every_layer_of_the_core() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    section = text.partition("## The house")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([\w/.]+)`", " ".join(row[0] for row in rows(section))))
    packages = {f"{path.parent.name}/" for path in ROOT.glob("*/__init__.py")}
    layers = {f"chat/{path.name}" for path in (ROOT / "chat").glob("[!_]*.py")}
    layers |= {f"chat/{path.parent.name}/" for path in (ROOT / "chat").glob("*/__init__.py")}
    assert (packages | layers) - named == set()


def test_the_bot_in_the_readme_is_the_example() -> None:
    example = (ROOT / "examples/echo_bot.py").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    assert [block for block in blocks if block not in example] == []


def direct_dependencies() -> set[str]:
    """The canonical names of all that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [*project["project"]["optional-dependencies"].values(), *project["dependency-groups"].values()]
    wanted = [*project["project"]["dependencies"], *itertools.chain(*groups)]
    return {canonicalize_name(Requirement(text).name) for text in wanted}


def test_every_dependency_has_its_reason() -> None:
    first_cells = [row[0] for row in rows((ROOT / "docs/dependencies.md").read_text())]
    named = {canonicalize_name(word) for cell in first_cells for word in re.findall(r"[\w.-]+", cell)}
    assert direct_dependencies() - named == set()


def imported(path: Path) -> set[str]:
    """The top-level names that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_every_package_that_is_imported_is_asked_for() -> None:
    ours = {path.stem for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"}
    files = (
        path
        for folder in ("rookery", "gateway", "services", "workers", "chat", "tests", "perf", "scripts")
        for path in (ROOT / folder).rglob("*.py")
        # The servers of the comparison run in an environment of their own, and import what is beside them.
        if not path.is_relative_to(ROOT / "perf/peers/python")
    )
    load_test = set(re.findall(r"^[a-z0-9]+", Path(ROOT, "perf/load/requirements.in").read_text(), re.MULTILINE))
    distributions = packages_distributions()
    undeclared = {
        name
        for name in set().union(*map(imported, files)) - ours - sys.stdlib_module_names - load_test
        if direct_dependencies().isdisjoint(map(canonicalize_name, distributions.get(name, [])))
    }
    assert undeclared == set()
