"""What a text contains, beside words."""

from __future__ import annotations

import pytest

from chat.domain.contents import TextContent, has_contents


def test_nothing_is_asked_for() -> None:
    assert has_contents("", [])


@pytest.mark.parametrize("text", ["`" * 16_384, "```" + "a" * 16_000, "www" * 5_000, "`\n" * 8_000])
def test_long_texts_are_decided(text: str) -> None:
    assert has_contents(text, [TextContent.CODE]) is (text == "```" + "a" * 16_000)
    assert not has_contents(text, [TextContent.LINK])
