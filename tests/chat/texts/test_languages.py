"""Languages: every catalog has every text, with its values and its plural forms; and how a time is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import chat.texts
from chat.texts.languages import get_texts, list_languages

ROOT = Path(chat.texts.__file__).parent
OTHERS = [language for language in list_languages() if language != "en"]
_VALUE = re.compile(r"%\((\w+)\)[sd]")
NOON = 1_774_699_200_000  # 2026-03-28T12:00:00Z, the day before clocks change in Berlin
DAY = 24 * 3600 * 1000


def wanted() -> set[str | tuple[str, ...]]:
    """The texts in the code; those with plural forms are pairs."""
    found = extract_from_dir(ROOT, [("**.py", "python")], keywords={"_": None, "gettext": None, "ngettext": (1, 2)})
    return {message if isinstance(message, str) else tuple(message) for _, _, message, _, _ in found}


def read_catalog(language: str) -> Catalog:
    with (ROOT / "catalogs" / f"{language}.po").open("rb") as source:
        return read_po(source, locale=language, abort_invalid=True)


def forms(catalog: Catalog) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    for message in catalog:
        if message.id:
            yield _texts_of(message.id), _texts_of(message.string)


def _texts_of(texts: object) -> tuple[str, ...]:
    return tuple(str(text or "") for text in (texts if isinstance(texts, tuple | list) else (texts,)))


def test_there_is_more_than_english() -> None:
    assert list_languages() == ("en", "ru")


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalog_has_every_text_and_no_other(language: str) -> None:
    catalog = read_catalog(language)
    there = {message.id if isinstance(message.id, str) else tuple(message.id) for message in catalog if message.id}
    assert wanted() - there == set(), "add them to the catalog"
    assert there - wanted() == set(), "remove them from the catalog"


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_is_complete_and_has_the_values_of_its_text(language: str) -> None:
    catalog = read_catalog(language)
    for sources, translated in forms(catalog):
        assert all(translated), sources
        assert len(translated) == (catalog.num_plurals if len(sources) == 2 else 1), sources
        for text in translated:
            assert set(_VALUE.findall(text)) == set(_VALUE.findall(sources[-1])), text
            assert "%" not in _VALUE.sub("", text), text


@pytest.mark.parametrize(
    ("language", "count", "text"),
    [
        ("en", 1, "1 new message"),
        ("en", 0, "0 new messages"),
        ("en", 21, "21 new messages"),
        ("ru", 1, "1 новое сообщение"),
        ("ru", 3, "3 новых сообщения"),
        ("ru", 11, "11 новых сообщений"),
        ("ru", 21, "21 новое сообщение"),
        ("ru", 112, "112 новых сообщений"),
        ("xx", 1, "1 new message"),
        (None, 2, "2 new messages"),
    ],
)
def test_a_number_has_its_plural_form(language: str | None, count: int, text: str) -> None:
    assert get_texts(language).ngettext("%(count)d new message", "%(count)d new messages", count) == text


@pytest.mark.parametrize("language", ["../ru", "ru.po", "", "RU", "ru\0"])
def test_what_is_no_language_is_english(language: str) -> None:
    assert get_texts(language).language == "en"


def test_a_value_is_never_read_as_a_format() -> None:
    assert get_texts("en").gettext("%(sender)s: %(text)s", sender="%(text)s", text="100 %d") == "%(text)s: 100 %d"


def test_a_time_is_written_in_the_zone_and_the_language_of_the_user() -> None:
    english, russian = get_texts("en"), get_texts("ru")
    assert english.format_moment(NOON, "Europe/Berlin") == "28 March 2026, 13:00"
    assert english.format_moment(NOON + DAY, "Europe/Berlin") == "29 March 2026, 14:00"
    assert russian.format_moment(NOON, "Europe/Moscow") == "28 марта 2026, 15:00"
    assert english.format_moment(NOON) == "28 March 2026, 12:00 UTC"
    assert english.format_moment(NOON, "No/Where") == "28 March 2026, 12:00 UTC"
    assert english.format_clock(NOON, NOON, "Europe/Berlin") == "13:00"
    assert english.format_clock(NOON, NOON + DAY, "Europe/Berlin") == "28 Mar, 13:00"
