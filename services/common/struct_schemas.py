"""Structs of `chat/wire` in the OpenAPI document: their schemas are generated, so no model repeats them."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from chat.wire.events import encode

_REFERENCE = "#/components/schemas/{name}"


def encode_response(struct: msgspec.Struct) -> Response:
    """The struct as the JSON body of an answer."""
    return Response(encode(struct), media_type="application/json")


def struct_response(struct: type[msgspec.Struct]) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a route that answers 200 with the encoded struct. `add_struct_schemas` adds its schema."""
    schema = {"$ref": _REFERENCE.format(name=struct.__name__)}
    return {200: {"description": "Successful Response", "content": {"application/json": {"schema": schema}}}}


def add_struct_schemas(document: dict[str, Any], structs: tuple[type[msgspec.Struct], ...]) -> None:
    """Add the schemas of these structs, and of all that they contain, to an OpenAPI document.

    A schema of the same name stays: the routes' own models describe the same enumerations.
    """
    _, components = msgspec.json.schema_components(structs, ref_template=_REFERENCE)
    for name, schema in components.items():
        document["components"]["schemas"].setdefault(name, schema)
