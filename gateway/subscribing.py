"""Listening: rooms with resume, direct conversations after a pause, and the presence of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET, UnsetType

from chat.domain.conversations import dm_key, room_key
from chat.domain.ids import rfc3339
from chat.domain.models import Message
from chat.domain.rights import Right, require_right
from chat.errors import Refused
from chat.wire import commands, events
from chat.wire.relay import presence_channel, room_channel
from gateway.hub import Channel
from gateway.phase import Phase

if TYPE_CHECKING:
    from gateway.session import Later, Session


class TooManySubscriptions(Refused):
    """The session listens to as many rooms as it may."""

    code = "too_many_subscriptions"


def check(session: Session, command: commands.SubscribeCommand) -> Later:
    """Whether the session may listen to one room more."""
    limit = session.edge.limits.subscriptions
    if len(session.rooms) >= limit and command.room not in session.rooms:
        raise TooManySubscriptions(f"at most {limit} rooms a session; unsubscribe one", field="room")
    return subscribe


async def subscribe(session: Session, command: commands.SubscribeCommand) -> None:
    """Listen to a room, from now on or from `since`. See the laws of `gateway.hub`."""
    edge, room = session.edge, command.room
    require_right(await edge.access.role(session.user, room), Right.READ)
    if session.phase is not Phase.LIVE:
        return  # closed as the answer came: it has left every channel, and must not enter one
    check(session, command)
    channel = edge.hub.open(room_channel(room))
    joining = channel.begin(session)
    if room not in session.rooms:
        session.rooms = (*session.rooms, room)
    finished = False
    try:
        await edge.subscriptions.ensure_ready(channel)
        missed = await catch_up(session, room_key(room), command.since, _live_seq(channel))
        # The right may have ended while history was read: its end came over the user's channel.
        if channel.joining.get(session) is joining:
            messages = None
            if missed.recovered is not None:
                messages = [events.history_message(message) for message in missed.messages]
            session.answer_with(
                events.SubscribeOk(
                    id=command.id, room=room, seq=missed.seq, recovered=missed.recovered, messages=messages
                )
            )
            finished = True
            channel.finish(session, missed.seq)
        else:
            require_right(None, Right.READ)
    finally:
        if not finished:
            session.edge.stop_listening(session, room)


def _live_seq(channel: Channel) -> int | None:
    """The newest seq, when the live stream of this edge knows it without a read."""
    return channel.seq if channel.ready else None


class Missed(NamedTuple):
    """The seq up to which an answer goes; with a `since`, whether all that was missed is there, and the messages."""

    seq: int
    recovered: bool | None = None
    messages: Sequence[Message] = ()


async def catch_up(session: Session, key: str, since: int | UnsetType, live: int | None) -> Missed:
    """What a conversation brought behind `since`; `live` is its newest seq if that is known."""
    edge, limits = session.edge, session.edge.limits
    if live is None or (since is not UNSET and since > live):
        live = (await edge.history.newest_seqs([key])).get(key, 0)
    if since is UNSET:
        return Missed(live)
    if since >= live:
        return Missed(live, recovered=since == live)
    missed = await edge.history.messages_since(key, since, limit=limits.resume_messages, max_bytes=limits.resume_bytes)
    if missed is None:
        return Missed(live, recovered=False)
    return Missed(missed[-1].seq if missed else live, recovered=True, messages=missed)


def unsubscribe(session: Session, command: commands.UnsubscribeCommand) -> None:
    """Listen to a room no longer."""
    session.edge.stop_listening(session, command.room)
    session.ok(command.id)


async def sync(session: Session, command: commands.SyncCommand) -> None:
    """What a direct conversation brought after `since`; live copies come without asking."""
    other = command.with_
    key = dm_key(session.user, other)
    missed = await catch_up(session, key, command.since, None)
    messages = [events.history_direct_message(message) for message in missed.messages]
    session.answer_with(
        events.SyncOk(id=command.id, with_=other, seq=missed.seq, recovered=missed.recovered is True, messages=messages)
    )


async def watch(session: Session, command: commands.PresenceCommand) -> None:
    """Watch the presence of these users, and of no others."""
    edge = session.edge
    wanted = frozenset(command.users)
    for user in set(session.watching) - wanted:
        edge.stop_watching(session, user)
    channels = []
    for user in wanted:
        channel = edge.hub.open(presence_channel(user))
        channel.add(session)
        channels.append(channel)
    session.watching = wanted
    await edge.subscriptions.ensure_all_ready(channels)
    states = await edge.presence.get_states(wanted)
    session.answer_with(
        events.PresenceOk(
            id=command.id,
            states={user: seen.state for user, seen in states.items()},
            last_seen={user: rfc3339(seen.last_seen) for user, seen in states.items() if seen.last_seen is not None},
        )
    )
