"""The edge's part of presence: it refreshes its sessions, and sends watchers a state that they may have missed.

The handlers report that a session begins, and `Departures` that it has ended.
"""

from __future__ import annotations

import logging

import anyio

from chat.errors import Unavailable
from chat.ports.presence import HIDDEN, Seen
from chat.wire import events
from chat.wire.relay import presence_channel
from chat.wire.user_frames import presence_event
from gateway.hub import SLICE
from gateway.node import Node
from gateway.phase import LIVE
from gateway.registry import RegisteredSession
from gateway.websocket.encode import TextFrame

logger = logging.getLogger(__name__)


class PresenceUpkeep:
    """Keeps presence true for this edge's sessions, and the watchers among them up to date."""

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        self._node = node

    async def run_refreshes(self) -> None:
        """Refresh every session once a heartbeat interval, until cancelled: otherwise it expires in the engine."""
        while True:
            await anyio.sleep(self._node.settings.heartbeat_seconds)
            try:
                await self._refresh_all()
            except Unavailable:
                logger.warning("presence could not be refreshed")

    async def _refresh_all(self) -> None:
        live = [each for each in self._node.registry.sessions if each.phase is LIVE]
        for start in range(0, len(live), SLICE):
            # One that left during an await must not be entered again.
            here = [each for each in live[start : start + SLICE] if each.phase is LIVE]
            await self._node.presence.refresh_sessions([(each.user, each.id, each.state) for each in here])

    def hide_user(self, session: RegisteredSession, user: str) -> None:
        """The user blocks the session's user, who sees them as offline from now on. Repeated, it does nothing: an edge
        that serves both is notified twice."""
        channel = self._node.hub.get_channel(presence_channel(user))
        if channel is None or session not in channel.members:
            return
        self._node.subscriptions.leave_channel(presence_channel(user), session)
        _send_state(session, user, HIDDEN)

    async def show_user(self, session: RegisteredSession, user: str) -> None:
        """The block has ended: the session sees the user's state again, if it still watches the user."""
        if user not in session.watching or session.phase is not LIVE:
            return
        channel = self._node.hub.open_channel(presence_channel(user))
        if session in channel.members:
            return
        channel.add_member(session)
        try:
            await self._node.subscriptions.ensure_ready(channel)
            seen = (await self._node.presence.get_states([user]))[user]
            hidden = await self._node.access.find_blockers(session.user, [user])
        except Unavailable:
            return  # the session gets the next change
        if hidden:  # again, meanwhile
            self.hide_user(session, user)
        else:
            _send_state(session, user, seen)
        self._node.mux.flush()

    async def announce_state(self, user: str) -> None:
        """Send the user's state to those who watch the user: a change of it may have been lost."""
        channel = self._node.hub.get_channel(presence_channel(user))
        if channel is None:
            return
        try:
            seen = (await self._node.presence.get_states([user]))[user]
        except Unavailable:
            return  # the watchers keep what they knew until the next change
        frame = TextFrame(events.encode(presence_event(user, seen.state, seen.last_seen)))
        for part in channel.slice_members():
            for subscriber in part:
                subscriber.gather_frame(frame)
        self._node.mux.flush()


def _send_state(session: RegisteredSession, user: str, seen: Seen) -> None:
    session.gather_frame(TextFrame(events.encode(presence_event(user, seen.state, seen.last_seen))))
