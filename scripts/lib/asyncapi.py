"""Writes what is generated from the structs of `chat.wire`; with --check, says which of it is not current.

`docs/asyncapi.yaml`: the texts of `asyncapi.template.yaml` beside this file, and the messages, their schemas, the
operations, and the codes. `web/types/wire.d.ts`: the same frames as types for the page's JavaScript.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml

from chat.wire.close import MEANINGS, CloseCode, should_reconnect
from chat.wire.error_codes import ERROR_CODES
from scripts.lib.page_types import make_page_types
from scripts.lib.wire_contract import REF, Contract, Frame

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "scripts/lib/asyncapi.template.yaml"
EDGE = "#/channels/edge"
HEADER = """\
# The WebSocket contract of Rookery, version 1. docs/protocol.md says the same in prose.
# Generated from the structs of chat/wire and from scripts/lib/asyncapi.template.yaml: change those, then run
# scripts/lint --fix.
"""
_LINE = 108


def main() -> int:
    """0 if all files are written or, with --check, current."""
    check = sys.argv[1:] == ["--check"]
    pages = make_pages(Contract())
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if check:
            print(f"{path.relative_to(ROOT)} is not what chat/wire says: run scripts/lint --fix")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(pages[path])
    return 1 if stale and check else 0


def make_pages(contract: Contract) -> dict[Path, str]:
    """Every generated file with its text."""
    return {
        ROOT / "docs/asyncapi.yaml": HEADER + dump(make_document(contract)),
        ROOT / "web/types/wire.d.ts": make_page_types(contract),
    }


def make_document(contract: Contract) -> dict[str, Any]:
    """The AsyncAPI document."""
    document: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text())
    edge = document["channels"]["edge"]
    edge["messages"] = {frame.key: {"$ref": f"#/components/messages/{frame.key}"} for frame in contract.frames}
    edge["x-close-codes"] = {
        str(int(code)): {"name": code.name, "when": MEANINGS[code], "reconnect": should_reconnect(code)}
        for code in CloseCode
        if code not in (CloseCode.NO_STATUS, CloseCode.ABNORMAL)
    }
    edge["x-error-codes"] = {
        code: {"meaning": meaning, "again": again} for code, (meaning, again) in ERROR_CODES.items()
    }
    components = document.pop("components")
    components["messages"] = {frame.key: _make_message(frame, contract) for frame in contract.frames}
    components["schemas"] = contract.schemas
    return document | {"operations": _make_operations(contract), "components": components}


def _make_operations(contract: Contract) -> dict[str, Any]:
    edge = {"$ref": EDGE}
    operations: dict[str, Any] = {}
    for command in contract.commands:
        ok = contract.find_answer(command)
        operations[command.tag] = {
            "action": "receive",
            "channel": edge,
            "messages": [_refer(command.key)],
            "reply": {"channel": edge, "messages": [_refer(ok.key), _refer("error")]},
        }
    operations["events"] = {
        "action": "send",
        "title": "What the server sends by itself",
        "channel": edge,
        "messages": [_refer(event.key) for event in contract.events],
    }
    return operations


def _refer(key: str) -> dict[str, str]:
    return {"$ref": f"{EDGE}/messages/{key}"}


def _make_message(frame: Frame, contract: Contract) -> dict[str, Any]:
    return {
        "name": frame.tag,
        "title": frame.title,
        "summary": frame.about[0],
        "payload": {"$ref": REF + frame.schema},
        "examples": [{"payload": contract.make_example(frame)}],
    }


class _Dumper(yaml.SafeDumper):
    """Writes what fits on one line on one line, and each shared part wherever it stands."""

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        node = super().represent_mapping(tag, mapping, flow_style)
        node.flow_style = _is_leaf(mapping)
        return node

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        node = super().represent_sequence(tag, sequence, flow_style)
        node.flow_style = len(repr(sequence)) < _LINE and not any(isinstance(item, dict) for item in sequence)
        return node

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _is_leaf(mapping: Any) -> bool:
    """Whether a mapping is short and simple enough to stand in one line."""
    return len(repr(dict(mapping))) < _LINE and all(
        not isinstance(value, dict) or "$ref" in value or set(value) <= {"type", "items"} for value in mapping.values()
    )


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def dump(document: dict[str, Any]) -> str:
    """The document as YAML, with a blank line before each part."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_LINE)
    return re.sub(r"^(?=\w)", "\n", text, flags=re.MULTILINE).lstrip("\n")


if __name__ == "__main__":
    sys.exit(main())
