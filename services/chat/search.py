"""`/api/search`: full-text search over what the caller may read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field

from chat.domain.conversations import room_key
from chat.domain.cursors import FoundPlace, pack_cursor, unpack_cursor
from chat.domain.ids import check_id
from chat.domain.models import User
from chat.domain.rights import Right
from chat.domain.terms import search_terms
from chat.errors import Invalid
from chat.ports.history import Query as Search
from chat.wire.message_frames import history_item
from chat.wire.pages import FoundMessages
from services.chat.access import admit_member, parse_time, show_senders
from services.common.collaborators import Services, With
from services.common.field_types import Cursor, Limit, RoomId, check_plain_text
from services.common.problems import problem_responses
from services.common.security import Caller
from services.common.struct_schemas import encode_response, struct_response

router = APIRouter(tags=["history"])

Text = Annotated[str, Field(max_length=512), AfterValidator(check_plain_text)]


@router.get("/api/search", responses=struct_response(FoundMessages) | problem_responses(401, 403, 404, 422))
async def search_messages(
    caller: Caller,
    services: With,
    *,
    q: Annotated[Text, Query(description="words that must all occur")],
    room: Annotated[RoomId | None, Query(description="only in this room")] = None,
    from_: Annotated[Text | None, Query(alias="from", description="the sender: a user id or a name")] = None,
    before: Annotated[Text | None, Query(description="older than this: RFC 3339, or milliseconds")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Messages that hold every word of `q`, newest first: in all rooms and conversations of the caller, or in one.

    With `more`, go on with `cursor` set to `next`, even if the page is empty.
    """
    words = search_terms(q)
    if not words:
        raise Invalid("`q` needs at least one letter or digit", field="q")
    places = await _list_conversations(services, caller, room)
    sender = await _find_sender(services, from_) if from_ else None
    if from_ and sender is None:
        return encode_response(FoundMessages(messages=[], more=False, next=None))
    query = Search(
        terms=words,
        conversations=places,
        sender=sender,
        before=parse_time(before, "before"),
        after=unpack_cursor(cursor, FoundPlace) if cursor else None,
        limit=limit,
    )
    page = await services.history.search_messages(query)
    found = [history_item(each) for each in await show_senders(services, page.messages)]
    following = pack_cursor(page.end) if page.end is not None else None
    return encode_response(FoundMessages(messages=found, more=page.more, next=following))


async def _list_conversations(services: Services, caller: User, room: str | None) -> list[str]:
    if room is not None:
        await admit_member(services, room, caller, Right.READ)
        return [room_key(room)]
    rooms = [room_key(found.id) for found, _ in await services.rooms.rooms_of_user(caller.id)]
    return [*rooms, *await services.history.list_dms(caller.id)]


async def _find_sender(services: Services, wanted: str) -> str | None:
    try:
        return check_id(wanted)
    except Invalid:
        user = await services.accounts.find_by_name(wanted)
        return user.id if user is not None else None
