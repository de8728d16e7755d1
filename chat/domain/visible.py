"""What can be seen: whether a text shows anything, and names without what nobody sees.

Rule 1: invisible is what has Unicode's property Default_Ignorable_Code_Point (UAX #44; its ranges are reserved, so they
  hold for later versions, too).
Rule 2: blank is what takes up room and shows nothing: white space, and the few letters and signs of `_BLANKS`.
  Control characters that are no white space are drawn as boxes or codes (CSS Text 3, section 4), so they count as seen.
Rule 3: a mark is seen on a letter, so marks alone show nothing.
Rule 4: what is not assigned yet counts as visible: it may be an emoji that is newer than this Python.
Rule 5: a name keeps an invisible character where its script is written with it, or an emoji made of it: ZWJ and ZWNJ in
  Persian or Malayalam (UAX #31, section 2.3), selectors of variants, the tags of a flag. Anywhere else it is dropped.
"""

from __future__ import annotations

import re
import unicodedata

_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# BRAILLE PATTERN BLANK, OBJECT REPLACEMENT CHARACTER, two blank hieroglyphs, a filler of Khitan, a note without a head.
_BLANKS = "\u2800\ufffc\U00013441\U00013442\U00016fe4\U0001d159"

_SEEN_ASCII = re.compile(r"[!-~]")
_MAYBE_SEEN = re.compile(rf"[^\s{_IGNORABLE}{_BLANKS}]")
_INVISIBLE = re.compile(rf"(\U0001f3f4[\U000e0030-\U000e007a]{{3,8}}\U000e007f)|[{_IGNORABLE}]")
_IGNORED = re.compile(f"[{_IGNORABLE}]+")
_NOT_IN_LINES = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\uf8ff\U000f0000-\U0010ffff]")
_BLANK_RUN = re.compile(rf"[{_BLANKS}]+")
_SPACES = re.compile(r"(\s)\s+")

_ZWNJ, _ZWJ, _KEYCAP = "\u200c", "\u200d", "\u20e3"
_SELECTORS = "\ufe0e\ufe0f"
_VIRAMA = 9  # a combining class
# Letters that join, and are told not to by ZWNJ: Arabic, Syriac, N'Ko and others by direction, Mongolian by its block.
_JOINING = {"AL", "R"}
_MONGOLIAN = re.compile("[\u1800-\u18af]")
_WITH_VARIANTS = re.compile(
    "[\u1000-\u109f\u1800-\u18af\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\ua840-\ua87f\uaa60-\uaa7f"
    "\uf900-\ufaff\U00020000-\U0003fffd]"
)


def has_visible(text: str) -> bool:
    """Whether the text shows anything at all. Takes one pass."""
    if _SEEN_ASCII.search(text):
        return True
    return any(_is_seen(found[0]) for found in _MAYBE_SEEN.finditer(text))


def _is_seen(character: str) -> bool:
    category = unicodedata.category(character)
    if category[0] in "ZM":  # rules 2 and 3
        return False
    if category == "Cn":  # rule 4; the last two of each plane are never assigned
        return ord(character) & 0xFFFE != 0xFFFE and not 0xFDD0 <= ord(character) <= 0xFDEF
    return category not in {"Co", "Cs"}


def drop_invisible(name: str) -> str:
    """The name without what nobody sees, outer blanks, and all but the first of several blanks. Takes one pass."""
    if not name.isascii():
        name = _BLANK_RUN.sub(" ", name)
        name = _INVISIBLE.sub(_keep_needed, name)
    return _SPACES.sub(r"\1", name.strip())


def drop_ignorable(text: str) -> str:
    """The text without any character of rule 1, needed or not: for comparing."""
    return _IGNORED.sub("", text)


def is_one_line(text: str) -> bool:
    """Whether the text has neither control characters nor ends of lines, and nothing that is for private use."""
    return _NOT_IN_LINES.search(text) is None


def _keep_needed(found: re.Match[str]) -> str:
    """What stands for an invisible character of a name: itself where it is needed (rule 5), else nothing."""
    if found[1]:
        return found[1]
    text, place, character = found.string, found.start(), found[0]
    before = text[place - 1] if place else ""
    after = text[found.end() : found.end() + 1]
    if character in (_ZWJ, _ZWNJ):
        if before in _SELECTORS and place > 1:
            before = text[place - 2]
        needed = _is_joined(character, before, after, text, place)
    elif character in _SELECTORS:
        needed = _is_pictured(before) or _has_variants(before) or (before in "#*0123456789" and after == _KEYCAP)
    else:
        needed = unicodedata.category(character) == "Mn" and _has_variants(before)
    return character if before and needed else ""


def _is_joined(character: str, before: str, after: str, text: str, place: int) -> bool:
    """Whether a ZWJ or ZWNJ changes how its neighbours are drawn."""
    if not before:
        return False
    if character == _ZWJ and _is_pictured(before) and _is_pictured(after):
        return True
    if unicodedata.combining(before) == _VIRAMA:
        return character == _ZWJ or _is_letter(after)
    if character == _ZWJ and after and unicodedata.combining(after) == _VIRAMA:
        return _is_letter(before)
    while place > 1 and unicodedata.category(text[place - 1]) == "Mn":  # the vowels of Arabic stand on its letters
        place -= 1
    return _is_joining(text[place - 1]) and (character == _ZWJ or _is_joining(after))


def _is_pictured(character: str) -> bool:
    """Whether the character may be part of an emoji: a symbol, a colour of skin, or one that is newer than Python."""
    return bool(character) and (unicodedata.category(character) in {"So", "Sm", "Sk", "Cn"} or character in "‼⁉〰")


def _has_variants(character: str) -> bool:
    return _WITH_VARIANTS.match(character) is not None


def _is_letter(character: str) -> bool:
    return bool(character) and unicodedata.category(character)[0] in "LM"


def _is_joining(character: str) -> bool:
    if not _is_letter(character):
        return False
    return unicodedata.bidirectional(character) in _JOINING or _MONGOLIAN.match(character) is not None
