"""What a conversation has after `since`: for `subscribe`, and for the command `sync` of direct conversations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from msgspec import UNSET

from chat.domain.conversations import dm_key
from chat.domain.display_names import name_senders
from chat.domain.epochs import Epoch, is_still_history
from chat.domain.models import Message
from chat.wire import commands, events
from chat.wire.message_frames import history_direct_message
from gateway.handlers.later import Later
from gateway.session import Session


class MissedMessages(NamedTuple):
    """What a resume answers: the seq up to which it goes; if there was a `since`, whether nothing is missing after it;
    and the messages after it, oldest first."""

    seq: int
    recovered: bool | None = None
    messages: Sequence[Message] = ()


async def catch_up(
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


def answer_resume(session: Session, make: Callable[[MissedMessages], events.OkAnswer], missed: MissedMessages) -> None:
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


def handle_sync(session: Session, command: commands.SyncCommand) -> Later:
    """What a direct conversation has after `since`. Live copies come without being asked for."""
    return partial(_sync_dms, session, command)


async def _sync_dms(session: Session, command: commands.SyncCommand) -> None:
    other = command.with_
    epoch = await session.node.history.read_epoch()
    missed = await catch_up(session, dm_key(session.user, other), command, epoch, None)
    answer_resume(session, partial(_sync_ok, command.id, other, epoch), missed)


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
