"""What each command does. A handler checks what it can in place, and names the rest to be awaited.

A handler that returns None is done, or (`send`, `dm`, `edit`, …) has handed a record to the log, whose acknowledgement
answers the client. Otherwise it returns the coroutine function that goes on, in the session's task.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from msgspec import UNSET

from chat.domain.conversations import dm_key, is_room, partner, room_key, room_of
from chat.domain.models import Message, PresenceState, Role
from chat.domain.records import AnyRecord, Deleted, Edited, Reacted, Read, Sent
from chat.domain.rights import Right, has_right, require_right
from chat.domain.text import check_emoji, check_text
from chat.errors import Conflict, Forbidden, Invalid, NotFound, Overloaded, RateLimited, RookeryError, Unavailable
from chat.ports.relay import Publication
from chat.wire import commands, events, records
from chat.wire.close import CloseCode
from chat.wire.relay import live_key, pack_event, room_channel, user_channel
from gateway import connecting, subscribing

if TYPE_CHECKING:
    from gateway.session import Later, Session

TYPING_SECONDS = 3.0
_TYPED = 64


def conversation_of(session: Session, command: commands.ConversationCommand) -> str:
    """The conversation that a command names by `room` or by `with`: exactly one of them."""
    if command.room is not UNSET and command.with_ is UNSET:
        return room_key(command.room)
    if command.with_ is not UNSET and command.room is UNSET:
        return dm_key(session.user, command.with_)
    raise Invalid("name the conversation by `room` or by `with` (a user's id), one of them", field="room")


def check_rate(session: Session) -> None:
    """Take a token of the user's bucket. Raises `RateLimited`; whoever goes on regardless is closed with 4029."""
    person, limits = session.person, session.edge.limits
    if person is None or not limits.rate_limits:
        return
    wait = person.take(limits.sends_per_second, limits.send_burst, session.edge.wheel.now)
    if wait:  # the wheel's time may be a tick old: before a refusal, ask for the exact one
        now = anyio.current_time()
        wait = person.take(limits.sends_per_second, limits.send_burst, now)
    if wait:
        if person.refused(wait, now) > limits.send_burst:
            session.close(CloseCode.RATE_LIMITED, "too many messages in spite of errors", retry=True)
        raise RateLimited(f"at most {limits.sends_per_second:g} messages a second; wait", retry_after_ms=wait)


def produce(session: Session, id: int, record: AnyRecord) -> None:  # noqa: A002 - the contract's word
    """Hand a record to the log; its acknowledgement answers the command."""
    key = record.conversation
    session.edge.log.produce(records.topic_of(key), key, records.encode(record), partial(_acknowledged, session, id))
    session.began()


def _acknowledged(session: Session, id: int, error: Exception | None) -> None:  # noqa: A002
    session.ended()
    if error is None:
        session.edge.counters.accepted += 1
        session.ok(id)
    else:
        session.refuse(id, error if isinstance(error, RookeryError) else Unavailable("not stored; send it again"))
    session.edge.flush_soon()


def send(session: Session, command: commands.SendCommand) -> Later | None:
    """A room message: rate, size and right are checked, then the log has the word."""
    check_rate(session)
    check_text(command.text, session.edge.limits.text_bytes)
    edge = session.edge
    role = edge.access.known(session.user, command.room)
    held = edge.holding.known(command.room) if edge.holding is not None else False
    if role is None or held is None:
        return _send_checked
    require_right(role, Right.SEND)
    _produce_sent(session, command, held)
    return None


async def _send_checked(session: Session, command: commands.SendCommand) -> None:
    edge, room = session.edge, command.room
    require_right(await edge.access.role(session.user, room), Right.SEND)
    held = edge.holding is not None and await edge.holding.ask(room)
    _produce_sent(session, command, held)


def _produce_sent(session: Session, command: commands.SendCommand, held: bool) -> None:
    reply_to = command.reply_to
    sent = Sent(
        conversation=room_key(command.room),
        actor=session.user,
        name=session.name,
        ts=session.edge.clock(),
        text=command.text,
        client_id=command.client_id,
        reply_to=None if reply_to is UNSET else reply_to,
        held=held,
    )
    produce(session, command.id, sent)


def dm(session: Session, command: commands.DmCommand) -> Later | None:
    """A direct message: a live copy to both users at once, and a record for history."""
    check_rate(session)
    check_text(command.text, session.edge.limits.text_bytes)
    dm_key(session.user, command.to)
    if not session.edge.access.knows_user(command.to):
        return _dm_checked
    _produce_dm(session, command)
    return None


async def _dm_checked(session: Session, command: commands.DmCommand) -> None:
    if await session.edge.access.user(command.to) is None:
        raise NotFound("no such user; look up the id", field="to")
    _produce_dm(session, command)


def _produce_dm(session: Session, command: commands.DmCommand) -> None:
    to, client_id, ts = command.to, command.client_id, session.edge.clock()
    key = dm_key(session.user, to)
    sent = Sent(conversation=key, actor=session.user, name=session.name, ts=ts, text=command.text, client_id=client_id)
    produce(session, command.id, sent)
    message = Message(
        conversation=key,
        seq=0,
        sender=session.user,
        sender_name=session.name,
        text=command.text,
        ts=ts,
        client_id=client_id,
    )
    live = pack_event(events.encode(events.dm_event(message)))
    copies = [
        Publication(user_channel(user), live, live_key(session.user, client_id, user)) for user in (to, session.user)
    ]
    try:
        session.edge.publisher.publish(*copies)
    except Overloaded:
        session.edge.counters.live_dropped += 1  # the record is under way: `stored` tells, and `sync` brings the text


