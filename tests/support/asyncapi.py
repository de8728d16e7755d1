"""`docs/asyncapi.yaml` as validators: what a frame is held against."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.yaml"
_ANSWERS = {
    "auth": "okAuth",
    "subscribe": "okSubscribe",
    "sync": "okSync",
    "presence": "okPresence",
    "follow": "okFollow",
}


@cache
def document() -> dict[str, Any]:
    """The document."""
    found: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text())
    return found


@cache
def validator(schema: str) -> Draft7Validator:
    """The validator of a schema of the document, by its name."""
    registry: Any = Registry().with_resource("urn:asyncapi", DRAFT7.create_resource(document()))
    return Draft7Validator({"$ref": f"urn:asyncapi#/components/schemas/{schema}"}, registry=registry)


def faults(schema: str, value: Any) -> list[str]:
    """What is wrong with a value; nothing when it fits."""
    return [f"{error.json_path}: {error.message}" for error in validator(schema).iter_errors(value)]


def schema_of_frame(frame: dict[str, Any], command: str | None) -> str:
    """The schema of a frame from the server; `command` is what an `ok` answers, when that is known."""
    if frame["type"] == "ok":
        return f"answer.{_ANSWERS.get(command or '', 'ok')}"
    return "answer.error" if frame["type"] == "error" else f"event.{frame['type']}"


def check_frame(frame: dict[str, Any], command: str | None = None) -> None:
    """Fails when a frame from the server is not of the contract."""
    schema = schema_of_frame(frame, command)
    assert schema in document()["components"]["schemas"], f"no such event: {frame}"
    assert faults(schema, frame) == [], frame
