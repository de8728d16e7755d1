"""What can be seen: texts, and names without what nobody sees."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.domain.text import check_room_name, check_text, fold_name
from chat.domain.visible import drop_ignorable, drop_invisible, has_visible
from chat.errors import Invalid

# Format characters that do show something, or belong to what does: numbers of Arabic, Egyptian joiners, annotations.
SHOWN_FORMATS = {0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
SHOWN_FORMATS |= {*range(0xFFF9, 0xFFFC), *range(0x13430, 0x13440)}


def characters(*categories: str) -> list[str]:
    """All characters of these categories."""
    return [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in categories]


@pytest.mark.parametrize("code", [0x200B, 0x2060, 0xAD, 0x2800, 0x3164, 0x115F, 0x1160, 0xFFA0, 0xFE0F, 0x3000, 0xA0])
def test_what_shows_nothing_is_no_text(code: int) -> None:
    for text in (chr(code), chr(code) * 20, f" {chr(code)}\n", f"{chr(code)}\u200d\u0301"):
        assert not has_visible(text)
        for check in (check_text, check_room_name):
            with pytest.raises(Invalid, match="visible"):
                check(text)
    assert check_text(f"a{chr(code)}") == f"a{chr(code)}"


def test_no_invisible_character_is_forgotten() -> None:
    hidden = [*characters("Cf", "Zs", "Zl", "Zp", "Co", "Cs", "Mn", "Me"), "\ufdd0", "\uffff", "\U0010fffe"]
    assert [hex(ord(one)) for one in hidden if has_visible(one) and ord(one) not in SHOWN_FORMATS] == []
    blank = [one for one in map(chr, range(0x110000)) if {"BLANK", "FILLER"} & {*unicodedata.name(one, "").split()}]
    assert {unicodedata.name(one) for one in blank if has_visible(one)} == {
        "BLANK SYMBOL",  # shows the letter b
        *("DEVANAGARI GAP FILLER", "NEWA GAP FILLER", "DIVES AKURU GAP FILLER", "MANICHAEAN PUNCTUATION LINE FILLER"),
    }


def test_control_characters_are_drawn_but_for_white_space() -> None:
    unseen = {hex(ord(one)) for one in characters("Cc") if not has_visible(one)}
    assert unseen == {*map(hex, (*range(9, 14), *range(0x1C, 0x20), 0x85))}
    assert check_text("\x01" * 8000) == "\x01" * 8000


def test_letters_digits_signs_and_new_emoji_are_visible() -> None:
    shown = [*characters("Lu", "Ll", "Nd", "No", "Po", "Sc", "So", "Lo"), "\U0001fae8", "\U0001f9ff"]
    unseen = {hex(ord(one)) for one in shown if not has_visible(one)}
    assert unseen == {
        *("0x115f", "0x1160", "0x3164", "0xffa0", "0x2800", "0xfffc", "0x1d159"),
        *(code for code in ("0x13441", "0x13442") if unicodedata.category(chr(int(code, 16))) == "Lo"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "نمی\u200cخواهم",
        "ه\u200d",
        "مُ\u200cق",
        "നന്\u200d",
        "ന്\u200dറ",
        "क्\u200cष",
        "র\u200d্য",
        "👨\u200d👩\u200d👧 family",
        "❤\ufe0f\u200d🔥",
        "\U0001f642\u200d\u2194\ufe0f",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "1\ufe0f\u20e3",
        "©\ufe0f",
        "葛\U000e0100城",
        "ᠠ\u180b",
        "東京\u3000本部",
        "a\u00a0b",
        "Zoë & 王芳",
        "\U0001fae8 new",
    ],
)
def test_names_keep_what_their_script_is_written_with(name: str) -> None:
    assert check_room_name(name) == name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("General\u2800", "General"),
        ("\u3164General", "General"),
        ("Gen\u200b\u00ade\u2060ral\ufe0f", "General"),
        ("Gen\u200deral\u200c", "General"),
        ("\u202elareneG\u202c", "lareneG"),
        ("Gene\U000e0100ral\U000e0041", "General"),
        ("a\u2800\u2800b", "a b"),
        ("a  \u3000 b", "a b"),
        ("\u3000General\u00a0", "General"),
        ("کتاب\u200c", "کتاب"),
        ("👍\u200d", "👍"),
        ("1\ufe0f", "1"),
        ("Zoe\u0308", "Zoë"),
    ],
)
def test_names_lose_what_nobody_sees(typed: str, stored: str) -> None:
    assert check_room_name(typed) == stored


@pytest.mark.parametrize("typed", ["gen\u200beral", "\u200fGENERAL", "General\ufe0f", "Gen\u00aderal"])
def test_names_are_found_however_they_were_typed(typed: str) -> None:
    assert fold_name(typed) == fold_name("General")
    assert fold_name("Zoe\u0308") == fold_name("ZOË")
    assert fold_name("نمی\u200cخواهم") == fold_name("نمیخواهم")


@pytest.mark.parametrize("name", ["two\nlines", "a\x07", "a\u2028b", "\ue000", "x" * 81, "\u200b\u2800"])
def test_names_are_one_visible_line(name: str) -> None:
    with pytest.raises(Invalid, match="visible characters, in one line") as refused:
        check_room_name(name)
    assert refused.value.field == "name"


@given(st.text(max_size=100))
def test_names_are_stored_in_one_form(name: str) -> None:
    once = drop_invisible(name)
    assert has_visible(once) is has_visible(name)
    assert drop_ignorable(once) == drop_ignorable(drop_invisible(once))
    assert len(once) <= len(name)
