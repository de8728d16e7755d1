"""Which reactions there are: the emoji of UTS #51, each in one form.

The library `emoji` brings the sequences that Unicode recommends for interchange (RGI), with flags, keycaps, colours of
skin and families. One emoji may be written with and without U+FE0F, and is stored in its fully qualified form.
"""

from __future__ import annotations

from collections.abc import Iterable

from emoji import EMOJI_DATA, STATUS

from chat.errors import Invalid

EMOJI_BYTES = max(len(emoji.encode()) for emoji in EMOJI_DATA)
"""The longest emoji, in bytes of UTF-8."""

_SELECTORS = str.maketrans("", "", "\ufe0e\ufe0f")
_WHOLE = {STATUS["fully_qualified"], STATUS["component"]}  # a colour of skin alone is a component
_FORMS = {emoji.translate(_SELECTORS): emoji for emoji, about in EMOJI_DATA.items() if about["status"] in _WHOLE}


def choose_form(emoji: str, reactions: Iterable[str]) -> str:
    """The form in which a reaction is recorded: that in which the message has it already, else that of `check_emoji`.

    So what was stored before in another form, or is no emoji at all, can be joined and taken back.
    """
    bare = emoji.translate(_SELECTORS)
    return next((each for each in reactions if each.translate(_SELECTORS) == bare), None) or check_emoji(emoji)


def check_emoji(emoji: str) -> str:
    """A reaction in the one form in which it is stored, or `Invalid`."""
    known = _FORMS.get(emoji.translate(_SELECTORS)) if len(emoji) <= EMOJI_BYTES else None
    if known is None:
        raise Invalid("`emoji` is not one emoji of Unicode; choose one, such as 👍", field="emoji")
    return known
