"""No text costs the parser much more than another one of its length, whatever it repeats."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from chat.texts.plain_words import write_plain_words

PARTS: list[str] = json.loads((Path(__file__).parents[2] / "support" / "heavy_texts.json").read_text())
LENGTH = 600
MOST = 130
"""So many calls a character may cost; a usual text costs 10 to 30."""


def count_calls(text: str) -> int:
    """How many functions are called, which does not depend on how fast the machine is."""
    calls = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        write_plain_words(text)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("end", ["", "a](b)"])
def test_what_repeats_costs_no_more_than_other_texts(part: str, end: str) -> None:
    text = part * (LENGTH // len(part)) + end
    assert count_calls(text) < MOST * len(text)


def test_lists_in_lists_cost_no_more_than_other_texts() -> None:
    text = "".join(f"{'  ' * depth}- a\n" for depth in range(40))
    assert count_calls(text) < MOST * len(text)


def test_a_link_within_many_brackets_is_one() -> None:
    assert write_plain_words(f"{'[' * 40}a](https://x.org){']' * 39}") == f"{'[' * 39}a{']' * 39}"
