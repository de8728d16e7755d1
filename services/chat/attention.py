"""`/api/attention`: mentions of the caller, replies to the caller's messages and reactions to them, in one list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from chat.domain.attention import AttentionNote, is_current
from chat.domain.cursors import AttentionPlace, pack_cursor, unpack_cursor
from chat.domain.ids import rfc3339
from chat.domain.models import Message, User
from chat.wire.events import Person
from chat.wire.message_frames import history_item
from chat.wire.pages import AttentionItem, AttentionList
from services.chat.access import list_readable, parse_time, show_senders
from services.common.collaborators import Services, With
from services.common.field_types import Cursor
from services.common.problems import problem_responses
from services.common.security import Caller
from services.common.struct_schemas import encode_response, struct_response

router = APIRouter(prefix="/api/attention", tags=["history"])
COUNTED = 100
# Each has up to two messages of 16 KiB.
FewItems = Annotated[int, Field(ge=1, le=50)]


class SeenMark(BaseModel):
    """Until when the caller has seen what asks for their attention; it never moves back. RFC 3339 in UTC."""

    until: str = Field(max_length=64)


@router.get("", responses=struct_response(AttentionList) | problem_responses(401, 403, 422))
async def list_attention(caller: Caller, services: With, *, cursor: Cursor = None, limit: FewItems = 25) -> Response:
    """Mentions, replies and reactions that others made, newest first: in what the caller may read now, as it is now."""
    readable = await list_readable(services, caller)
    after = unpack_cursor(cursor, AttentionPlace) if cursor else None
    page = await services.attention.list_notes(caller.id, readable, limit=limit, after=after)
    seen = await services.attention.get_seen(caller.id)
    items = await _view_notes(services, caller, page.notes)
    unseen = None
    if after is None:
        new = await services.attention.list_notes(caller.id, readable, limit=COUNTED, since=seen)
        unseen = len(await _find_current(services, caller, new.notes))
    following = pack_cursor(page.end) if page.end is not None else None
    mark = rfc3339(seen) if seen else None
    return encode_response(AttentionList(items=items, more=page.more, next=following, seen=mark, unseen=unseen))


@router.put("/seen", responses=problem_responses(401, 403, 422))
async def move_seen(body: SeenMark, caller: Caller, services: With) -> SeenMark:
    """Note until when the caller has seen this; what lies in the future counts as now."""
    until = parse_time(body.until, "until") or 0
    seen = await services.attention.move_seen(caller.id, max(0, min(until, services.clock())))
    return SeenMark(until=rfc3339(seen))


Current = Sequence[tuple[AttentionNote, Message, Message | None]]


async def _find_current(services: Services, caller: User, notes: Sequence[AttentionNote]) -> Current:
    """The notes that hold now, each with its message and the one that it replies to; none of users whom one blocks."""
    if not notes:
        return []
    messages = await services.history.find_messages({(note.conversation, note.seq) for note in notes})
    places = {(each.conversation, each.reply_to) for each in messages.values() if each.reply_to is not None}
    replied = await services.history.find_messages(places)
    blocked = set(await services.accounts.list_user_blocks(caller.id))
    found = []
    for note in notes:
        message = messages.get((note.conversation, note.seq))
        if message is None or note.actor in blocked:
            continue
        parent = replied.get((note.conversation, message.reply_to or 0))
        if is_current(note, message, parent):
            found.append((note, message, parent))
    return found


async def _view_notes(services: Services, caller: User, notes: Sequence[AttentionNote]) -> list[AttentionItem]:
    current = await _find_current(services, caller, notes)
    users = await services.accounts.get_users({note.actor for note, _, _ in current})
    messages = await show_senders(services, [message for _, message, _ in current])
    items = []
    for (note, _, parent), message in zip(current, messages, strict=True):
        user = users.get(note.actor) or User(note.actor, "")
        is_reply = parent is not None and parent.sender == caller.id
        items.append(
            AttentionItem(
                kind=note.kind,
                by=Person(user.id, user.name, user.display_name),
                at=rfc3339(note.ts),
                message=history_item(message),
                emoji=note.emoji or None,
                replied=history_item(parent) if parent is not None and is_reply else None,
            )
        )
    return items
