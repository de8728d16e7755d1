"""The command `presence`: which users a session watches."""

from __future__ import annotations

from functools import partial

from chat.domain.ids import rfc3339
from chat.ports.presence import HIDDEN
from chat.wire import commands, events
from chat.wire.relay import presence_channel
from gateway.handlers.later import Later
from gateway.session import Session


def handle_presence(session: Session, command: commands.PresenceCommand) -> Later:
    """Watch the presence of these users, and no longer of those that the list before named."""
    return partial(_watch_users, session, command)


async def _watch_users(session: Session, command: commands.PresenceCommand) -> None:
    node = session.node
    wanted = frozenset(command.users)
    for user in set(session.watching) - wanted:
        node.subscriptions.leave_channel(presence_channel(user), session)
    channels = []
    for user in wanted:
        channel = node.hub.open_channel(presence_channel(user))
        channel.add_member(session)
        channels.append(channel)
    session.watching = wanted
    await node.subscriptions.ensure_all_ready(channels)
    # Only now: of a block that comes later, the edge is notified, and it finds the user among those watched.
    hidden = await node.access.find_blockers(session.user, wanted)
    for user in hidden:
        node.subscriptions.leave_channel(presence_channel(user), session)
    states = dict.fromkeys(hidden, HIDDEN) | dict(await node.presence.get_states(wanted - hidden))
    session.answer_with(
        events.PresenceOk(
            id=command.id,
            states={user: seen.state for user, seen in states.items()},
            last_seen={user: rfc3339(seen.last_seen) for user, seen in states.items() if seen.last_seen is not None},
        )
    )
