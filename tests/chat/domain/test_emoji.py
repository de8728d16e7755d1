"""Which reactions are taken, and in which form they are stored."""

from __future__ import annotations

import pytest
from emoji import EMOJI_DATA

from chat.domain.emoji import EMOJI_BYTES, check_emoji, choose_form
from chat.errors import Invalid

SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
KISS = "👩🏻\u200d❤\ufe0f\u200d💋\u200d👨🏿"


@pytest.mark.parametrize(
    "emoji", ["👍", "👍🏽", "🇩🇪", SCOTLAND, KISS, "1\ufe0f\u20e3", "👨\u200d👩\u200d👧\u200d👦", "🏿"]
)
def test_emoji_are_taken_as_they_are(emoji: str) -> None:
    assert check_emoji(emoji) == emoji
    assert len(emoji.encode()) <= EMOJI_BYTES


@pytest.mark.parametrize("bare", ["❤", "☀", "1\u20e3", "©", "‼", KISS.replace("\ufe0f", ""), "🏳\u200d🌈"])
def test_one_emoji_with_and_without_selector_is_one(bare: str) -> None:
    whole = check_emoji(bare)
    assert whole != bare
    assert whole.replace("\ufe0f", "") == bare
    assert check_emoji(whole) == whole
    assert check_emoji(f"{bare}\ufe0e") == whole


def test_every_emoji_of_the_library_is_taken_in_one_form() -> None:
    forms = {emoji: check_emoji(emoji) for emoji in EMOJI_DATA}
    assert all(check_emoji(form) == form for form in forms.values())
    assert all(form.replace("\ufe0f", "") == emoji.replace("\ufe0f", "") for emoji, form in forms.items())


@pytest.mark.parametrize(
    "other",
    ["", "x", "1", "lgtm", ":+1:", "+1", "👍👍", " 👍", "👍\u200d", "🇩", "\u200d", "\ufe0f", "buy now at x.io" * 2],
)
def test_words_and_parts_are_no_emoji(other: str) -> None:
    with pytest.raises(Invalid, match="one emoji") as refused:
        check_emoji(other)
    assert refused.value.field == "emoji"


def test_the_form_that_a_message_has_already_is_kept() -> None:
    assert choose_form("❤\ufe0f", ["👍", "❤"]) == "❤"
    assert choose_form("❤", ["👍"]) == "❤\ufe0f"
    assert choose_form("lgtm", ["lgtm"]) == "lgtm"
    with pytest.raises(Invalid):
        choose_form("lgtm", ["👍"])
