"""The page behind the link that unsubscribes from mails."""

from __future__ import annotations

from msgspec import Struct

from chat.texts.languages import get_texts


class UnsubscribeTexts(Struct, frozen=True):
    """What the page says: before the button, on it, and after it."""

    language: str
    title: str
    question: str
    button: str
    done: str


def write_unsubscribe(language: str | None) -> UnsubscribeTexts:
    """The texts of the page."""
    _ = get_texts(language).gettext
    return UnsubscribeTexts(
        language=get_texts(language).language,
        title=_("Mails about unread messages"),
        question=_("Do you want no more mails about unread messages?"),
        button=_("No more mails"),
        done=_("You get no more mails about unread messages. You can turn them on again in the settings."),
    )
