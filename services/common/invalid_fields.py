"""Says in a sentence what is wrong with a field of a request: which field, and what to send instead.

Pydantic's own messages ("String should have at least 8 characters") are for programmers, so each kind of error that a
route can cause has a sentence here; tests/services/test_invalid_fields.py tries them on every field of every route.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError

from chat.errors import Invalid

FIELD_LENGTH = 100
_PARTS = frozenset({"body", "query", "path", "header"})
_ALWAYS = "{field} is not valid: {msg}"
_SENTENCES = {
    "missing": "{field} is missing; send it",
    "extra_forbidden": "{field} is not known here; leave it out",
    "string_type": "{field} must be a string",
    "string_too_short": "{field} has too few characters: give {min_length} or more",
    "string_too_long": "{field} has too many characters: give {max_length} or fewer",
    "string_pattern_mismatch": "{field} has characters that are not allowed; it must match {pattern}",
    "string_unicode": "{field} must be valid Unicode",
    "int_type": "{field} must be a whole number",
    "int_parsing": "{field} must be a whole number",
    "int_parsing_size": "{field} is too large",
    "int_from_float": "{field} must be a whole number",
    "float_type": "{field} must be a number",
    "float_parsing": "{field} must be a number",
    "finite_number": "{field} must be a finite number",
    "greater_than": "{field} must be more than {gt:g}",
    "greater_than_equal": "{field} must be {ge} or more",
    "less_than": "{field} must be less than {lt:g}",
    "less_than_equal": "{field} must be {le} or less",
    "bool_type": "{field} must be true or false",
    "bool_parsing": "{field} must be true or false",
    "enum": "{field} must be one of {expected}",
    "literal_error": "{field} must be one of {expected}",
    "list_type": "{field} must be a list",
    "dict_type": "{field} must be an object",
    "too_short": "{field} has too few items: give {min_length} or more",
    "too_long": "{field} has too many items: give {max_length} or fewer",
    "model_attributes_type": "{field} must be a JSON object",
    "model_type": "{field} must be a JSON object",
    "value_error": "{field}: {msg}",
}


class UnfitValue(ValueError):
    """What a check of a field's type raises. Its message goes on from the field's name: "must be a UUID"."""


def explain_invalid(error: RequestValidationError) -> Invalid:
    """The first thing that is wrong with a request, and where; never the value, which may be a secret.

    Of a key that the caller chose, the field names no more than `FIELD_LENGTH` characters.
    """
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part not in _PARTS)[:FIELD_LENGTH] or None
    return Invalid(write_sentence(field, first["type"], str(first["msg"]), first.get("ctx", {})), field=field)


def write_sentence(field: str | None, kind: str, message: str, context: Mapping[str, Any]) -> str:
    """A sentence about a field (None: the body as a whole) for an error of pydantic's."""
    values = {name: _show_bound(value) for name, value in context.items()}
    msg = message.removeprefix("Value error, ")
    values |= {"field": f"`{field}`" if field else "the body", "msg": f"{msg[:1].lower()}{msg[1:]}"}
    if isinstance(context.get("error"), UnfitValue):
        return f"{values['field']} {msg}"
    return _SENTENCES.get(kind, _ALWAYS).format_map(values)


def _show_bound(value: Any) -> Any:
    """A bound as people write it: FastAPI gives the ones of integers as floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
