"""Who is mentioned in a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.domain.mentions import MOST_MENTIONS, find_mentions, resolve_mentions
from chat.domain.text import fold_display_name

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "support" / "mention_cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["text"] for case in CASES])
def test_mentions_are_those_of_the_shared_cases(case: dict[str, Any]) -> None:
    ids = {name: f"id of {name}" for name in case.get("users", ["ada", "ben"])}
    displayed = {fold_display_name(name): f"id of {name}" for name in case.get("displayed", [])}
    found = resolve_mentions(find_mentions(case["text"]), ids, displayed)
    assert found == tuple(f"id of {name}" for name in case["mentions"])


def test_mentions_of_a_text_are_bounded() -> None:
    assert len(find_mentions(" ".join(f"@user{number}" for number in range(2 * MOST_MENTIONS)))) == MOST_MENTIONS


PARTS = [*"@ab_.-/:` \n", "é", "\u0301", "https://", "www.", "ada", "```", "~~~", "> ", "x.y/"]


@given(st.lists(st.sampled_from(PARTS), max_size=60).map("".join))
def test_every_reading_of_a_mention_stands_in_the_text(text: str) -> None:
    for mention in find_mentions(text):
        assert all(f"@{name}" in text for name in mention.names)
        for readings in (mention.names, mention.display_names):
            assert list(readings) == sorted(readings, key=len, reverse=True)
            assert len(readings) <= 31