async def _target(
    session: Session, command: commands.EditCommand | commands.DeleteCommand | commands.ReactCommand
) -> tuple[str, Message, Role | None]:
    """The message that a command is about, and the asker's role (None in a direct conversation)."""
    key = conversation_of(session, command)
    role = await session.edge.access.role(session.user, room_of(key)) if is_room(key) else None
    if is_room(key):
        require_right(role, Right.READ)
    message = await session.edge.history.get_message(key, command.seq)
    if message is None:
        raise NotFound("no such message in this conversation", field="seq")
    return key, message, role


def _require_in_room(key: str, role: Role | None, action: Right) -> None:
    if is_room(key):
        require_right(role, action)


async def edit(session: Session, command: commands.EditCommand) -> None:
    """A new text for a message of one's own."""
    key, message, role = await _target(session, command)
    _require_in_room(key, role, Right.EDIT_OWN)
    if message.sender != session.user:
        raise Forbidden("only its author edits a message")
    if message.text is None:
        raise Conflict("the message was withdrawn; it cannot be edited")
    record = Edited(conversation=key, actor=session.user, ts=session.edge.clock(), seq=command.seq, text=command.text)
    produce(session, command.id, record)


def _check_edit(session: Session, command: commands.EditCommand) -> Later:
    check_rate(session)
    check_text(command.text, session.edge.limits.text_bytes)
    conversation_of(session, command)
    return edit


async def delete(session: Session, command: commands.DeleteCommand) -> None:
    """Take a message back: one's own, or as a moderator any of the room."""
    key, message, role = await _target(session, command)
    by_moderator = message.sender != session.user
    if by_moderator:
        if not (is_room(key) and has_right(role, Right.DELETE_ANY)):
            raise Forbidden("only its author, or a moderator of the room, deletes a message")
    else:
        _require_in_room(key, role, Right.DELETE_OWN)
    record = Deleted(
        conversation=key, actor=session.user, ts=session.edge.clock(), seq=command.seq, by_moderator=by_moderator
    )
    produce(session, command.id, record)


async def react(session: Session, command: commands.ReactCommand) -> None:
    """Set a reaction, or take it back."""
    key, message, role = await _target(session, command)
    _require_in_room(key, role, Right.REACT)
    if message.text is None:
        raise Conflict("the message was withdrawn; it takes no reactions")
    record = Reacted(
        conversation=key,
        actor=session.user,
        ts=session.edge.clock(),
        seq=command.seq,
        emoji=command.emoji,
        remove=command.remove,
    )
    produce(session, command.id, record)


def _check_react(session: Session, command: commands.ReactCommand) -> Later:
    check_emoji(command.emoji)
    conversation_of(session, command)
    return react


def _check_place(then: Later) -> Callable[[Session, Any], Later]:
    def check(session: Session, command: commands.ConversationCommand) -> Later:
        conversation_of(session, command)
        return then

    return check


async def read(session: Session, command: commands.ReadCommand) -> None:
    """Move the read mark forward."""
    key = conversation_of(session, command)
    if is_room(key):
        require_right(await session.edge.access.role(session.user, room_of(key)), Right.READ)
    if not command.seq:
        session.ok(command.id)
        return
    record = Read(conversation=key, actor=session.user, ts=session.edge.clock(), seq=command.seq)
    produce(session, command.id, record)


async def typing(session: Session, command: commands.TypingCommand) -> None:
    """Tell the others that this user is typing; at most once every 3 s for each conversation goes out."""
    key = conversation_of(session, command)
    edge = session.edge
    if is_room(key):
        require_right(await edge.access.role(session.user, room_of(key)), Right.TYPE)
    elif await edge.access.user(partner(key, session.user)) is None:
        raise NotFound("no such user; look up the id", field="with")
    now = anyio.current_time()
    typed = session.typed = session.typed or {}
    if now - typed.get(key, -TYPING_SECONDS) >= TYPING_SECONDS:
        if len(typed) >= _TYPED:
            typed.clear()
        typed[key] = now
        edge.publisher.publish(_typing(key, session.user))
    session.ok(command.id)


def _typing(key: str, user: str) -> Publication:
    other = None if is_room(key) else partner(key, user)
    room, with_ = events.name_conversation(key, other)
    event = events.TypingEvent(room=room, with_=with_, user=user)
    channel = room_channel(room_of(key)) if other is None else user_channel(other)
    return Publication(channel, pack_event(events.encode(event)))


async def status(session: Session, command: commands.StatusCommand) -> None:
    """This session is at the keyboard, or away from it."""
    session.state = PresenceState(command.state)
    await session.edge.presence.enter_session(session.user, session.id, session.state)
    session.ok(command.id)


HANDLERS: dict[type[commands.Command], Callable[[Session, Any], Later | None]] = {
    commands.AuthCommand: connecting.begin,
    commands.RefreshCommand: connecting.refresh,
    commands.SubscribeCommand: subscribing.check,
    commands.UnsubscribeCommand: subscribing.unsubscribe,
    commands.SyncCommand: lambda _session, _command: subscribing.sync,
    commands.PresenceCommand: lambda _session, _command: subscribing.watch,
    commands.SendCommand: send,
    commands.DmCommand: dm,
    commands.EditCommand: _check_edit,
    commands.DeleteCommand: _check_place(delete),
    commands.ReactCommand: _check_react,
    commands.ReadCommand: _check_place(read),
    commands.TypingCommand: _check_place(typing),
    commands.StatusCommand: lambda _session, _command: status,
}
