"""Commands that ask for events: of rooms, with resume; of direct conversations; of other users' presence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from msgspec import UNSET

from chat.domain.conversations import dm_key, room_key
from chat.domain.display_names import name_senders
from chat.domain.epochs import Epoch, is_still_history
from chat.domain.ids import rfc3339
from chat.domain.models import Message
from chat.domain.rights import Right, require_right
from chat.errors import Refused
from chat.ports.presence import HIDDEN
from chat.wire import commands, events
from chat.wire.message_frames import history_direct_message, history_message
from chat.wire.relay import presence_channel, room_channel
from gateway.handlers.later import Later
from gateway.hub import Channel
from gateway.phase import Phase
from gateway.session import Session


class TooManySubscriptions(Refused):
    """The session listens to as many rooms as it may."""

    code = "too_many_subscriptions"


def handle_subscribe(session: Session, command: commands.SubscribeCommand) -> Later:
    """Listen to a room, from now on or from `since`."""
    _check_subscriptions(session, command)
    return partial(_subscribe, session, command)


def _check_subscriptions(session: Session, command: commands.SubscribeCommand) -> None:
    limit = session.node.limits.subscriptions
    if len(session.rooms) >= limit and command.room not in session.rooms:
        raise TooManySubscriptions(f"at most {limit} rooms a session; unsubscribe one", field="room")


async def _subscribe(session: Session, command: commands.SubscribeCommand) -> None:
    """Subscribe, and answer with what was missed.

    The order of these steps makes one sequence of history and the live stream (rule 3 of `gateway.hub`): first live
    frames wait, then the relay confirms, then history is read, then the answer goes out, then what waited. A message
    that is stored before the read is in the answer; one that is stored later comes live, and waits. One that is in both
    is dropped by its seq.
    """
    node, room = session.node, command.room
    require_right(await node.access.get_role(session.user, room), Right.READ)
    if session.phase is not Phase.LIVE:
        return  # the session was closed during the await: it has left every channel, and must not enter one
    _check_subscriptions(session, command)  # again, for the await may have changed the number
    channel = node.hub.open_channel(room_channel(room))
    joining = channel.begin_joining(session)  # from here on its live frames wait
    if room not in session.rooms:
        session.rooms = (*session.rooms, room)
    finished = False
    try:
        await node.subscriptions.ensure_ready(channel)
        epoch = await node.history.read_epoch()
        missed = await _catch_up(session, room_key(room), command, epoch, _live_seq(channel))
        # If the right ended while history was read, `leave_room` has taken the session out of the channel.
        if channel.joining.get(session) is joining:
            _answer_resume(session, partial(_subscribe_ok, command.id, room, epoch), missed)
            finished = True
            channel.finish_joining(session, missed.seq)
        else:
            require_right(None, Right.READ)  # raises
    finally:
        if not finished:
            session.leave_room(room)


def _live_seq(channel: Channel) -> int | None:
    """The newest seq, if the live stream of this edge knows it without a read."""
    return channel.seq if channel.ready else None


class MissedMessages(NamedTuple):
    """What a resume answers: the seq up to which it goes; if there was a `since`, whether nothing is missing after it;
    and the messages after it, oldest first."""

    seq: int
    recovered: bool | None = None
    messages: Sequence[Message] = ()


async def _catch_up(
    session: Session,
    key: str,
    command: commands.SubscribeCommand | commands.SyncCommand,
    epoch: Epoch,
    live: int | None,
) -> MissedMessages:
    """What a conversation has after `since`; `live` is its newest seq if that is known without a read.

    Not recovered: `since` lies beyond the newest message (the client has messages that history does not have), or is of
    a history before a restore, or too much was missed.
    """
    history, limits, since = session.node.history, session.node.limits, command.since
    # The live stream may be behind history: before a client is told that its `since` does not exist, ask history.
    if live is None or (since is not UNSET and since > live):
        live = (await history.newest_seqs([key])).get(key, 0)
    if since is UNSET:
        return MissedMessages(live)
    if not is_still_history(epoch, command.epoch or None, since):
        return MissedMessages(live, recovered=False)
    if since >= live:
        return MissedMessages(live, recovered=since == live)
    missed = await history.messages_since(key, since, limit=limits.resume_messages, max_bytes=limits.resume_bytes)
    if missed is None:
        return MissedMessages(live, recovered=False)
    shown = name_senders(missed, await session.node.access.get_users({message.sender for message in missed}))
    return MissedMessages(missed[-1].seq if missed else live, recovered=True, messages=shown)


def _answer_resume(session: Session, make: Callable[[MissedMessages], events.OkAnswer], missed: MissedMessages) -> None:
    """Answer with what was missed, or with `recovered: false` if it weighs too much.

    The answer must not fill the outbox: a client that reads slowly would be closed because of the answer that it waits
    for, and again after each reconnect. So it takes half of the outbox at most, together with what waits there already;
    the other half is for live messages. Only the encoded answer shows its weight: a control character has six bytes.
    """
    limits = session.node.limits
    room = min(limits.resume_bytes, limits.outbox_bytes // 2) - session.connection.waiting_bytes
    payload = events.encode(make(missed))
    if missed.messages and len(payload) > room:
        payload = events.encode(make(MissedMessages(missed.seq, recovered=False)))
    session.answer_with_bytes(payload)


def _subscribe_ok(
    id: int,  # noqa: A002 - the contract's word
    room: str,
    epoch: Epoch,
    missed: MissedMessages,
) -> events.SubscribeOk:
    messages = None
    if missed.recovered is not None:
        messages = [history_message(message) for message in missed.messages]
    return events.SubscribeOk(
        id=id, room=room, seq=missed.seq, recovered=missed.recovered, messages=messages, epoch=epoch.id
    )


def handle_unsubscribe(session: Session, command: commands.UnsubscribeCommand) -> None:
    """Stop listening to a room."""
    session.leave_room(command.room)
    session.answer_ok(command.id)


def handle_sync(session: Session, command: commands.SyncCommand) -> Later:
    """What a direct conversation has after `since`. Live copies come without being asked for."""
    return partial(_sync_dms, session, command)


async def _sync_dms(session: Session, command: commands.SyncCommand) -> None:
    other = command.with_
    epoch = await session.node.history.read_epoch()
    missed = await _catch_up(session, dm_key(session.user, other), command, epoch, None)
    _answer_resume(session, partial(_sync_ok, command.id, other, epoch), missed)


def _sync_ok(
    id: int,  # noqa: A002 - the contract's word
    other: str,
    epoch: Epoch,
    missed: MissedMessages,
) -> events.SyncOk:
    messages = [history_direct_message(message) for message in missed.messages]
    return events.SyncOk(
        id=id, with_=other, seq=missed.seq, recovered=missed.recovered is True, messages=messages, epoch=epoch.id
    )


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
