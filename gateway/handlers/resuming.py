"""What a conversation has after `since`: for `subscribe`, and for the command `sync` of direct conversations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, cast

import msgspec
from msgspec import UNSET

from chat.concurrency import OneShot
from chat.domain.conversations import dm_key
from chat.domain.display_names import name_senders
from chat.domain.epochs import Epoch, is_still_history
from chat.domain.models import Message
from chat.errors import Unavailable
from chat.wire import commands, events
from chat.wire.message_frames import history_direct_message, history_message
from gateway.handlers.later import Later
from gateway.node import Node
from gateway.session import Session


class ReadMessages:
    """Messages of a conversation, oldest first, with their senders' names of now. They may be answered to many."""

    __slots__ = ("_shown", "messages")

    def __init__(self, messages: Sequence[Message] = ()) -> None:
        self.messages = messages
        self._shown: msgspec.Raw | None = None

    def show_in_room(self) -> Sequence[events.HistoryMessage]:
        """The messages of a room as they stand in answers: encoded once, for all who get them."""
        if self._shown is None:
            self._shown = msgspec.Raw(events.encode([history_message(message) for message in self.messages]))
        return cast("Sequence[events.HistoryMessage]", self._shown)  # what is encoded again, is copied


NONE_FOUND = ReadMessages()


class ResumeReads:
    """What sessions missed that resume together: those with the same `since` of the same room share one read.

    Only for sessions that all listen to their rooms before the first of them reads: else what comes between the read
    and a later one's listening would be missed. A read that fails, fails for all who share it.
    """

    __slots__ = ("_found", "_reads", "node")

    def __init__(self, node: Node) -> None:
        self.node = node
        self._reads: dict[tuple[str, int], OneShot[ReadMessages | None]] = {}
        self._found: dict[tuple[str, int], ReadMessages | None] = {}

    async def read_missed(self, key: str, since: int) -> ReadMessages | None:
        """The messages after `since`; None if they are too many. Raises what the read raises."""
        wanted = key, since
        if wanted in self._found:  # most are: they need not let others have their turn first
            return self._found[wanted]
        read = self._reads.get(wanted)
        if read is None:
            read = self._reads[wanted] = OneShot()
            try:
                found = self._found[wanted] = await self._find_messages(key, since)
                read.resolve(found)
            except BaseException as error:
                read.fail(Unavailable("the command took too long; try again") if _is_cancelled(error) else error)
                raise
        return await read.wait()

    async def _find_messages(self, key: str, since: int) -> ReadMessages | None:
        node = self.node
        limits = node.limits
        found = await node.history.messages_since(
            key, since, limit=limits.resume_messages, max_bytes=limits.resume_bytes
        )
        if found is None:
            return None
        return ReadMessages(name_senders(found, await node.access.get_users({each.sender for each in found})))


def _is_cancelled(error: BaseException) -> bool:
    return not isinstance(error, Exception)


class MissedMessages(NamedTuple):
    """What a resume answers: the seq up to which it goes; if there was a `since`, whether nothing is missing after it;
    and the messages after it."""

    seq: int
    recovered: bool | None = None
    found: ReadMessages = NONE_FOUND


async def catch_up(
    reads: ResumeReads,
    key: str,
    command: commands.SubscribeCommand | commands.SyncCommand,
    epoch: Epoch,
    live: int | None,
) -> MissedMessages:
    """What a conversation has after `since`; `live` is its newest seq if that is known without a read.

    Not recovered: `since` lies beyond the newest message (the client has messages that history does not have), or is of
    a history before a restore, or too much was missed.
    """
    history, since = reads.node.history, command.since
    # The live stream may be behind history: before a client is told that its `since` does not exist, ask history.
    if live is None or (since is not UNSET and since > live):
        live = (await history.newest_seqs([key])).get(key, 0)
    if since is UNSET:
        return MissedMessages(live)
    if not is_still_history(epoch, command.epoch or None, since):
        return MissedMessages(live, recovered=False)
    if since >= live:
        return MissedMessages(live, recovered=since == live)
    found = await reads.read_missed(key, since)
    if found is None:
        return MissedMessages(live, recovered=False)
    return MissedMessages(found.messages[-1].seq if found.messages else live, recovered=True, found=found)


def answer_resume(session: Session, make: Callable[[MissedMessages], events.OkAnswer], missed: MissedMessages) -> None:
    """Answer with what was missed, or with `recovered: false` if it weighs too much.

    The answer must not fill the outbox: a client that reads slowly would be closed because of the answer that it waits
    for, and again after each reconnect. So it takes half of the outbox at most, together with what waits there already;
    the other half is for live messages. Only the encoded answer shows its weight: a control character has six bytes.
    """
    limits = session.node.limits
    room = min(limits.resume_bytes, limits.outbox_bytes // 2) - session.connection.waiting_bytes
    payload = events.encode(make(missed))
    if missed.found.messages and len(payload) > room:
        payload = events.encode(make(MissedMessages(missed.seq, recovered=False)))
    session.answer_with_bytes(payload)


def handle_sync(session: Session, command: commands.SyncCommand) -> Later:
    """What a direct conversation has after `since`. Live copies come without being asked for."""
    return partial(_sync_dms, session, command)


async def _sync_dms(session: Session, command: commands.SyncCommand) -> None:
    other = command.with_
    epoch = await session.node.history.read_epoch()
    missed = await catch_up(ResumeReads(session.node), dm_key(session.user, other), command, epoch, None)
    answer_resume(session, partial(_sync_ok, command.id, other, epoch), missed)


def _sync_ok(
    id: int,  # noqa: A002 - the contract's word
    other: str,
    epoch: Epoch,
    missed: MissedMessages,
) -> events.SyncOk:
    messages = [history_direct_message(message) for message in missed.found.messages]
    return events.SyncOk(
        id=id, with_=other, seq=missed.seq, recovered=missed.recovered is True, messages=messages, epoch=epoch.id
    )
