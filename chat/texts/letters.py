"""What a mail says, before it becomes text and HTML: plain strings, which quote what users wrote as they wrote it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class LetterLine(Struct, frozen=True):
    """A message in a mail: who wrote it, when, and the text, which may have several lines."""

    sender: str
    when: str
    text: str


class LetterPart(Struct, frozen=True):
    """What is new in one conversation; `more` says how much of it is not shown, and may be empty."""

    title: str
    link: str
    lines: Sequence[LetterLine]
    more: str = ""


class Letter(Struct, frozen=True, kw_only=True):
    """The contents of a mail. `button` is a text and where it leads; `notes` are the small lines at the end."""

    language: str
    subject: str
    heading: str
    paragraphs: Sequence[str] = ()
    parts: Sequence[LetterPart] = ()
    button: tuple[str, str] | None = None
    notes: Sequence[str] = ()
    unsubscribe: tuple[str, str] | None = None
