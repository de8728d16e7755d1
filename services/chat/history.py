"""History of rooms and direct conversations: pages, read marks, earlier texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Generic

from fastapi import APIRouter, Depends, Query, Response
from msgspec import Struct
from pydantic import BaseModel

from chat.domain.conversations import dm_key, partner, room_key
from chat.domain.display_names import name_senders
from chat.domain.ids import rfc3339
from chat.domain.models import Message, User
from chat.domain.rights import Right
from chat.errors import Invalid, NotFound
from chat.ports.history import Page
from chat.wire.events import Person
from chat.wire.message_frames import history_direct_message, history_message
from chat.wire.pages import PAGE_BYTES, DirectMessages, Item, PinItem, PinList, RoomMessages, bound_page
from services.chat.access import admit_member, find_user, parse_time, show_senders, summarize_with_last
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
Around = Annotated[Seq | None, Query(description="those before, at and after this seq, oldest first")]
At = Annotated[
    str | None,
    Query(max_length=64, description="around the first message since this time: RFC 3339, or milliseconds"),
]


class HistoryPlace(BaseModel):
    """Where a page of history lies: at most one of these; the newest messages without any."""

    before: int | None
    after: int | None
    around: int | None
    at: int | None


async def _read_place(before: Before = None, after: After = None, around: Around = None, at: At = None) -> HistoryPlace:
    place = HistoryPlace(before=before, after=after, around=around, at=parse_time(at, "at"))
    given = [name for name, value in place if value is not None]
    if len(given) > 1:
        raise Invalid("give one of `before`, `after`, `around` and `at`, not several", field=given[0])
    return place


WithPlace = Annotated[HistoryPlace, Depends(_read_place)]


@router.get(
    "/api/rooms/{room}/messages", responses=struct_response(RoomMessages) | problem_responses(401, 403, 404, 422)
)
async def room_messages(
    room: RoomId, caller: Caller, services: With, place: WithPlace, *, limit: Limit = 50
) -> Response:
    """A page of the room's history: the newest, those before or after a seq, or those around a seq or a time.

    Around, `seq` is the message that was asked for, or the one in its place, and `more_before` says whether there are
    older ones than these.
    """
    await admit_member(services, room, caller, Right.READ)
    page = await _read_place_page(services, room_key(room), place, limit, history_message)
    return encode_response(
        RoomMessages(messages=page.messages, more=page.more, more_before=page.more_before, seq=page.seq)
    )


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
    summaries, last = await summarize_with_last(services, caller, keys)
    others = await services.accounts.get_users([partner(key, caller.id) for key in keys])
    found = []
    for key in keys:
        other, summary = others.get(partner(key, caller.id)), summaries[key]
        if other is not None:
            person = view_user(other)
            counts = {"unread": summary.unread, "read": summary.read, "mentions": summary.mentions}
            shown = {"with": person, "seq": summary.newest, **counts, "last": last.get(key)}
            found.append(Conversation.model_validate(shown))
    return ConversationList(conversations=found)


@router.get(
    "/api/dms/{user}/messages", responses=struct_response(DirectMessages) | problem_responses(401, 403, 404, 422)
)
async def dm_messages(user: UserId, caller: Caller, services: With, place: WithPlace, *, limit: Limit = 50) -> Response:
    """A page of a direct conversation, as a room's."""
    key = dm_key(caller.id, user)
    await find_user(services, user)
    page = await _read_place_page(services, key, place, limit, history_direct_message)
    return encode_response(
        DirectMessages(messages=page.messages, more=page.more, more_before=page.more_before, seq=page.seq)
    )


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


class _PlacedPage(Struct, Generic[Item], frozen=True):
    messages: Sequence[Item]
    more: bool
    more_before: bool | None = None
    seq: int | None = None


async def _read_place_page(
    services: Services, key: str, place: HistoryPlace, limit: int, view: Callable[[Message], Item]
) -> _PlacedPage[Item]:
    wanted = place.around
    if place.at is not None:
        wanted = await services.history.find_seq_at(key, place.at)
    if wanted is None:
        page = await services.history.read_page(key, before=place.before, after=place.after, limit=limit)
        return _PlacedPage(*bound_page([view(each) for each in await show_senders(services, page.messages)], page.more))
    # What is beyond the newest message is the newest; an empty conversation has seq 0.
    wanted = min(wanted, (await services.history.newest_seqs([key]))[key])
    before: Page = await services.history.read_page(key, before=max(1, wanted), after=None, limit=max(1, limit // 2))
    rest = max(1, limit - len(before.messages))
    after: Page = await services.history.read_page(key, before=None, after=max(0, wanted - 1), limit=rest)
    shown = await show_senders(services, [*before.messages, *after.messages])
    count = len(before.messages)
    older: tuple[Sequence[Item], bool] = bound_page(list(map(view, shown[:count])), before.more, PAGE_BYTES // 2)
    newer: tuple[Sequence[Item], bool] = bound_page(list(map(view, shown[count:])), after.more, PAGE_BYTES // 2)
    found: list[Item] = list(older[0])
    found.reverse()
    found.extend(newer[0])
    return _PlacedPage(found, newer[1], older[1], wanted)
