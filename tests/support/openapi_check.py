"""Checks responses against an OpenAPI 3.1 document: as much of JSON Schema as FastAPI writes, and nothing silently."""

from __future__ import annotations

import re
from typing import Any

import httpx

_KNOWN = {
    "$ref", "additionalProperties", "anyOf", "const", "default", "description", "discriminator", "enum", "examples",
    "format", "items", "maxItems", "maxLength", "maximum", "minLength", "minimum", "minItems", "pattern", "properties",
    "required", "title", "type",
}  # fmt: skip
_TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


class Checker:
    """Remembers which (method, path, status) it has seen."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.seen: set[tuple[str, str, str]] = set()
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path)
            # A path without parameters is the more specific one.
            for path in sorted(document["paths"], key=lambda path: ("{" in path, path))
        ]

    def check(self, method: str, response: httpx.Response) -> None:
        """Fails unless the answer stands in the document. Paths and methods that do not exist are left alone."""
        path = next((name for pattern, name in self._paths if pattern.fullmatch(response.request.url.path)), None)
        operation = self.document["paths"].get(path, {}).get(method.lower())
        if path is None or operation is None:
            return
        status = str(response.status_code)
        assert status in operation["responses"], f"{method} {path} answered {status}: not in the document"
        self.seen.add((method, path, status))
        content = operation["responses"][status].get("content", {})
        media = response.headers.get("content-type", "").partition(";")[0]
        if not content:
            assert response.content == b""
            return
        assert media in content, f"{method} {path} {status}: {media}"
        if media.endswith("json"):
            self.match(response.json(), content[media].get("schema", {}), f"{method} {path} {status}")

    def match(self, value: Any, schema: dict[str, Any], where: str) -> None:
        """Fails unless the value follows the schema; an object may have no property that the schema does not name."""
        assert schema.keys() <= _KNOWN, f"{where}: {schema.keys() - _KNOWN}"
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/components/schemas/")
            self.match(value, self.document["components"]["schemas"][name], where)
        if "anyOf" in schema:
            assert any(self._fits(value, option, where) for option in schema["anyOf"]), f"{where}: {value!r}"
        kind = schema.get("type")
        if kind is not None:
            right = isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
            assert right, f"{where}: {value!r} is not {kind}"
        if "enum" in schema:
            assert value in schema["enum"], f"{where}: {value!r}"
        if "pattern" in schema:
            assert re.search(schema["pattern"], value), f"{where}: {value!r}"
        self._match_inner(value, schema, where)

    def _match_inner(self, value: Any, schema: dict[str, Any], where: str) -> None:
        if schema.get("type") == "array":
            for index, item in enumerate(value):
                self.match(item, schema.get("items", {}), f"{where}[{index}]")
        if schema.get("type") == "object":
            named = schema.get("properties", {})
            missing = set(schema.get("required", ())) - value.keys()
            assert not missing, f"{where}: {missing} missing"
            for key, item in value.items():
                others = schema.get("additionalProperties", False)
                assert key in named or isinstance(others, dict), f"{where}: {key} is not in the schema"
                self.match(item, named.get(key, others), f"{where}.{key}")

    def _fits(self, value: Any, schema: dict[str, Any], where: str) -> bool:
        try:
            self.match(value, schema, where)
        except AssertionError:
            return False
        return True
