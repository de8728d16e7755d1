"""Who moderates the instance, and which message a caller may speak of."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from chat.domain.conversations import dm_key, room_key
from chat.domain.models import Message, User
from chat.domain.rights import Right
from chat.errors import Forbidden, NotFound
from services.chat.access import admit_member
from services.common.collaborators import Services, With
from services.common.security import Caller, is_moderator
from services.moderation.models import Place


async def require_moderator(caller: Caller, services: With) -> User:
    """The caller. Raises `Forbidden` for a user who is no moderator of the instance."""
    if not is_moderator(services, caller):
        raise Forbidden("this is for the moderators of the instance, whom its operator names")
    return caller


Moderator = Annotated[User, Depends(require_moderator)]


async def find_message(services: Services, caller: User, place: Place) -> Message:
    """The message, which the caller may read. Raises `NotFound`, `Forbidden`."""
    if place.room is not None:
        await admit_member(services, place.room, caller, Right.READ)
        conversation = room_key(place.room)
    else:
        conversation = dm_key(caller.id, place.with_ or "")
    message = await services.history.get_message(conversation, place.seq)
    if message is None:
        raise NotFound("there is no such message")
    return message


async def last_text(services: Services, conversation: str, seq: int) -> str | None:
    """What a message said last, withdrawn or not; None when it is gone."""
    message = await services.history.get_message(conversation, seq)
    if message is None or message.text is not None:
        return message.text if message is not None else None
    earlier = await services.history.earlier_texts(conversation, seq)
    return earlier[-1][1] if earlier else None
