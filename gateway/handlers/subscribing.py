"""The commands `subscribe` and `unsubscribe`: a room's messages, from now on or from `since`.

A client that comes back subscribes all its rooms at once, and after a restart all clients come back: so subscriptions
are carried out in batches (`gateway.intake`), with one question to the authority, to the relay, and to history for all.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from sys import intern

import anyio
from msgspec import UNSET

from chat.domain.conversations import room_key
from chat.domain.epochs import Epoch
from chat.domain.models import Role
from chat.domain.rights import Right, require_right
from chat.errors import Forbidden, Refused, RookeryError, Unavailable
from chat.tracing import use_span
from chat.wire import commands
from chat.wire.relay import room_channel
from gateway.handlers.known_rooms import Roles, answer_known_rooms, make_subscribe_ok
from gateway.handlers.later import COMMAND_SECONDS, OUR_FAULT, TAKEN_IN, TakenIn
from gateway.handlers.resuming import MissedMessages, ResumeReads, answer_resume, catch_up
from gateway.hub import Channel, Joining
from gateway.node import Node
from gateway.phase import LIVE
from gateway.session import Queued, Session
from gateway.tuples import intern_tuple

logger = logging.getLogger(__name__)
_TOGETHER = 192
"""So many subscriptions are answered in one go; those behind them queue, so that other sessions have their turn."""


class TooManySubscriptions(Refused):
    """The session listens to as many rooms as it may."""

    code = "too_many_subscriptions"


class RoomRequest:
    """A `subscribe` that is not answered yet."""

    __slots__ = ("answered", "channel", "command", "error", "joining", "session", "timing")

    def __init__(self, session: Session, queued: Queued[commands.SubscribeCommand]) -> None:
        self.session = session
        self.command, self.timing, self.error = queued
        self.channel: Channel | None = None
        self.joining: Joining | None = None
        self.answered = False

    @property
    def waits(self) -> bool:
        """Whether its live frames wait for its answer: it entered the room, and has not left it again."""
        return self.channel is not None and self.channel.joining.get(self.session) is self.joining

    def enter(self, role: Role | None) -> None:
        """Enter the room's channel, or note why not: from here on its live frames wait."""
        session, room = self.session, intern(self.command.room)  # one string for all members
        if self.error is not None or session.phase is not LIVE:
            return  # a session that was closed has left every channel, and must not enter one
        try:
            require_right(role, Right.READ)
            _check_subscriptions(session, self.command)  # again, for their number may have changed
        except Refused as error:
            self.error = error
            return
        self.channel = session.node.hub.open_channel(room_channel(room))
        self.joining = self.channel.begin_joining(session)
        if room not in session.rooms:
            session.rooms = intern_tuple((*session.rooms, room))

    def answer(self, epoch: Epoch, missed: MissedMessages) -> None:
        """Answer with what was missed; then what waited follows."""
        session, channel = self.session, self.channel
        if channel is None or not self.waits:  # the right ended while history was read
            self.refuse(Forbidden("you are not a member of this room"))
            return
        self.answered, session.timing = True, self.timing
        answer_resume(session, partial(make_subscribe_ok, self.command, epoch), missed)
        channel.finish_joining(session, missed.seq)
        session.end_command()

    def refuse(self, error: RookeryError) -> None:
        """Answer that it failed, and leave the room."""
        session = self.session
        if self.waits:
            session.leave_room(self.command.room)
        self.answered, session.timing = True, self.timing
        session.answer_error(self.command.id, error)
        session.end_command()


def handle_subscribe(session: Session, command: commands.SubscribeCommand) -> TakenIn:
    """Listen to a room, from now on or from `since`."""
    _check_subscriptions(session, command)
    session.node.subscribing.take_in(RoomRequest(session, Queued(command, session.timing)))
    return TAKEN_IN


def _check_subscriptions(session: Session, command: commands.SubscribeCommand) -> None:
    limit = session.node.limits.subscriptions
    if len(session.rooms) >= limit and command.room not in session.rooms:
        raise TooManySubscriptions(f"at most {limit} rooms a session; unsubscribe one", field="room")


async def subscribe_sessions(node: Node, first: Sequence[RoomRequest]) -> None:
    """Carry out one `subscribe` of each of these sessions, and those that queue behind it, so many in one go. Raises
    nothing but a cancellation."""
    asked: list[list[RoomRequest]] = []
    for each in first:
        asked.append(_with_queued(each, _TOGETHER - 1))
        if sum(map(len, asked)) >= _TOGETHER or each is first[-1]:
            await _carry_out(node, asked)
            asked = []


async def _carry_out(node: Node, asked: Sequence[Sequence[RoomRequest]]) -> None:
    every = [each for one in asked for each in one]
    span = every[0].timing.span if len(every) == 1 and every[0].timing is not None else None
    error: RookeryError = Unavailable("the command took too long; try again")
    try:
        with use_span(span), anyio.fail_after(COMMAND_SECONDS):
            await _subscribe_rooms(node, asked, every)
    except TimeoutError:
        pass
    except RookeryError as raised:
        error = raised
    except Exception:
        logger.exception("subscriptions failed")
        error = RookeryError(OUR_FAULT)
    for one in asked:
        session = one[0].session
        for each in one:
            if session.phase is LIVE and not each.answered:
                each.refuse(error)
        session.carry_on()
    node.mux.flush()


