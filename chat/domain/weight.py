"""What a message weighs, so that an answer with many of them can be bounded before it is made."""

from __future__ import annotations

from chat.domain.models import Message

REACTION_BYTES = 39
"""One reaction of one user in an answer: an id in quotes, and a comma."""


def weigh_message(message: Message) -> int:
    """The bytes of its text in UTF-8 and of its reactions: what may be large in a message, and differs from others."""
    text = 0 if message.text is None else len(message.text.encode())
    return text + REACTION_BYTES * sum(len(users) for users in message.reactions.values())
