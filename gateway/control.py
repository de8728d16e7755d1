"""What the relay brings for the edge itself: changes that end subscriptions or sessions, and interruptions.

Rule 1: a control payload takes effect at once, without an await, so it holds for what follows it on the relay.
Rule 2: when a right changes, it is dropped from the cache first: every later question goes to the authority.
"""

from __future__ import annotations

import anyio.lowlevel

from chat.wire.close import CloseCode, is_sendable
from chat.wire.relay import Control, MemberChanged, Revoked, RoomDeleted, UserBlockChanged, UserChanged, room_channel
from gateway.hub import SLICE
from gateway.node import Node
from gateway.phase import Phase
from gateway.presence import PresenceUpkeep
from gateway.session import Session
from gateway.websocket.encode import TextFrame


class ControlHandler:
    """Carries out control payloads on the sessions that they concern."""

    __slots__ = ("_node", "_presence")

    def __init__(self, node: Node, presence: PresenceUpkeep) -> None:
        self._node = node
        self._presence = presence

    def handle_control(self, control: Control) -> None:
        """A service announces a change: of a membership, a room, a token, a user."""
        if isinstance(control, MemberChanged):
            self._handle_member_changed(control)
        elif isinstance(control, RoomDeleted):
            self._handle_room_deleted(control)
        elif isinstance(control, UserChanged):
            self._handle_user_changed(control)
        elif isinstance(control, UserBlockChanged):
            self._handle_user_block(control)
        else:
            self._handle_revoked(control)

    def _handle_member_changed(self, change: MemberChanged) -> None:
        self._node.access.forget_role(change.user, change.room)  # rule 2
        frame = TextFrame(change.event.encode())
        for session in self._node.users.sessions_of(change.user):
            if change.role is None:
                session.leave_room(change.room)
                session.stop_following([change.room])
                session.gather_frame(frame)
            elif change.room not in session.rooms:  # subscribers of the room get it on the room's channel
                session.gather_frame(frame)

    def _handle_room_deleted(self, deleted: RoomDeleted) -> None:
        channel = self._node.hub.get_channel(room_channel(deleted.room))
        if channel is None:
            return
        frame = TextFrame(deleted.event.encode())
        for subscriber in (*channel.members, *channel.joining):
            if isinstance(subscriber, Session):
                self._node.access.forget_role(subscriber.user, deleted.room)  # rule 2
                subscriber.gather_frame(frame)
                subscriber.leave_room(deleted.room)

    def _handle_revoked(self, revoked: Revoked) -> None:
        self._node.access.forget_user(revoked.user)  # rule 2
        for session in self._node.users.sessions_of(revoked.user):
            if revoked.family is None or revoked.family == session.family:
                session.close(_close_code(revoked.code), revoked.reason)

    def _handle_user_changed(self, change: UserChanged) -> None:
        self._node.access.forget_user(change.user)  # rule 2
        frame = TextFrame(change.event.encode())
        for session in self._node.users.sessions_of(change.user):
            session.display_name = change.display_name
            session.gather_frame(frame)

    def _handle_user_block(self, change: UserBlockChanged) -> None:
        """Who blocks is offline for whom they block; when the block ends, the watchers get the state again."""
        self._node.access.forget_blocks(change.user, change.other)  # rule 2
        for session in self._node.users.sessions_of(change.other):
            if change.user not in session.watching:
                continue
            if change.blocked:
                self._presence.hide_user(session, change.user)
            else:
                self._node.tasks.start_soon(self._presence.show_user, session, change.user)

    async def tell_everybody(self, frame: TextFrame) -> None:
        """Send it to every session of this edge, a slice at a time, so that nobody waits longer than that takes."""
        sessions = list(self._node.registry.sessions)
        for start in range(0, len(sessions), SLICE):
            for session in sessions[start : start + SLICE]:
                if session.phase is Phase.LIVE:
                    session.gather_frame(frame)
            self._node.mux.flush()
            await anyio.lowlevel.checkpoint()

    def handle_interruption(self, channel: str) -> None:
        """Deliveries of this channel, which is not a room's, may be lost."""
        kind, _, user = channel.partition(":")
        if kind == "presence":
            self._node.tasks.start_soon(self._presence.announce_state, user)
            return
        # Direct messages may be lost. They have no seq by which to find out, so the user's clients resume from history.
        for session in self._node.users.sessions_of(user):
            session.close(CloseCode.SERVICE_RESTART, "live delivery was interrupted; resume", retry=True)


def _close_code(code: int) -> CloseCode:
    """The code, if this version knows it and may send it; a newer service may announce another one."""
    known = code in CloseCode.__members__.values() and is_sendable(code)
    return CloseCode(code) if known else CloseCode.TOKEN_INVALID
