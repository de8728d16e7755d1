"""What the documents state as facts is true: settings, links, commands, error and close codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from chat.settings import Limits, Settings
from chat.wire import commands
from gateway.websocket.close import CloseCode

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("perf/*.md")])


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of every table."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def shown(default: Any) -> str:
    """A default as the table shows it."""
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, tuple):
        return ",".join(default)
    return f"{default:g}" if isinstance(default, float) else str(default)


def variables(kind: type[Struct]) -> dict[str, str]:
    """Environment variable → default, of a class of settings."""
    fields = (field for field in msgspec.structs.fields(kind) if field.name != "limits")
    return {f"ROOKERY_{field.name.upper()}": shown(field.default) for field in fields}


def test_the_settings_table_is_true() -> None:
    found = (row for row in rows((ROOT / "docs/operations.md").read_text()) if row[0].startswith("`ROOKERY_"))
    table = {name.strip("`"): default.strip("`") for name, default, *_ in found}
    assert table == variables(Settings) | variables(Limits)


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