def _with_queued(first: RoomRequest, most: int) -> list[RoomRequest]:
    """The session's `subscribe`, and those behind it, in order; up to one of a room that is among them already."""
    session, rooms = first.session, {first.command.room}

    def is_new(command: commands.SubscribeCommand) -> bool:
        known = len(rooms)
        rooms.add(command.room)
        return len(rooms) > known

    return [
        first,
        *(RoomRequest(session, queued) for queued in session.take_queued(commands.SubscribeCommand, is_new, most)),
    ]


async def _subscribe_rooms(node: Node, asked: Sequence[Sequence[RoomRequest]], every: Sequence[RoomRequest]) -> None:
    """Subscribe, and answer with what was missed; first of all, those of rooms that are known already.

    The order of these steps makes one sequence of history and the live stream (rule 3 of `gateway.hub`): first live
    frames wait, then the relay confirms, then history is read, then the answer goes out, then what waited. A message
    that is stored before the read is in the answer; one that is stored later comes live, and waits. One that is in both
    is dropped by its seq.
    """
    epoch = await node.history.read_epoch()  # first: from the roles on, whoever loses a right is told to leave
    roles = await node.access.get_roles([(each.session.user, each.command.room) for each in every])
    asked, every = _answer_known(asked, roles, epoch)
    if not every:
        return
    for each in every:
        each.enter(roles[each.session.user, each.command.room])
    channels = {each.channel.name: each.channel for each in every if each.channel is not None}
    await node.subscriptions.ensure_all_ready(list(channels.values()))
    unknown = {room_key(each.command.room) for each in every if each.waits and _needs_newest(each)}
    newest = await node.history.newest_seqs(unknown) if unknown else {}
    reads = ResumeReads(node)  # all have entered their rooms, so those who missed the same may share a read
    waiting: dict[object, list[Sequence[RoomRequest]]] = {}
    for one in asked:
        read = _name_read(one, newest)
        if read is None:
            await _answer_in_order(reads, [one], epoch, newest)  # waits for nothing
        else:
            waiting.setdefault(read, []).append(one)
    async with anyio.create_task_group() as tasks:
        for together in waiting.values():
            tasks.start_soon(_answer_in_order, reads, together, epoch, newest)


def _name_read(one: Sequence[RoomRequest], newest: Mapping[str, int]) -> object:
    """What a session's answers wait for: None for nothing, and the same for those whom one task can answer."""
    missing = [each for each in one if each.waits and _needs_messages(each, newest)]
    if len(missing) == 1:
        command = missing[0].command
        return command.room, command.since
    return id(one) if missing else None


def _answer_known(
    asked: Sequence[Sequence[RoomRequest]], roles: Roles, epoch: Epoch
) -> tuple[list[Sequence[RoomRequest]], list[RoomRequest]]:
    """Answer what can be answered at once. What is left: by session, and all of it."""
    left = []
    for one in asked:
        answered = answer_known_rooms(one[0].session, one, roles, epoch)
        for each in one[:answered]:
            each.answered = True
        if answered < len(one):
            left.append(one[answered:])
    return left, [each for one in left for each in one]


async def _answer_in_order(
    reads: ResumeReads, sessions: Sequence[Sequence[RoomRequest]], epoch: Epoch, newest: Mapping[str, int]
) -> None:
    """Answer the subscriptions of these sessions, each as soon as what it missed is read."""
    for one in sessions:
        for each in one:
            if each.error is not None:
                each.refuse(each.error)
            elif each.session.phase is LIVE:
                await _answer_one(reads, each, epoch, newest)


async def _answer_one(reads: ResumeReads, each: RoomRequest, epoch: Epoch, newest: Mapping[str, int]) -> None:
    try:
        key, live = room_key(each.command.room), _known_newest(each, newest)
        missed = await catch_up(reads, key, each.command, epoch, live)
    except RookeryError as error:
        each.refuse(error)
    except Exception:
        logger.exception("a subscription failed")
        each.refuse(RookeryError(OUR_FAULT))
    else:
        each.answer(epoch, missed)


def _known_newest(each: RoomRequest, newest: Mapping[str, int]) -> int | None:
    """The room's newest seq, if it is known without a read."""
    read = newest.get(room_key(each.command.room))
    return read if read is not None or each.channel is None else _live_seq(each.channel)


def _needs_newest(each: RoomRequest) -> bool:
    """Whether the newest seq must be read. The live stream may be behind history: before a client is told that its
    `since` does not exist, history is asked."""
    live, since = _known_newest(each, {}), each.command.since
    return live is None or (since is not UNSET and since > live)


def _needs_messages(each: RoomRequest, newest: Mapping[str, int]) -> bool:
    """Whether answering it takes another read."""
    live, since = _known_newest(each, newest), each.command.since
    return live is None or (since is not UNSET and since != live)


def _live_seq(channel: Channel) -> int | None:
    """The newest seq, if the live stream of this edge knows it without a read."""
    return channel.seq if channel.ready else None


def handle_unsubscribe(session: Session, command: commands.UnsubscribeCommand) -> None:
    """Stop listening to a room."""
    session.leave_room(command.room)
    session.answer_ok(command.id)
