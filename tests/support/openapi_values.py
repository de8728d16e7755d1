"""Values for the fields of calls, made from the OpenAPI document."""

from __future__ import annotations

from typing import Any

from services.app import make_openapi

DOCUMENT = make_openapi()
ID = "00000000-0000-4000-8000-000000000000"


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, without a reference and without null."""
    while "$ref" in schema or "anyOf" in schema:
        schema = schema["anyOf"][0] if "anyOf" in schema else follow(schema["$ref"])
    return schema


def follow(reference: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][reference.removeprefix("#/components/schemas/")]
    return found


def make_valid(schema: dict[str, Any]) -> Any:
    """A value that the schema takes."""
    schema = resolve(schema)
    if "enum" in schema or "examples" in schema:
        return (schema.get("enum") or schema["examples"])[0]
    match schema["type"]:
        case "string":
            valid = "valid" * 2 if "pattern" not in schema else "valid"
            return ID if schema.get("format") == "uuid" else valid
        case "integer":
            return int(schema.get("minimum", 1))
        case "boolean":
            return True
        case "array":
            return list[Any]()
        case "object":
            return {name: make_valid(each) for name, each in schema.get("properties", {}).items()}
    raise AssertionError(schema)
