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


@pytest.mark.parametrize("text", ["`x`", "```\nx", "a\n~~~\nx\n~~~", "~~~\nx\n~~~"])
def test_code_has_its_marks(text: str) -> None:
    assert has_contents(text, [TextContent.CODE])


@pytest.mark.parametrize("text", ["x", "~~x~~", "a ~~~ b"])
def test_other_marks_are_no_code(text: str) -> None:
    assert not has_contents(text, [TextContent.CODE])
