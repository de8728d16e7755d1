"""What is checked before a command is carried out: the user's rate, and which conversation the command names."""

from __future__ import annotations

import anyio
from msgspec import UNSET

from chat.domain.conversations import dm_key, room_key
from chat.errors import Invalid, RateLimited
from chat.wire import commands
from chat.wire.close import CloseCode
from gateway.session import Session


def conversation_of(session: Session, command: commands.ConversationCommand) -> str:
    """The key of the conversation that a command names by `room` or by `with`. `Invalid` unless it is exactly one."""
    if command.room is not UNSET and command.with_ is UNSET:
        return room_key(command.room)
    if command.room is UNSET and command.with_ is not UNSET:
        return dm_key(session.user, command.with_)
    raise Invalid("name the conversation by `room` or by `with` (a user's id), one of them", field="room")


def check_send_rate(session: Session) -> None:
    """Take a token of the user's bucket. Raises `RateLimited`; a client that goes on in spite of it gets 4029."""
    siblings, limits = session.siblings, session.node.limits
    if siblings is None or not limits.rate_limits:
        return
    rate, burst, now = limits.sends_per_second, limits.send_burst, session.node.wheel.now
    bucket = siblings.bucket or siblings.open_bucket(burst, now)
    wait = bucket.take_token(rate, burst, now)
    if wait:  # the wheel's time may be a tick old: before a refusal, ask for the exact one
        now = anyio.current_time()
        wait = bucket.take_token(rate, burst, now)
    if wait:
        if bucket.note_refusal(wait, now) > burst:
            session.close(CloseCode.RATE_LIMITED, "too many messages in spite of errors", retry=True)
        raise RateLimited(f"at most {rate:g} messages a second; wait", retry_after_ms=wait)
