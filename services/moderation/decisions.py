"""What a moderator's decision does: to the text, to its sender, and to what was counted against them.

Rule 1: a decision may be repeated: each of its steps finds what is done already.
Rule 2: the case is written last, so after a failure in between it is still open.
Rule 3: what could refuse the decision is asked before anything is done.
"""

from __future__ import annotations

from chat.domain.cases import (
    AuditEntry,
    Case,
    CaseAction,
    CaseKind,
    Removal,
    decide_case,
    needs_restoration,
    needs_withdrawal,
    require_decision,
)
from chat.domain.conversations import room_key
from chat.domain.ids import new_id
from chat.domain.models import Role, User
from chat.domain.moderation import Verdict
from chat.domain.records import Moderated, Restored
from chat.errors import Conflict, Forbidden, NotFound
from chat.wire.events import MembershipChange
from chat.wire.records import encode, topic_of
from services.chat.access import find_room, find_user
from services.chat.announcements import announce_member
from services.common.collaborators import Services
from services.common.newcomers import mark_all_read
from services.common.security import is_moderator
from services.common.shielding import shield_change
from services.moderation.access import last_text
from services.moderation.models import Decision


async def carry_out(services: Services, case: Case, decision: Decision, by: User) -> None:
    """Carry a decision out, and note it. Raises `Invalid`, `Forbidden`, `NotFound`."""
    require_decision(decision.verdict)
    if decision.verdict is Verdict.BLOCK:
        await _find_blockable(services, case.user)  # rule 3
    if decision.verdict is Verdict.ALLOW:
        await _undo_removal(services, case, by, decision.reason)
    elif case.kind is not CaseKind.BLOCKED:
        await _withdraw_text(services, case, decision, by)
    if decision.verdict is Verdict.BLOCK:
        await block_user(services, case.user, decision.reason or case.reason, decision.seconds, by)
    now = services.clock()
    entry = AuditEntry(
        id=new_id(),
        at=now,
        by=by.id,
        action=CaseAction.DECIDE,
        user=case.user,
        case=case.id,
        rule=case.rule,
        reason=decision.reason,
        verdict=decision.verdict,
    )
    # rule 2
    await services.cases.record_decision(case.id, decision.verdict, entry)
    decided = decide_case(case, decision.verdict, by.id, now)
    await services.case_announcer.announce_case(decided, "decided")


async def block_user(services: Services, user: str, reason: str, seconds: int | None, by: User) -> None:
    """Block a user. Raises `NotFound`, and `Forbidden` for a moderator, whose right the operator has to end first."""
    await _find_blockable(services, user)
    await services.moderation.block_user(user, by=by.id, reason=reason, seconds=seconds)


async def give_owner(services: Services, room: str, user: str, by: User) -> None:
    """Make a user the owner of an orphaned room, note it, and announce it. Raises `NotFound`, `Conflict`, `Banned`."""
    found, owner = await find_room(services, room), await find_user(services, user)
    if owner.blocked:
        raise Conflict("this user is blocked and cannot own a room; choose another", field="user")
    now = services.clock()
    with shield_change():
        before = await services.rooms.give_owner(found.id, owner.id, now=now)
        reason = f"made the owner of {room_key(found.id)}, which had none who can log in"
        entry = AuditEntry(id=new_id(), at=now, by=by.id, action=CaseAction.OWNER, user=owner.id, reason=reason)
        await services.cases.add_audit_entry(entry)
        if before is None:
            await mark_all_read(services, found.id, owner.id)
        change: MembershipChange = "joined" if before is None else "role"
        await announce_member(services.relay, found.id, owner.id, change, Role.OWNER)


async def _find_blockable(services: Services, user: str) -> None:
    found = await services.accounts.get_user(user)
    if found is None:
        raise NotFound("there is no such user")
    if is_moderator(services, found):
        raise Forbidden("a moderator of the instance cannot be blocked")


async def _undo_removal(services: Services, case: Case, by: User, reason: str) -> None:
    """The text comes back, what was counted is forgiven, and the block that followed ends."""
    if case.kind is CaseKind.BLOCKED or case.verdict is Verdict.BLOCK:
        await services.moderation.unblock_user(case.user, by=by.id, reason=reason)
    if case.kind is CaseKind.BLOCKED:
        return
    await services.cases.forgive_removals(case.user, case.client_id)
    message = await services.history.get_message(case.conversation, case.seq)
    if not needs_restoration(message):
        return
    text = await last_text(services, case.conversation, case.seq)
    if text is None:
        return
    record = Restored(conversation=case.conversation, actor=by.id, ts=services.clock(), seq=case.seq, text=text)
    await services.log.append(topic_of(case.conversation), case.conversation, encode(record))


async def _withdraw_text(services: Services, case: Case, decision: Decision, by: User) -> None:
    now = services.clock()
    removal = Removal(user=case.user, client_id=case.client_id, revision=max(case.revision, 0), at=now)
    await services.cases.count_removals([removal])
    message = await services.history.get_message(case.conversation, case.seq)
    if not needs_withdrawal(message):
        return
    reason = decision.reason or case.reason
    record = Moderated(conversation=case.conversation, actor=by.id, ts=now, seq=case.seq, reason=reason)
    await services.log.append(topic_of(case.conversation), case.conversation, encode(record))
