"""`/api/moderation/*` for everyone: reports, appeals; and how strict a room is, for its owners."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request
from msgspec import structs

from chat.case_announcements import name_change
from chat.domain.cases import (
    AuditEntry,
    Case,
    CaseAction,
    CaseKind,
    Report,
    block_subject,
    message_subject,
    require_appealable,
    require_reportable,
)
from chat.domain.conversations import room_key
from chat.domain.ids import new_id
from chat.domain.models import Message, User
from chat.domain.moderation import Strictness
from chat.domain.rights import Right
from chat.domain.text import fold_name
from chat.errors import Conflict
from services.auth.errors import WrongLogin
from services.auth.login_rates import LoginRates
from services.chat.access import admit_member, find_room
from services.common.addresses import client_address, limit_key
from services.common.collaborators import Services, With
from services.common.fair_turns import Asker
from services.common.field_types import RoomId
from services.common.problems import problem_responses
from services.common.security import Caller, is_moderator
from services.moderation.access import find_message
from services.moderation.models import BlockAppeal, CaseId, NewAppeal, NewReport, StrictnessChoice

router = APIRouter(prefix="/api/moderation", tags=["moderation"])


@router.post("/reports", status_code=201, responses=problem_responses(401, 403, 404, 409, 422, 429))
async def report_message(body: NewReport, caller: Caller, services: With) -> CaseId:
    """Report a message that you can read. To report it again changes nothing."""
    message = await find_message(services, caller, body)
    require_reportable(message, caller.id)
    now = services.clock()
    case = _message_case(services, message, CaseKind.REPORTED)
    entry = _make_entry(services, CaseAction.REPORT, caller.id, case, body.reason)
    found, added = await services.cases.add_report(case, Report(caller.id, body.reason, now), entry)
    if added:
        await services.case_announcer.announce_case(found, name_change(case, found))
    return CaseId(id=found.id)


@router.post("/appeals", status_code=201, responses=problem_responses(401, 403, 404, 409, 422, 429))
async def appeal_removal(body: NewAppeal, caller: Caller, services: With) -> CaseId:
    """Ask the moderators to look again at a message of yours that moderation withdrew. Once for each message."""
    message = await find_message(services, caller, body)
    require_appealable(message, caller.id)
    case = _message_case(services, message, CaseKind.REMOVED)
    entry = _make_entry(services, CaseAction.APPEAL, caller.id, case, body.text)
    return CaseId(id=await _add_appeal(services, case, body.text, entry))


async def _get_rates(request: Request) -> LoginRates:
    return cast("LoginRates", request.app.state.login_rates)


async def _get_address(request: Request, services: With) -> str:
    return client_address(request.scope, services.settings.http)


@router.post("/appeals/block", status_code=201, responses=problem_responses(401, 409, 422, 429))
async def appeal_block(
    body: BlockAppeal,
    services: With,
    rates: Annotated[LoginRates, Depends(_get_rates)],
    address: Annotated[str, Depends(_get_address)],
) -> CaseId:
    """Ask the moderators to end a block. Once for each block. A wrong password is 401, as at a log-in."""
    await rates.count_log_in(body.name, address)
    user = await services.accounts.find_by_name(body.name)
    stored = await services.accounts.get_password_hash(user.id) if user is not None else None
    asker = Asker(limit_key(address), fold_name(body.name))
    if not await services.passwords.verify_password(stored, body.password, asker) or user is None:
        await rates.count_failure(body.name, address)
        raise WrongLogin("the name or the password is wrong")
    await rates.note_success(body.name, address)
    block = await services.cases.get_block(user.id)
    if block is None:
        raise Conflict("this account is not blocked")
    case = Case(
        id=new_id(),
        subject=block_subject(user.id, block.since),
        kind=CaseKind.BLOCKED,
        user=user.id,
        opened=services.clock(),
        reason=block.reason,
    )
    entry = _make_entry(services, CaseAction.APPEAL, user.id, case, body.text)
    return CaseId(id=await _add_appeal(services, case, body.text, entry))


@router.put("/rooms/{room}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def set_strictness(room: RoomId, body: StrictnessChoice, caller: Caller, services: With) -> None:
    """How strictly a room is moderated, and whether its messages are held back until their verdict.

    It takes effect within a minute. For owners of the room, and for moderators of the instance.
    """
    await _admit_owner(services, room, caller)
    entry = AuditEntry(
        id=new_id(),
        at=services.clock(),
        by=caller.id,
        action=CaseAction.SETTING,
        user="",
        reason=f"{room_key(room)} is {body.strictness}",
    )
    await services.cases.set_strictness(room_key(room), body.strictness, entry)
    if body.held is not None:
        word = "held" if body.held else "not held"
        reason = f"messages of {room_key(room)} are {word} until their verdict"
        noted = structs.replace(entry, id=new_id(), reason=reason)
        await services.cases.set_held(room_key(room), body.held, noted)


@router.get("/rooms/{room}", responses=problem_responses(401, 403, 404, 422))
async def get_strictness(room: RoomId, caller: Caller, services: With) -> StrictnessChoice:
    """How strictly a room is moderated. For its members, and for moderators of the instance."""
    if not is_moderator(services, caller):
        await admit_member(services, room, caller, Right.READ)
    found = await services.cases.get_strictness([room_key(room)])
    held = bool(await services.cases.held_conversations([room_key(room)]))
    return StrictnessChoice(strictness=found.get(room_key(room), Strictness.NORMAL), held=held)


async def _add_appeal(services: Services, case: Case, text: str, entry: AuditEntry) -> str:
    """The id of the case that waits again."""
    found = await services.cases.add_appeal(case, text, entry)
    await services.case_announcer.announce_case(found, name_change(case, found))
    return found.id


async def _admit_owner(services: Services, room: str, caller: User) -> None:
    if is_moderator(services, caller):
        await find_room(services, room)
    else:
        await admit_member(services, room, caller, Right.EDIT_ROOM)


def _message_case(services: Services, message: Message, kind: CaseKind) -> Case:
    return Case(
        id=new_id(),
        subject=message_subject(message.conversation, message.seq),
        kind=kind,
        user=message.sender,
        opened=services.clock(),
        conversation=message.conversation,
        seq=message.seq,
        client_id=message.client_id,
    )


def _make_entry(services: Services, action: CaseAction, by: str, case: Case, reason: str) -> AuditEntry:
    return AuditEntry(
        id=new_id(), at=services.clock(), by=by, action=action, user=case.user, case=case.id, reason=reason
    )
