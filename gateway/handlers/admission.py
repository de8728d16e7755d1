"""What is checked before a command is carried out: the user's rate, and which conversation the command names."""

from __future__ import annotations

import anyio
from msgspec import UNSET

from chat.domain.conversations import dm_key, room_key
from chat.errors import Invalid, RateLimited
from chat.wire import commands
from chat.wire.close import CloseCode
from gateway.budgets import Budget
from gateway.session import Session

_LISTED_FOR_ONE = 100


def conversation_of(session: Session, command: commands.ConversationCommand) -> str:
    """The key of the conversation that a command names by `room` or by `with`. `Invalid` unless it is exactly one."""
    if command.room is not UNSET and command.with_ is UNSET:
        return room_key(command.room)
    if command.room is UNSET and command.with_ is not UNSET:
        return dm_key(session.user, command.with_)
    raise Invalid("name the conversation by `room` or by `with` (a user's id), one of them", field="room")


def take_from_budget(session: Session, budget: Budget, command: commands.Command) -> None:
    """Take what the command costs from the user's budget. A session that has no user yet has no budget either.

    Raises `RateLimited`. A client that goes on in spite of it is closed with 4029.
    """
    siblings, node = session.siblings, session.node
    if siblings is None or not node.limits.rate_limits:
        return
    rate, burst, noun = node.users.allowances[budget]
    now, cost = node.wheel.now, _cost_of(command)
    bucket = siblings.buckets[budget] or siblings.open_bucket(budget, burst, now)
    wait = bucket.take_token(rate, burst, now, cost)
    if wait:  # the wheel's time may be a tick old: before a refusal, ask for the exact one
        now = anyio.current_time()
        wait = bucket.take_token(rate, burst, now, cost)
    if wait:
        if bucket.note_refusal(wait, now) > burst:
            session.close(CloseCode.RATE_LIMITED, f"too many {noun} in spite of errors", retry=True)
        raise RateLimited(f"at most {rate:g} {noun} a second; wait", retry_after_ms=wait)


def _cost_of(command: commands.Command) -> float:
    """In commands: a list of users or rooms costs as many as it has hundreds, and the others one."""
    if type(command) is commands.PresenceCommand:
        return 1 + len(command.users) // _LISTED_FOR_ONE
    return 1 + len(command.rooms) // _LISTED_FOR_ONE if type(command) is commands.FollowCommand else 1
