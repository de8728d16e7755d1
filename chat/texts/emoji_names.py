"""`:shortcodes:` of texts that leave the server, drawn as the page draws them (`web/app/emoji/shortcodes.ts`).

Both are tested with the same cases, those of `tests/support/shortcode_cases.json`, and have the same names:
`web/emoji.mjs` writes `emoji_names.txt` together with the page's own data. It is read with the first shortcode.

Rule 1: they stand where no word and no number goes on: not in `10:30:15`, `a:b:c` or an address. Several may follow
  each other without a blank.
Rule 2: a colour of skin follows as in Slack (`:wave::skin-tone-3:`, 2 to 6), Discord (`:wave_tone2:`) or Mattermost
  (`:wave_medium_light_skin_tone:`).
Rule 3: what no emoji is called stays as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import NamedTuple

_RUN = re.compile(r"(?<![\w:/])(?::[\w+\-]{1,64}:)+")
_CODE = re.compile(r":([\w+\-]{1,64}):(?::skin-tone-([1-6]):)?")
_TONED = re.compile(r"(.+?)(?:_tone([1-5])|_(light|medium_light|medium|medium_dark|dark)_skin_tone)")
_TONE_NAMES = ("light", "medium_light", "medium", "medium_dark", "dark")
_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_MARKS_OF_EMOJI = "\ufe0f\u20e3"
_LETTER = "\u02d1"
"""One that is in no name."""


class _Emoji(NamedTuple):
    text: str
    lightest: str
    """In the lightest colour of skin; empty, if it has no colours."""


def draw_shortcodes(text: str) -> str:
    """The text with emoji in place of their shortcodes. It must hold no code, in which nothing is drawn."""
    if ":" not in text:
        return text
    read = text if text.isascii() else "".join(map(_read_mark, text))
    shown, done = "", 0
    for run in _RUN.finditer(read):
        for code in _CODE.finditer(read, *run.span()):
            shown += text[done : code.start()] + (_draw_code(code) or text[code.start() : code.end()])  # rule 3
            done = code.end()
    return shown + text[done:]


def _read_mark(character: str) -> str:
    """A mark belongs to its letter, unlike for `\\w`. What makes an emoji of `❤` and `1` is no part of a word."""
    is_mark = unicodedata.category(character).startswith("M") and character not in _MARKS_OF_EMOJI
    return _LETTER if is_mark else character


def _draw_code(code: re.Match[str]) -> str | None:
    name, slack = code[1].lower(), int(code[2] or 0)
    emoji = _find_emoji(name)
    if emoji is not None:
        return _colour(emoji, slack - 1)
    toned = None if slack else _TONED.fullmatch(name)
    emoji = _find_emoji(toned[1]) if toned else None
    if emoji is None or toned is None:
        return None
    return _colour(emoji, int(toned[2]) if toned[2] else _TONE_NAMES.index(toned[3]) + 1)


def _colour(emoji: _Emoji, tone: int) -> str:
    """Rule 2. `tone`: from 1 for light to 5 for dark; of another one it has none."""
    if tone < 1 or not emoji.lightest:
        return emoji.text
    return emoji.lightest.replace(_TONES[0], _TONES[tone - 1])


def _find_emoji(name: str) -> _Emoji | None:
    """`ё` and `е` are the same letter."""
    emoji = _read_names()
    return emoji.get(name) or emoji.get(name.replace("ё", "е"))


@cache
def _read_names() -> dict[str, _Emoji]:
    found: dict[str, _Emoji] = {}
    for line in (files("chat.texts") / "emoji_names.txt").read_text("utf-8").splitlines():
        text, names, lightest = f"{line}|".split("|")[:3]
        emoji = _Emoji(text, lightest)
        found |= dict.fromkeys(names.split(), emoji)
    return found
