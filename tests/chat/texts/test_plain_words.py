"""Messages as plain words for notifications and mails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chat.texts.plain_words import write_excerpt, write_plain_words

CASES: list[list[str]] = json.loads((Path(__file__).parents[2] / "support" / "plain_cases.json").read_text())


@pytest.mark.parametrize(("text", "plain"), CASES)
def test_the_plain_words_are_those_of_the_page(text: str, plain: str) -> None:
    assert write_plain_words(text) == plain


def test_names_of_emoji_become_emoji_where_the_message_draws_them() -> None:
    text = "**:tada:** :wave::skin-tone-3: :heart: `:tada:` https://x.org/:tada: :no_such: 10:30:15\n\n```\n:tada:\n```"
    plain = "🎉 👋🏼 ❤️ :tada: https://x.org/:tada: :no_such: 10:30:15\n:tada:"
    assert write_plain_words(text) == plain


def test_an_excerpt_is_one_line() -> None:
    assert write_excerpt("**a**\n\n- b\n- :tada:", 80) == "a • b • 🎉"


def test_an_excerpt_is_cut_behind_what_is_drawn() -> None:
    assert write_excerpt("**one** " * 9, 10) == "one one o…"
    assert write_excerpt("**one** " * 900, 10) == "one one o…"
    assert write_excerpt("[a](https://x.org/b) " * 3 + "c", 7) == "a a a c"


def test_an_excerpt_says_that_there_is_more_where_the_beginning_has_few_words() -> None:
    assert write_excerpt(f"[a](https://x.org/{'b' * 970}) {'c' * 3000}", 80) == "a…"


@pytest.mark.parametrize("opening", ["```py\n", "~~~\n"])
def test_an_excerpt_shows_the_code_of_a_fence_that_the_cut_leaves_open(opening: str) -> None:
    assert write_excerpt(opening + "x = 1\n" * 500, 12) == "x = 1 x = 1…"


@pytest.mark.parametrize(
    "part",
    ["*", "[", "`", "> ", "- ", "|", "<", "https://", ":a:", "@a", "~~~\n", "|a|\n|-|\n", "**a** _b_ ", "![", "\\"],
)
def test_an_excerpt_of_any_text_is_bounded_and_not_empty(part: str) -> None:
    assert 1 <= len(write_excerpt(part * (16_384 // len(part)), 200)) <= 200
