"""Subscriptions that are answered from what the edge knows already, in one go: nothing is read or waited for.

After a restart, a room is new to the edge once, and known to it a thousand times. For those who come to a room that is
known, the way of `subscribing` would begin to wait and end the wait at once: here they become members straight away.

Rule 1: no await stands between the answer's `seq` and the membership, so live messages follow the answer without a gap.
Rule 2: whatever must wait, read or refuse is left to `subscribing`, and so is all that the session asked for behind it:
  a session's answers come in the order of its commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from sys import intern
from typing import Protocol

from msgspec import UNSET

from chat.domain.epochs import Epoch, is_still_history
from chat.domain.models import Role
from chat.domain.rights import RIGHTS, Right
from chat.errors import RookeryError
from chat.wire import commands, events
from chat.wire.relay import room_channel
from gateway.counters import CommandTiming
from gateway.handlers.resuming import MissedMessages
from gateway.hub import Channel
from gateway.phase import LIVE
from gateway.session import Session
from gateway.tuples import intern_tuple

_READERS = tuple(RIGHTS[Right.READ])  # a few, which are looked for faster than in a set: a role's hash is slow


class Request(Protocol):
    """A `subscribe`, as `subscribing` has it."""

    command: commands.SubscribeCommand
    timing: CommandTiming | None
    error: RookeryError | None


Roles = Mapping[tuple[str, str], Role | None]
"""By user and room."""


def answer_known_rooms(session: Session, asked: Sequence[Request], roles: Roles, epoch: Epoch) -> int:
    """Answer the first of what a session asked for, as far as the rooms are known (rule 2). How many they were."""
    if session.phase is not LIVE:
        return 0
    entered = list(_enter_rooms(session, asked, roles, epoch))
    if entered:  # before any answer, which may be too much for the outbox: a session that closes leaves its rooms
        session.rooms = intern_tuple((*session.rooms, *[intern(each.command.room) for each, _ in entered]))
    session.answer_with_many([_make_answer(each.command, seq, epoch) for each, seq in entered])
    for timing, together in groupby(each.timing for each, _ in entered):
        if timing is not None:
            session.node.counters.count_command(timing, sum(1 for _ in together))
    return len(entered)


def _make_answer(command: commands.SubscribeCommand, seq: int, epoch: Epoch) -> events.SubscribeOk:
    return make_subscribe_ok(command, epoch, MissedMessages(seq, None if command.since is UNSET else True))


def _enter_rooms(
    session: Session, asked: Sequence[Request], roles: Roles, epoch: Epoch
) -> Iterator[tuple[Request, int]]:
    """Make it a member of the first rooms that are known, and tell the seq of each."""
    channels, user = session.node.hub.channels, session.user
    free = session.node.limits.subscriptions - len(session.rooms)
    for each in islice(asked, max(0, free)):
        command = each.command
        channel = channels.get(room_channel(command.room))
        if each.error is not None or channel is None or roles[user, command.room] not in _READERS:
            return
        seq = _find_known_seq(channel, command, epoch)
        if seq is None or session in channel.members or session in channel.joining:  # it asks for the room again
            return
        channel.add_member(session)
        yield each, seq


def _find_known_seq(channel: Channel, command: commands.SubscribeCommand, epoch: Epoch) -> int | None:
    """The newest seq, if the client has missed nothing by it, and nothing must be read to know that."""
    seq, since = channel.seq, command.since
    if not channel.ready or seq is None:
        return None
    if since is UNSET or (since == seq and is_still_history(epoch, command.epoch or None, since)):
        return seq
    return None


def make_subscribe_ok(command: commands.SubscribeCommand, epoch: Epoch, missed: MissedMessages) -> events.SubscribeOk:
    """The answer to a `subscribe`."""
    messages = missed.found.show_in_room() if missed.recovered is not None else None
    return events.SubscribeOk(
        id=command.id,
        room=command.room,
        seq=missed.seq,
        recovered=missed.recovered,
        messages=messages,
        epoch=epoch.id,
    )
