"""The command `follow`: to be told now and then what happens in rooms, without each of their messages."""

from __future__ import annotations

from functools import partial

from chat.domain.conversations import room_key
from chat.domain.rights import Right, has_right
from chat.wire import commands, events
from gateway.handlers.later import Later
from gateway.phase import LIVE
from gateway.session import Session

_PAIRS_AT_ONCE = 1000


def handle_follow(session: Session, command: commands.FollowCommand) -> Later:
    """Follow these rooms, and no longer those that the list before named."""
    return partial(_follow_rooms, session, command)


async def _follow_rooms(session: Session, command: commands.FollowCommand) -> None:
    node = session.node
    wanted = frozenset(command.rooms)
    node.activity.leave_rooms(session, set(session.following) - wanted)
    session.following = wanted
    finished = False
    try:
        allowed = await _find_rooms(session, sorted(wanted))
        if session.phase is not LIVE:
            return  # it has left every channel, and must not enter one
        await node.subscriptions.ensure_all_ready(node.activity.follow_rooms(session, allowed))
        # Only now: what comes after this read comes live.
        newest = await node.history.newest_seqs([room_key(room) for room in allowed])
        session.answer_with(events.FollowOk(id=command.id, rooms={room: newest[room_key(room)] for room in allowed}))
        finished = True
    finally:
        if not finished:
            session.stop_following(wanted)


async def _find_rooms(session: Session, rooms: list[str]) -> list[str]:
    """Those that the user may read. A membership that ends meanwhile has taken its room out of `following`."""
    found: list[str] = []
    for start in range(0, len(rooms), _PAIRS_AT_ONCE):
        pairs = [(session.user, room) for room in rooms[start : start + _PAIRS_AT_ONCE]]
        access = await session.node.authority.room_access(pairs)
        found += [each.room for each in access if has_right(each.role, Right.READ)]
    return [room for room in found if room in session.following]
