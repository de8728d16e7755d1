"""Which rooms a search by name finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.domain.room_names import finds_name, read_name_search


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "anything"),
        ("  ", "anything"),
        ("rel", "Release planning"),
        ("PLAN", "Release planning"),
        ("plan rel", "Release planning"),
        ("planning", "release_planning"),
        ("plan", "team-planning (2026)"),
        ("2026", "team-planning (2026)"),
        ("cafe", "Le Café"),
        ("café", "Le cafe"),
        ("чай", "Зелёный ЧАЙ"),
        ("зеленый", "Зелёный чай"),
        ("c++", "C++ and friends"),
        ("京本", "東京本部"),
        ("#1", "#1 fans"),
        ("c++", "The C++ room"),
    ],
)
def test_a_room_is_found_by_the_start_of_its_words(text: str, name: str) -> None:
    assert finds_name(read_name_search(text), name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("lease", "Release planning"),
        ("rel x", "Release planning"),
        ("#", "sharp"),
        ("ab", "a b"),
    ],
)
def test_what_only_stands_within_a_word_finds_nothing(text: str, name: str) -> None:
    assert not finds_name(read_name_search(text), name)


@given(st.text(max_size=40))
def test_a_room_is_found_by_its_own_name_and_by_every_start_of_it(name: str) -> None:
    assert finds_name(read_name_search(name), name)
    assert all(finds_name(read_name_search(name[:end]), name) for end in range(len(name)) if name[:end].isascii())
