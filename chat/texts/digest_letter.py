"""The mail about what stayed unread."""

from __future__ import annotations

from collections.abc import Callable

from chat.ports.notifier import Digest, DigestConversation
from chat.texts.languages import Texts, get_texts
from chat.texts.letters import Letter, LetterLine, LetterPart

CONVERSATIONS = 20
"""How many conversations a mail shows."""


def write_digest(
    digest: Digest,
    *,
    now: int,
    link_to: Callable[[DigestConversation], str],
    home: str,
    unsubscribe: str,
) -> Letter:
    """The letter; `link_to` gives the address of a conversation in the page, at its first unread message."""
    texts = get_texts(digest.language)
    shown = digest.conversations[:CONVERSATIONS]
    total = sum(each.unread for each in digest.conversations)
    heading = texts.ngettext("%(count)d unread message", "%(count)d unread messages", total)
    hidden = len(digest.conversations) - len(shown)
    more = (
        texts.ngettext("and %(count)d more conversation", "and %(count)d more conversations", hidden) if hidden else ""
    )
    return Letter(
        language=texts.language,
        subject=_write_subject(texts, digest, total),
        heading=heading,
        parts=[_write_part(texts, digest, each, now, link_to(each)) for each in shown],
        paragraphs=[more] if more else [],
        button=(texts.gettext("Open Rookery"), home),
        notes=[texts.gettext("You get this mail because messages stayed unread.")],
        unsubscribe=(texts.gettext("No more mails about unread messages"), unsubscribe),
    )


def _write_subject(texts: Texts, digest: Digest, total: int) -> str:
    """Of one conversation always the same, so that mail programs keep its mails together."""
    if len(digest.conversations) > 1:
        return texts.ngettext("%(count)d unread message", "%(count)d unread messages", total)
    (only,) = digest.conversations
    if only.room_name:
        return texts.gettext("Unread in %(room)s", room=only.room_name)
    return texts.gettext("Unread from %(sender)s", sender=_name_partner(only))


def _write_part(texts: Texts, digest: Digest, found: DigestConversation, now: int, link: str) -> LetterPart:
    lines = [
        LetterLine(
            sender=line.sender_name,
            when=texts.format_clock(line.ts, now, digest.time_zone),
            text=line.text or texts.gettext("(a message)"),
        )
        for line in found.lines
    ]
    hidden = found.unread - len(lines)
    more = texts.ngettext("and %(count)d more message", "and %(count)d more messages", hidden) if hidden > 0 else ""
    return LetterPart(title=found.room_name or _name_partner(found), link=link, lines=lines, more=more)


def _name_partner(direct: DigestConversation) -> str:
    return direct.lines[-1].sender_name if direct.lines else ""
