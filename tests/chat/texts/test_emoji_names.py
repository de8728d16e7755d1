"""`:shortcodes:` on the server: drawn as the page draws them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.texts.emoji_names import draw_shortcodes

ROOT = Path(__file__).parents[3]
CASES: list[list[str]] = json.loads((ROOT / "tests/support/shortcode_cases.json").read_text())
TONES = ["light", "medium_light", "medium", "medium_dark", "dark"]
LONGEST = 66
"""A code with its colons; the page takes no longer one."""


@pytest.mark.parametrize(("text", "drawn"), CASES)
def test_shortcodes_are_drawn_as_in_the_page(text: str, drawn: str) -> None:
    assert draw_shortcodes(text) == drawn


def list_emoji() -> Iterator[tuple[str, list[str], list[str]]]:
    """Each emoji of the page, its shortcodes, and the emoji in each colour of skin."""
    for _, group in json.loads((ROOT / "web/app/emoji/data.json").read_text()):
        for line in group:
            emoji, _, _, names, _, _, tones = f"{line}||||||".split("|")[:7]
            yield emoji, names.split(), tones.split()


def test_each_shortcode_of_the_page_is_the_same_emoji() -> None:
    codes = {f":{name}:": emoji for emoji, names, _ in list_emoji() for name in names}
    assert len(codes) > 2_500
    assert {code: draw_shortcodes(code) for code in codes} == codes


def test_each_colour_of_skin_of_the_page_is_the_same_emoji() -> None:
    codes = {
        code: emoji
        for _, names, colours in list_emoji()
        for at, emoji in enumerate(colours)
        for code in (
            f":{names[0]}_tone{at + 1}:",
            f":{names[0]}::skin-tone-{at + 2}:",
            f":{names[0]}_{TONES[at]}_skin_tone:",
        )
    }
    codes = {code: emoji for code, emoji in codes.items() if len(code) <= LONGEST}
    assert len(codes) > 4_000
    assert {code: draw_shortcodes(code) for code in codes} == codes
