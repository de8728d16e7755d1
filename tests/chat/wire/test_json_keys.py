"""Keys that stand twice are found, by work that is linear in the length of the text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.wire.json_keys import count_keys, find_repeated_key, first_repeated

MIB = 1024 * 1024


class CountedKey(str):
    """Counts how often keys are hashed or compared."""

    __slots__ = ()
    steps = 0

    def __hash__(self) -> int:
        CountedKey.steps += 1
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        CountedKey.steps += 1
        return super().__eq__(other)


def steps_for(keys: list[str]) -> tuple[str | None, int]:
    CountedKey.steps = 0
    return first_repeated([CountedKey(key) for key in keys]), CountedKey.steps


@pytest.mark.parametrize("size", [1_000, 64_000])
def test_the_steps_are_linear_in_the_number_of_keys(size: int) -> None:
    distinct = [f"k{number}" for number in range(size)]
    for keys, repeated in (
        (distinct, None),
        ([*distinct, distinct[-1]], distinct[-1]),
        ([*distinct, *distinct], distinct[0]),
        (["same"] * size, "same"),
    ):
        found, steps = steps_for(keys)
        assert found == repeated
        assert steps <= 8 * len(keys)


def object_of(size: int, last: str) -> bytes:
    """A JSON object of about `size` bytes whose keys are all different, and then `last`."""
    pairs = ",".join(f'"{number:x}":0' for number in range(size // 10))
    return f'{{{pairs},"{last}":0}}'.encode()


def test_a_body_of_a_mebibyte_is_read_once() -> None:
    assert len(object_of(MIB, "last")) > MIB * 0.8
    assert find_repeated_key(object_of(MIB, "last")) is None
    for name in ("0", "100", f"{MIB // 10 - 1:x}"):
        assert find_repeated_key(object_of(MIB, name)) == name
    many = b"[" + b",".join([object_of(1000, "last")] * 1000) + b"]"
    assert find_repeated_key(many) is None
    assert find_repeated_key(many.replace(b'"last"', b'"9"')) == "9"


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        (rb'{"id":1,"\u0069d":2}', "id"),
        (rb'{"a":{"b":[{"c":1,"c":2}]}}', "c"),
        (rb'{"a":1,"b":2,"b":3,"a":4}', "a"),
        (rb'{"a":{"a":{"a":1}},"b":"a"}', None),
        (rb'{"a":"\"a\":1,","b":1}', None),
        (rb"[1,2]", None),
    ],
)
def test_which_key_stands_twice(text: bytes, repeated: str | None) -> None:
    assert find_repeated_key(text) == repeated


strings = st.text(alphabet=':"\\{},aé\n\u2028', max_size=8)
values = st.recursive(
    st.none() | st.integers() | strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=12,
)


def keys_in(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(keys_in(item) for item in value.values())
    return sum(keys_in(item) for item in value) if isinstance(value, list) else 0


@given(values, st.booleans())
def test_keys_are_counted_at_all_depths_and_never_within_strings(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert count_keys(text) == keys_in(value)
    assert find_repeated_key(text) is None
