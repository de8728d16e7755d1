"""The emoji that the page offers are those that the server takes as reactions, in the form in which it stores them."""

from __future__ import annotations

import json
from pathlib import Path

from chat.domain.emoji import check_emoji

DATA = Path(__file__).parents[2] / "web/app/emoji/data.json"


def offered() -> list[str]:
    """Each emoji of the picker, and each with its colours of skin."""
    lines = [line.split("|") for _, group in json.loads(DATA.read_text()) for line in group]
    return [emoji for fields in lines for emoji in [fields[0], *"".join(fields[6:7]).split()]]


def test_each_emoji_of_the_picker_is_taken_as_it_is() -> None:
    emoji = offered()
    assert len(emoji) > 3000
    assert [one for one in emoji if check_emoji(one) != one] == []
