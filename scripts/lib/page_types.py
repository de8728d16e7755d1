"""The commands, answers and events as TypeScript types, for the checks of the page's JavaScript."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from chat.wire.close import CloseCode
from chat.wire.error_codes import ERROR_CODES
from scripts.lib.wire_contract import REF, Contract, Schema

HEADER = """\
// What crosses the WebSocket, as types. Generated from the structs of chat/wire by scripts/lint --fix: do not edit.
// JavaScript reads them by `import("../../types/wire.js").MessageEvent` in JSDoc; nothing of this reaches the browser.

/** How a conversation is named: by the id of a room, or by that of the other user of a direct conversation. */
export type Place = { room: Uuid; with?: undefined } | { room?: undefined; with: Uuid };

type WithoutId<C> = C extends { id: Id } ? Omit<C, "id"> : never;
/** A command before it is sent: the protocol gives it its `id`. */
export type Unsent = WithoutId<AnyCommand>;
"""
_WIDTH = 114
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def make_page_types(contract: Contract) -> str:
    """The text of `web/types/wire.d.ts`."""
    parts = [HEADER]
    parts += [_declare(contract, name, schema) for name, schema in contract.schemas.items()]
    for name, frames in (
        ("AnyCommand", contract.commands),
        ("AnyAnswer", contract.answers),
        ("AnyEvent", contract.events),
    ):
        parts.append(f"export type {name} =\n" + "\n".join(f"  | {frame.kind.__name__}" for frame in frames) + ";\n")
    parts.append(_union("ErrorCode", "The codes that the server knows now.", ERROR_CODES))
    parts.append(_union("CloseCode", "RFC 6455, and from 4000 on our own.", [int(code) for code in CloseCode]))
    return "\n".join(parts)


def _union(name: str, about: str, values: Any) -> str:
    return f"/** {about} */\nexport type {name} =\n" + "\n".join(f"  | {json.dumps(value)}" for value in values) + ";\n"


def _declare(contract: Contract, name: str, schema: Schema) -> str:
    kind = contract.class_names.get(name, name)
    about = contract.summaries.get(name, ""), schema.get("description", "")
    text = "".join(_comment("\n\n".join(part for part in about if part)))
    if "properties" not in schema:
        return f"{text}export type {kind} = {_type(contract, schema)};\n"
    placed = "oneOf" in schema
    fields = {
        field: given for field, given in schema["properties"].items() if not (placed and field in ("room", "with"))
    }
    body = "".join(
        f"  {field}{'' if field in schema['required'] else '?'}: {_type(contract, given)};\n"
        for field, given in fields.items()
    )
    if placed:
        return f"{text}export type {kind} = Place & {{\n{body}}};\n"
    return f"{text}export interface {kind} {{\n{body}}}\n"


def _comment(description: str) -> Iterator[str]:
    lines = [line for part in description.split("\n\n") for line in textwrap.wrap(part, _WIDTH)]
    if len(lines) == 1:
        yield f"/** {lines[0]} */\n"
    elif lines:
        yield "/**\n" + "".join(f" * {line}\n" for line in lines) + " */\n"


def _type(contract: Contract, schema: Schema) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(REF)
        return contract.class_names.get(name, name)
    if "const" in schema or "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " | ".join(_type(contract, choice) for choice in schema["anyOf"])
    if schema["type"] == "array":
        return f"{_type(contract, schema['items'])}[]"
    if schema["type"] == "object":
        return f"Record<string, {_type(contract, schema['additionalProperties'])}>"
    return _PLAIN[schema["type"]]
