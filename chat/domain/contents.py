"""What a text contains beside words: a link, or code. A search asks for it, in every engine with the same patterns.

The patterns are understood by Python and by PCRE, which MongoDB has, and find a match, or none, in time that grows with
the length of the text alone: nothing in them repeats what repeats.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum


class TextContent(StrEnum):
    """What a text can be asked to contain."""

    LINK = "link"
    CODE = "code"


PATTERNS = {
    TextContent.LINK: r"(?:[Hh][Tt][Tt][Pp][Ss]?://|\b[Ww]{3}\.)[^\s<>\"'`]",
    TextContent.CODE: r"```[^`]|`[^`\n]+`|(?:^|\n)~~~",
}
"""What the text of a message has to match: an address, an opened block of code or a span of code."""

_COMPILED = {content: re.compile(pattern) for content, pattern in PATTERNS.items()}


def has_contents(text: str, wanted: Collection[TextContent]) -> bool:
    """Whether a text contains each of these."""
    return all(_COMPILED[content].search(text) for content in wanted)
