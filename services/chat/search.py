"""`/api/search`: full-text search over what the caller may read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field

from chat.domain.contents import TextContent
from chat.domain.conversations import room_key
from chat.domain.cursors import FoundPlace, pack_cursor, unpack_cursor
from chat.domain.ids import check_id
from chat.domain.models import Message, User
from chat.domain.rights import Right
from chat.domain.terms import search_terms
from chat.errors import Invalid
from chat.ports.history import Query as Search
from chat.wire.events import HistoryDirectMessage, HistoryMessage, encode
from chat.wire.message_frames import history_item
from chat.wire.pages import PAGE_BYTES, FoundMessages
from services.chat.access import admit_member, list_readable, parse_time, show_senders
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
    q: Annotated[Text, Query(description="words that must all occur; none, with one of the other conditions")] = "",
    room: Annotated[RoomId | None, Query(description="only in this room")] = None,
    from_: Annotated[Text | None, Query(alias="from", description="the sender: a user id or a name")] = None,
    before: Annotated[Text | None, Query(description="older than this: RFC 3339, or milliseconds")] = None,
    after: Annotated[Text | None, Query(description="since this time, with it: RFC 3339, or milliseconds")] = None,
    has: Annotated[list[TextContent] | None, Query(max_length=4, description="what the text must contain, too")] = None,
    context: Annotated[int, Query(ge=0, le=2, description="messages on each side of what was found")] = 0,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Messages that hold every word of `q`, newest first: in all rooms and conversations of the caller, or in one.

    With `more`, go on with `cursor` set to `next`, even if the page is empty.
    """
    words = search_terms(q)
    if not words and (q.strip() or not any((room, from_, before, after, has))):
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
        since=parse_time(after, "after"),
        contents=frozenset(has or ()),
        after=unpack_cursor(cursor, FoundPlace) if cursor else None,
        limit=limit,
    )
    page = await services.history.search_messages(query)
    found = [history_item(each) for each in await show_senders(services, page.messages)]
    following = pack_cursor(page.end) if page.end is not None else None
    around = await _read_context(services, page.messages, context) if context else None
    return encode_response(FoundMessages(messages=found, more=page.more, next=following, context=around))


async def _read_context(
    services: Services, hits: Sequence[Message], count: int
) -> list[HistoryMessage | HistoryDirectMessage]:
    """The messages on each side of the hits that are no hits themselves, each once, as far as an answer has space."""
    places = {(hit.conversation, hit.seq) for hit in hits}
    steps = [step for step in range(-count, count + 1) if step]
    wanted = dict.fromkeys((hit.conversation, hit.seq + step) for hit in hits for step in steps)
    near = await services.history.find_messages([place for place in wanted if place not in places and place[1] > 0])
    named = await show_senders(services, [near[place] for place in wanted if place in near])
    around: list[HistoryMessage | HistoryDirectMessage] = []
    room = PAGE_BYTES
    for item in map(history_item, named):
        room -= len(encode(item))
        if room < 0:
            break
        around.append(item)
    return around


async def _list_conversations(services: Services, caller: User, room: str | None) -> list[str]:
    if room is not None:
        await admit_member(services, room, caller, Right.READ)
        return [room_key(room)]
    return await list_readable(services, caller)


async def _find_sender(services: Services, wanted: str) -> str | None:
    try:
        return check_id(wanted)
    except Invalid:
        user = await services.accounts.find_by_name(wanted)
        return user.id if user is not None else None
