"""The languages, their texts with plural forms, and how they write a time.

Rule 1: a text is translated before values are put into it; a value is never translated, and never read as a format.
Rule 2: a text that a catalog lacks stays English; a language without a catalog is English.
"""

from __future__ import annotations

import gettext
import io
import zoneinfo
from datetime import UTC, datetime, tzinfo
from functools import cache
from importlib.resources import files

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DEFAULT = "en"
_CATALOGS = files("chat.texts") / "catalogs"


class Texts:
    """The texts of one language, such as `ru`."""

    def __init__(self, language: str, translations: gettext.NullTranslations) -> None:
        self.language = language
        self._translations = translations
        self._locale = Locale.parse(language)

    def gettext(self, message: str, /, **values: object) -> str:
        """The message in this language, with `%(name)s` for a value of that name."""
        translated = self._translations.gettext(message)
        return translated % values if values else translated  # rule 1

    def ngettext(self, one: str, many: str, count: int, /, **values: object) -> str:
        """The form for this number, which is the value `count`; English has the two that are given."""
        return self._translations.ngettext(one, many, count) % {"count": count, **values}

    def format_moment(self, ms: int, time_zone: str | None = None) -> str:
        """Date and time of milliseconds since the epoch; in UTC, which is named, where the zone is unknown."""
        zone = _find_zone(time_zone)
        moment = datetime.fromtimestamp(ms / 1000, zone or UTC)
        written = format_datetime(moment, "d MMMM y, HH:mm", locale=self._locale)
        return written if zone is not None else f"{written} UTC"

    def format_clock(self, ms: int, now_ms: int, time_zone: str | None = None) -> str:
        """The time of a day; with the date, unless it is the day of `now_ms` in that zone."""
        zone = _find_zone(time_zone) or UTC
        moment, today = (datetime.fromtimestamp(each / 1000, zone) for each in (ms, now_ms))
        clock = format_time(moment, "HH:mm", locale=self._locale)
        if moment.date() == today.date():
            return clock
        return f"{format_date(moment.date(), 'd MMM', locale=self._locale)}, {clock}"


@cache
def list_languages() -> tuple[str, ...]:
    """The languages that there are, English first."""
    others = (entry.name.removesuffix(".po") for entry in _CATALOGS.iterdir() if entry.name.endswith(".po"))
    return (DEFAULT, *sorted(others))


def get_texts(language: str | None) -> Texts:
    """The texts of a language; English for one that there is not (rule 2), and for None."""
    return _load_texts(language if language in list_languages() else DEFAULT)


@cache
def _load_texts(language: str | None) -> Texts:
    if language is None or language == DEFAULT:
        return Texts(DEFAULT, gettext.NullTranslations())
    with (_CATALOGS / f"{language}.po").open("rb") as source:
        catalog = read_po(source, locale=language, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Texts(language, gettext.GNUTranslations(compiled))


@cache
def _find_zone(time_zone: str | None) -> tzinfo | None:
    try:
        return zoneinfo.ZoneInfo(time_zone) if time_zone else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None
