"""What an argument of a command may be. A wrong one is said in the usage line of its command, before anything is done.

Rule 1: a text is UTF-8. Arguments come as bytes, and Python keeps what it cannot decode as lone surrogates, which no
    store takes.
Rule 2: a number has bounds. Beyond them, stores and times raise, and that only when half of the work is done.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

MOST_DAYS = 36_500
MOST_LISTED = 10_000
MOST_USES = 10_000


def parse_text(text: str) -> str:
    """A text without lone surrogates and NUL (rule 1)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("give text in UTF-8") from None
    if "\0" in text:
        raise argparse.ArgumentTypeError("leave the NUL character out")
    return text


def parse_days(text: str) -> float:
    """Days, which may be parts of one (rule 2)."""
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days <= MOST_DAYS:  # false for NaN as well
        raise argparse.ArgumentTypeError(f"give a number of days above 0, and at most {MOST_DAYS}, not {text!r}")
    return days


def parse_count(most: int) -> Callable[[str], int]:
    """Reads a whole number from 1 to `most` (rule 2)."""

    def parse(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        if not 1 <= number <= most:
            raise argparse.ArgumentTypeError(f"give a whole number from 1 to {most}, not {text!r}")
        return number

    return parse
