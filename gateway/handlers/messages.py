"""Commands that send or change a message: each becomes a record in the log."""

from __future__ import annotations

from functools import partial

import anyio
from msgspec import UNSET

from chat.concurrency import Backoff
from chat.domain.changes import require_room_for_pin, require_room_for_reaction
from chat.domain.conversations import dm_key, is_room, partner, room_key, room_of
from chat.domain.emoji import choose_form
from chat.domain.models import Message, Role
from chat.domain.records import Deleted, Edited, Pinned, Reacted, Sent
from chat.domain.rights import Right, has_right, require_right
from chat.domain.text import check_text
from chat.errors import Conflict, Forbidden, NotFound, Overloaded
from chat.ports.relay import Publication
from chat.tracing import current_traceparent
from chat.wire import commands, events
from chat.wire.message_frames import live_dm_event
from chat.wire.relay import Traced, live_key, pack_control, pack_event, room_channel, user_channel
from gateway.handlers.admission import conversation_of
from gateway.handlers.later import Later
from gateway.handlers.recording import produce_record
from gateway.session import Session

_STORE_SECONDS = 3.0
_STORE_RETRIES = Backoff(base=0.02, cap=0.5, jitter=0.5)
_ON_THEIR_WAY = 100
"""So many messages of a room may be acknowledged and not stored yet; a reply to a later seq is refused at once."""

TargetedCommand = commands.EditCommand | commands.DeleteCommand | commands.ReactCommand | commands.PinCommand


def handle_send(session: Session, command: commands.SendCommand) -> Later | None:
    """Send a message to a room. Size and right are checked; then the log's acknowledgement answers."""
    node = session.node
    check_text(command.text, node.limits.text_bytes)
    role = node.access.known_role(session.user, command.room)
    held = node.held_rooms.known_hold(command.room) if node.held_rooms is not None else False
    if role is None or held is None or not _is_known_seq(session, command):
        return partial(_check_and_send, session, command)
    require_right(role, Right.SEND)
    _produce_sent(session, command, held)
    return None


async def _check_and_send(session: Session, command: commands.SendCommand) -> None:
    node, room = session.node, command.room
    require_right(await node.access.get_role(session.user, room), Right.SEND)
    if not _is_known_seq(session, command):
        await _check_reply(session, command)
    held = node.held_rooms is not None and await node.held_rooms.is_held(room)
    _produce_sent(session, command, held)


def _is_known_seq(session: Session, command: commands.SendCommand) -> bool:
    """Whether the command replies to nothing, or to a message that the live stream of this edge has seen."""
    reply_to = command.reply_to
    if reply_to is UNSET or reply_to is None:
        return True
    channel = session.node.hub.get_channel(room_channel(command.room))
    return channel is not None and channel.seq is not None and reply_to <= channel.seq


async def _check_reply(session: Session, command: commands.SendCommand) -> None:
    """Raise `NotFound` if the command replies to a message that does not exist.

    A message that was acknowledged a moment ago may be on its way to history still, and clients can count. So one of
    the next seqs is waited for, as long as that may take.
    """
    key, reply_to = room_key(command.room), command.reply_to
    delays, end = _STORE_RETRIES.delays(), anyio.current_time() + _STORE_SECONDS
    while isinstance(reply_to, int):
        newest = (await session.node.history.newest_seqs([key])).get(key, 0)
        if reply_to <= newest:
            return
        if reply_to > newest + _ON_THEIR_WAY or anyio.current_time() >= end:
            break
        await anyio.sleep(delays.next_delay())
    raise NotFound("there is no message with this seq in the room; reply to one that exists", field="reply_to")


def _name_message(client_id: str) -> tuple[str, str]:
    """The id that names the message, in lower case, and the id as the client wrote it: empty if that is the same."""
    lower = client_id.lower()
    return lower, "" if lower == client_id else client_id


def _produce_sent(session: Session, command: commands.SendCommand, held: bool) -> None:
    reply_to = command.reply_to
    client_id, sent_id = _name_message(command.client_id)
    sent = Sent(
        conversation=room_key(command.room),
        actor=session.user,
        name=session.name,
        display_name=session.display_name,
        ts=session.node.clock(),
        text=command.text,
        client_id=client_id,
        sent_id=sent_id,
        reply_to=None if reply_to is UNSET else reply_to,
        held=held,
    )
    produce_record(session, command.id, sent)


def handle_dm(session: Session, command: commands.DmCommand) -> Later | None:
    """Send a direct message: a live copy to both users at once, and a record for history."""
    check_text(command.text, session.node.limits.text_bytes)
    dm_key(session.user, command.to)  # refuses a conversation with oneself
    if not session.node.access.knows_recipient(session.user, command.to):
        return partial(_check_and_send_dm, session, command)
    _produce_dm(session, command)
    return None


async def _check_and_send_dm(session: Session, command: commands.DmCommand) -> None:
    await session.node.access.check_recipient(session.user, command.to)
    _produce_dm(session, command)


