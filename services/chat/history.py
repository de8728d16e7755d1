"""History of rooms and direct conversations: pages, read marks, earlier texts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from chat.domain.conversations import dm_key, partner, room_key
from chat.domain.display_names import name_senders
from chat.domain.ids import rfc3339
from chat.domain.models import User
from chat.domain.rights import Right
from chat.errors import Invalid, NotFound
from chat.ports.history import Page
from chat.wire.events import Person
from chat.wire.message_frames import history_direct_message, history_message
from chat.wire.pages import DirectMessages, PinItem, PinList, RoomMessages, bound_page
from services.chat.access import admit_member, find_user, show_senders
from services.chat.models import (
    Conversation,
    ConversationList,
    Original,
    Originals,
    Reads,
    view_user,
)
from services.common.collaborators import Services, With
from services.common.field_types import Limit, RoomId, Seq, Since, UserId
from services.common.problems import problem_responses
from services.common.security import Caller
from services.common.struct_schemas import encode_response, struct_response

router = APIRouter(tags=["history"])

Before = Annotated[Seq | None, Query(description="older than this seq, newest first")]
After = Annotated[Since | None, Query(description="newer than this seq, oldest first")]


@router.get(
    "/api/rooms/{room}/messages", responses=struct_response(RoomMessages) | problem_responses(401, 403, 404, 422)
)
async def room_messages(
    room: RoomId, caller: Caller, services: With, *, before: Before = None, after: After = None, limit: Limit = 50
) -> Response:
    """A page of the room's history: the newest, or those before or after a seq."""
    await admit_member(services, room, caller, Right.READ)
    page = await _read_page(services, room_key(room), before, after, limit)
    messages, more = bound_page([history_message(each) for each in page.messages], page.more)
    return encode_response(RoomMessages(messages=messages, more=more))


@router.get("/api/rooms/{room}/messages/{seq}/originals", responses=problem_responses(401, 403, 404, 422))
async def room_originals(room: RoomId, seq: Seq, caller: Caller, services: With) -> Originals:
    """The earlier texts of an edited or deleted message. For moderators."""
    await admit_member(services, room, caller, Right.SEE_ORIGINALS)
    if await services.history.get_message(room_key(room), seq) is None:
        raise NotFound("there is no message with this seq")
    texts = await services.history.earlier_texts(room_key(room), seq)
    return Originals(originals=[Original(text=text, until=rfc3339(until)) for until, text in texts])


@router.get("/api/rooms/{room}/pins", responses=struct_response(PinList) | problem_responses(401, 403, 404, 422))
async def list_pins(room: RoomId, caller: Caller, services: With) -> Response:
    """The pinned messages of the room, the one that was pinned last first."""
    await admit_member(services, room, caller, Right.READ)
    pinned = await services.history.list_pinned(room_key(room))
    users = await services.accounts.get_users({id_ for each in pinned for id_ in (each.pin.user, each.message.sender)})
    items = []
    for each, message in zip(pinned, name_senders([each.message for each in pinned], users), strict=True):
        user = users.get(each.pin.user) or User(each.pin.user, "")
        by = Person(user.id, user.name, user.display_name)
        items.append(PinItem(message=history_message(message), by=by, at=rfc3339(each.pin.ts)))
    return encode_response(PinList(pins=items))


@router.get("/api/rooms/{room}/reads", responses=problem_responses(401, 403, 404, 422))
async def room_reads(room: RoomId, caller: Caller, services: With) -> Reads:
    """How far each member has read."""
    await admit_member(services, room, caller, Right.READ)
    return Reads(reads=await services.history.read_marks(room_key(room)))


@router.get("/api/dms", responses=problem_responses(401, 403))
async def list_conversations(caller: Caller, services: With) -> ConversationList:
    """The caller's direct conversations, with what is unread."""
    keys = await services.history.list_dms(caller.id)
    summaries = await services.history.summarize_conversations(caller.id, keys)
    others = await services.accounts.get_users([partner(key, caller.id) for key in keys])
    found = []
    for key in keys:
        other, summary = others.get(partner(key, caller.id)), summaries[key]
        if other is not None:
            person = view_user(other)
            counts = {"seq": summary.newest, "unread": summary.unread, "read": summary.read}
            found.append(Conversation.model_validate({"with": person, **counts}))
    return ConversationList(conversations=found)


@router.get(
    "/api/dms/{user}/messages", responses=struct_response(DirectMessages) | problem_responses(401, 403, 404, 422)
)
async def dm_messages(
    user: UserId, caller: Caller, services: With, *, before: Before = None, after: After = None, limit: Limit = 50
) -> Response:
    """A page of a direct conversation: the newest, or those before or after a seq."""
    key = dm_key(caller.id, user)
    await find_user(services, user)
    page = await _read_page(services, key, before, after, limit)
    messages, more = bound_page([history_direct_message(each) for each in page.messages], page.more)
    return encode_response(DirectMessages(messages=messages, more=more))


@router.get("/api/dms/{user}/reads", responses=problem_responses(401, 403, 404, 422))
async def dm_reads(user: UserId, caller: Caller, services: With) -> Reads:
    """How far both users have read; of two of whom one blocks the other, only how far the caller has."""
    key = dm_key(caller.id, user)
    await find_user(services, user)
    marks = await services.history.read_marks(key)
    find_blockers = services.accounts.find_blockers
    if await find_blockers(caller.id, [user]) or await find_blockers(user, [caller.id]):
        marks.pop(user, None)
    return Reads(reads=marks)


async def _read_page(services: Services, key: str, before: int | None, after: int | None, limit: int) -> Page:
    if before is not None and after is not None:
        raise Invalid("give `before` or `after`, not both", field="before")
    page = await services.history.read_page(key, before=before, after=after, limit=limit)
    return Page(await show_senders(services, page.messages), more=page.more)
