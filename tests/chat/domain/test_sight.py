"""What a name is read as at a glance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.domain.sight import read_by_sight


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("admin", "\u0430dmin"),  # Cyrillic
        ("admin", "ADMlN"),
        ("Rookery", "R\u043e\u043ekery"),
        ("rookery", "𝐫𝐨𝐨𝐤𝐞𝐫𝐲"),
        ("here", "ｈｅｒｅ"),
        ("here", "\u0397\u0395R\u0395"),  # capitals of Greek
        ("modern", "rnodern"),
        ("O'Brien", "O’Brien"),
        ("Zoë", "ZOE"),
        ("General", "Gene\u200bral\u3164"),
        ("B0B", "BOB"),
    ],
)
def test_names_that_look_the_same_are_read_the_same(name: str, other: str) -> None:
    assert read_by_sight(name) == read_by_sight(other)


@pytest.mark.parametrize(
    ("name", "other"), [("ada", "adam"), ("Оля", "Коля"), ("王芳", "王方"), ("bo", "80"), ("", "a")]
)
def test_names_that_look_different_are_read_differently(name: str, other: str) -> None:
    assert read_by_sight(name) != read_by_sight(other)


@given(st.text(max_size=80))
def test_what_was_read_is_not_read_differently_again(name: str) -> None:
    assert read_by_sight(read_by_sight(name)) == read_by_sight(name)