def _produce_dm(session: Session, command: commands.DmCommand) -> None:
    to, ts = command.to, session.node.clock()
    client_id, sent_id = _name_message(command.client_id)
    key = dm_key(session.user, to)
    sent = Sent(
        conversation=key,
        actor=session.user,
        name=session.name,
        display_name=session.display_name,
        ts=ts,
        text=command.text,
        client_id=client_id,
        sent_id=sent_id,
    )
    produce_record(session, command.id, sent)
    live = pack_event(events.encode(live_dm_event(sent, to)))
    traceparent = current_traceparent()
    copies: list[Publication] = []
    for user in (to, session.user):
        if traceparent:
            copies.append(Publication(user_channel(user), pack_control(Traced(traceparent))))
        copies.append(Publication(user_channel(user), live, live_key(session.user, client_id, user)))
    try:
        session.node.publisher.publish(*copies)
    except Overloaded:
        session.node.counters.live_dropped += 1  # the record is under way: `stored` follows, and `sync` brings the text


def handle_edit(session: Session, command: commands.EditCommand) -> Later:
    """Give one's own message a new text."""
    check_text(command.text, session.node.limits.text_bytes)
    return partial(_edit, session, command, conversation_of(session, command))


async def _edit(session: Session, command: commands.EditCommand, key: str) -> None:
    message, role = await _load_target(session, command, key)
    _require_in_room(key, role, Right.EDIT_OWN)
    if message.sender != session.user:
        raise Forbidden("only its author edits a message")
    if not is_room(key):
        await session.node.access.check_recipient(session.user, partner(key, session.user))
    if message.text is None:
        raise Conflict("the message was withdrawn; it cannot be edited")
    record = Edited(conversation=key, actor=session.user, ts=session.node.clock(), seq=command.seq, text=command.text)
    produce_record(session, command.id, record)


def handle_delete(session: Session, command: commands.DeleteCommand) -> Later:
    """Delete one's own message; a moderator of the room deletes any."""
    return partial(_delete, session, command, conversation_of(session, command))


async def _delete(session: Session, command: commands.DeleteCommand, key: str) -> None:
    message, role = await _load_target(session, command, key)
    by_moderator = message.sender != session.user
    if by_moderator:
        if not (is_room(key) and has_right(role, Right.DELETE_ANY)):
            raise Forbidden("only its author, or a moderator of the room, deletes a message")
    else:
        _require_in_room(key, role, Right.DELETE_OWN)
    record = Deleted(
        conversation=key, actor=session.user, ts=session.node.clock(), seq=command.seq, by_moderator=by_moderator
    )
    produce_record(session, command.id, record)


def handle_react(session: Session, command: commands.ReactCommand) -> Later:
    """Set a reaction, or take it back."""
    return partial(_react, session, command, conversation_of(session, command))


async def _react(session: Session, command: commands.ReactCommand, key: str) -> None:
    message, role = await _load_target(session, command, key)
    _require_in_room(key, role, Right.REACT)
    if message.text is None:
        raise Conflict("the message was withdrawn; it takes no reactions")
    emoji = choose_form(command.emoji, message.reactions)
    if not command.remove:
        if not is_room(key):
            await session.node.access.check_recipient(session.user, partner(key, session.user))
        require_room_for_reaction(message.reactions, emoji)
    record = Reacted(
        conversation=key,
        actor=session.user,
        ts=session.node.clock(),
        seq=command.seq,
        emoji=emoji,
        remove=command.remove,
    )
    produce_record(session, command.id, record)


def handle_pin(session: Session, command: commands.PinCommand) -> Later:
    """Pin a message of a room, or unpin it."""
    return partial(_pin, session, command, room_key(command.room))


async def _pin(session: Session, command: commands.PinCommand, key: str) -> None:
    message, role = await _load_target(session, command, key)
    require_right(role, Right.PIN)
    remove = isinstance(command, commands.UnpinCommand)
    if not remove and message.text is None:
        raise Conflict("the message was withdrawn; it cannot be pinned")
    if not (remove or message.pinned):
        require_room_for_pin(len(await session.node.history.list_pinned(key)))
    record = Pinned(conversation=key, actor=session.user, ts=session.node.clock(), seq=command.seq, remove=remove)
    produce_record(session, command.id, record)


async def _load_target(session: Session, command: TargetedCommand, key: str) -> tuple[Message, Role | None]:
    """The message that a command names, and the user's role (None in a direct conversation)."""
    role = None
    if is_room(key):
        role = await session.node.access.get_role(session.user, room_of(key))
        require_right(role, Right.READ)
    message = await session.node.history.get_message(key, command.seq)
    if message is None:
        raise NotFound("no such message in this conversation", field="seq")
    return message, role


def _require_in_room(key: str, role: Role | None, right: Right) -> None:
    if is_room(key):
        require_right(role, right)
