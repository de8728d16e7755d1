"""Finds keys that stand twice in a JSON object (RFC 7493, section 2.3): parsers disagree about which of them counts.

Every function takes time linear in the length of the text, for any text, because anyone may send one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any


def count_keys(text: bytes) -> int:
    """How many keys stand in a valid JSON text, at all depths: outside of strings, each key has one colon."""
    if b"\\" in text:
        # Escaped backslashes go first: then a backslash before a quote escapes it.
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(text.split(b'"')[::2]).count(b":")


def find_repeated_key(text: bytes) -> str | None:
    """A key that stands twice in one object, at any depth. Keys are compared unescaped: `"\\u0069d"` is `"id"`.

    Raises `ValueError` for what is not JSON, and `RecursionError` for what is nested too deep.
    """
    try:
        decode_unrepeated(text)
    except RepeatedKey as repeated:
        return repeated.key
    return None


def decode_unrepeated(text: bytes) -> Any:
    """The value of a JSON text. Raises as `find_repeated_key`, and `RepeatedKey` for a key that stands twice.

    The text is UTF-8 (RFC 8259, section 8.1): of bytes, `json` would take UTF-16 and UTF-32, too, and NaN of any text.
    """
    return json.loads(text.decode(), object_pairs_hook=_make_object, parse_constant=_refuse_constant)


def first_repeated(keys: Sequence[str]) -> str | None:
    """The first of the keys that stands there more than once."""
    if len(set(keys)) == len(keys):
        return None
    counts = Counter(keys)
    return next(key for key in keys if counts[key] > 1)


class RepeatedKey(ValueError):
    """A key stands twice in one object."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _make_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        repeated = first_repeated([key for key, _ in pairs])
        if repeated is not None:
            raise RepeatedKey(repeated)
    return made
