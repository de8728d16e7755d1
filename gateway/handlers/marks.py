"""What a user shows to others: how far they have read, that they type, and whether they are at the keyboard."""

from __future__ import annotations

from functools import partial

import anyio

from chat.domain.conversations import is_room, partner, room_of
from chat.domain.models import PresenceState
from chat.domain.records import Read
from chat.domain.rights import Right, require_right
from chat.errors import NotFound
from chat.ports.relay import Publication
from chat.wire import commands, events
from chat.wire.relay import pack_event, room_channel, user_channel
from gateway.handlers.admission import conversation_of
from gateway.handlers.later import Later
from gateway.handlers.recording import produce_record
from gateway.session import Session

TYPING_SECONDS = 3.0
_TYPED_CONVERSATIONS = 64


def handle_read(session: Session, command: commands.ReadCommand) -> Later:
    """Move the read mark forward."""
    return partial(_move_read_mark, session, command, conversation_of(session, command))


async def _move_read_mark(session: Session, command: commands.ReadCommand, key: str) -> None:
    if is_room(key):
        require_right(await session.node.access.get_role(session.user, room_of(key)), Right.READ)
    if not command.seq:
        session.answer_ok(command.id)
        return
    private = not is_room(key) and await _is_blocked(session, partner(key, session.user))
    record = Read(conversation=key, actor=session.user, ts=session.node.clock(), seq=command.seq, private=private)
    produce_record(session, command.id, record)


def handle_typing(session: Session, command: commands.TypingCommand) -> Later:
    """Send the others a `typing` event; at most one in 3 s for each conversation."""
    return partial(_signal_typing, session, command, conversation_of(session, command))


async def _signal_typing(session: Session, command: commands.TypingCommand, key: str) -> None:
    node = session.node
    if is_room(key):
        require_right(await node.access.get_role(session.user, room_of(key)), Right.TYPE)
    elif await node.access.get_user(partner(key, session.user)) is None:
        raise NotFound("no such user; look up the id", field="with")
    now = anyio.current_time()
    typed = session.typed = session.typed or {}
    if now - typed.get(key, -TYPING_SECONDS) >= TYPING_SECONDS:
        if len(typed) >= _TYPED_CONVERSATIONS:
            typed.clear()  # the price of the bound is one event too early
        typed[key] = now
        if is_room(key) or not await _is_blocked(session, partner(key, session.user)):
            node.publisher.publish(_typing_publication(key, session.user))
    session.answer_ok(command.id)


async def _is_blocked(session: Session, other: str) -> bool:
    """Whether either of the two users blocks the other: then neither sees what the other shows."""
    return (await session.node.access.get_blocks(session.user, other)).any


def _typing_publication(key: str, user: str) -> Publication:
    other = None if is_room(key) else partner(key, user)
    room, with_ = events.name_conversation(key, other)
    event = events.TypingEvent(room=room, with_=with_, user=user)
    channel = room_channel(room_of(key)) if other is None else user_channel(other)
    return Publication(channel, pack_event(events.encode(event)))


def handle_status(session: Session, command: commands.StatusCommand) -> Later:
    """Set whether this session's user is at the keyboard, or away from it."""
    return partial(_set_status, session, command)


async def _set_status(session: Session, command: commands.StatusCommand) -> None:
    session.state = PresenceState(command.state)
    await session.node.presence.enter_session(session.user, session.id, session.state)
    session.answer_ok(command.id)
