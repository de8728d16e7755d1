"""`/api/moderation/*` for moderators: the queue, decisions, blocks, the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response

from chat.domain.cases import AuditEntry, Case, CaseState
from chat.domain.conversations import is_room, pair_of, room_of
from chat.domain.ids import check_id, rfc3339
from chat.domain.models import User
from chat.domain.moderation import Block
from chat.errors import Invalid, NotFound
from chat.wire.message_frames import history_message
from chat.wire.pages import RoomMessages, bound_page
from services.chat.access import show_senders
from services.chat.models import UserView, view_user
from services.common.collaborators import Services, With
from services.common.field_types import Limit, RoomId, UserId
from services.common.problems import problem_responses
from services.common.struct_schemas import encode_response, struct_response
from services.moderation import decisions
from services.moderation.access import Moderator, last_text
from services.moderation.models import (
    AuditPage,
    AuditView,
    BlockPage,
    BlockView,
    CasePage,
    CaseView,
    Decision,
    NewBlock,
    NewOwner,
    NoteView,
    ReportView,
)

router = APIRouter(prefix="/api/moderation", tags=["moderation"])
#: How many messages before the one of a case, and after it, tell what it answers and what it led to.
CONTEXT = 5


@router.get("/queue", responses=problem_responses(401, 403, 404, 422))
async def list_cases(
    _moderator: Moderator,
    services: With,
    state: Annotated[CaseState, Query(description="open, or decided")] = CaseState.OPEN,
    after: Annotated[UserId | None, Query(description="the id of the last case of the page before")] = None,
    limit: Limit = 50,
) -> CasePage:
    """What waits for a moderator, the oldest first; or what was decided, by moderators and by rules."""
    found = await services.cases.list_cases(state, after, limit + 1)
    return CasePage(cases=await _view_cases(services, found[:limit]), more=len(found) > limit)


@router.get("/queue/{case}/context", responses=struct_response(RoomMessages) | problem_responses(401, 403, 404, 422))
async def read_context(case: str, _moderator: Moderator, services: With) -> Response:
    """The message of a case in its room, with up to five before and five after it, the oldest first.

    What stands around a direct message is nobody's but the two's: 404, as for a case without a message.
    """
    found = await services.cases.get_case(check_id(case, "case"))
    if found is None:
        raise NotFound("there is no such case")
    if not found.seq or not is_room(found.conversation):
        raise NotFound("this case is not about a message in a room")
    read, key = services.history.read_page, found.conversation
    older = await read(key, before=found.seq, after=None, limit=CONTEXT)
    newer = await read(key, before=None, after=found.seq - 1, limit=CONTEXT + 1)
    shown = await show_senders(services, [*reversed(older.messages), *newer.messages])
    messages, more = bound_page(list(map(history_message, shown)), newer.more)
    return encode_response(RoomMessages(messages=messages, more=more, more_before=older.more, seq=found.seq))


@router.post("/queue/{case}", responses=problem_responses(401, 403, 404, 422))
async def decide_case(case: str, body: Decision, caller: Moderator, services: With) -> CaseView:
    """Decide a case, open or decided before. `allow` undoes: the text comes back, a block that followed ends."""
    found = await services.cases.get_case(check_id(case, "case"))
    if found is None:
        raise NotFound("there is no such case")
    await decisions.carry_out(services, found, body, caller)
    decided = await services.cases.get_case(found.id)
    return (await _view_cases(services, [decided or found]))[0]


@router.get("/blocks", responses=problem_responses(401, 403, 422))
async def list_blocks(
    _moderator: Moderator, services: With, after: UserId | None = None, limit: Limit = 50
) -> BlockPage:
    """Who is blocked now."""
    found = await services.moderation.list_blocks(after or "", limit + 1)
    users = await _get_users(services, [block.user for block in found])
    return BlockPage(blocks=[_view_block(block_user, users) for block_user in found[:limit]], more=len(found) > limit)


@router.put("/blocks/{user}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def block_user(user: UserId, caller: Moderator, services: With, body: NewBlock | None = None) -> None:
    """Keep a user out: open sessions are closed with 4003, log-ins refused. A block that there is is replaced."""
    if user == caller.id:
        raise Invalid("you cannot block yourself", field="user")
    wanted = body or NewBlock()
    await decisions.block_user(services, user, wanted.reason, wanted.seconds, caller)


@router.delete("/blocks/{user}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def unblock_user(user: UserId, caller: Moderator, services: With) -> None:
    """Let a user in again."""
    if not await services.moderation.unblock_user(user, by=caller.id):
        raise NotFound("this user is not blocked")


@router.put("/rooms/{room}/owner", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def give_owner(room: RoomId, body: NewOwner, caller: Moderator, services: With) -> None:
    """Give a room an owner, when none of its owners can log in: they are blocked, or their accounts are gone."""
    await decisions.give_owner(services, room, body.user, caller)


@router.get("/audit", responses=problem_responses(401, 403, 404, 422))
async def list_audit_entries(
    _moderator: Moderator,
    services: With,
    before: Annotated[UserId | None, Query(description="the id of the last entry of the page before")] = None,
    user: Annotated[UserId | None, Query(description="only what concerns this user")] = None,
    limit: Limit = 50,
) -> AuditPage:
    """Who did what, to whom, and why; the newest first."""
    found = await services.cases.list_audit_entries(before, limit + 1, user=user)
    return AuditPage(entries=[_view_entry(entry) for entry in found[:limit]], more=len(found) > limit)


async def _get_users(services: Services, users: Sequence[str]) -> dict[str, User]:
    return await services.accounts.get_users(users)


def _view_user(user: str, users: dict[str, User]) -> UserView:
    """A user; the name is empty if the account is gone."""
    return view_user(users.get(user) or User(user, ""))


async def _view_cases(services: Services, cases: Sequence[Case]) -> list[CaseView]:
    users = await _get_users(services, [case.user for case in cases])
    texts = [await last_text(services, case.conversation, case.seq) if case.seq else None for case in cases]
    return [_view_case(case, text, users) for case, text in zip(cases, texts, strict=True)]


def _view_case(case: Case, text: str | None, users: dict[str, User]) -> CaseView:
    in_room = case.seq > 0 and is_room(case.conversation)
    return CaseView(
        id=case.id,
        kind=case.kind,
        state=case.state,
        user=_view_user(case.user, users),
        room=room_of(case.conversation) if in_room else None,
        users=list(pair_of(case.conversation)) if case.seq and not in_room else None,
        seq=case.seq or None,
        text=text,
        rule=case.rule,
        reason=case.reason,
        opened=rfc3339(case.opened),
        reports=[ReportView(user=each.user, reason=each.reason, at=rfc3339(each.at)) for each in case.reports],
        appeal=case.appeal,
        verdict=case.verdict,
        decided_by=case.decided_by,
        decided=None if case.decided is None else rfc3339(case.decided),
    )


def _view_block(block: Block, users: dict[str, User]) -> BlockView:
    return BlockView(
        user=_view_user(block.user, users),
        by=block.by,
        reason=block.reason,
        since=rfc3339(block.since),
        until=None if block.until is None else rfc3339(block.until),
    )


def _view_entry(entry: AuditEntry) -> AuditView:
    return AuditView(
        id=entry.id,
        at=rfc3339(entry.at),
        by=entry.by,
        action=entry.action,
        user=entry.user,
        case=entry.case,
        rule=entry.rule,
        reason=entry.reason,
        verdict=entry.verdict,
        until=None if entry.until is None else rfc3339(entry.until),
        note=None if entry.note is None else NoteView(code=entry.note.code, values=dict(entry.note.values)),
    )
