"""Which handler carries out which command, and from which budget of the user the command is paid.

A handler is a plain function of the session and its command. It checks in place what it can. If it returns None, it has
answered, or it has handed a record to the log, whose acknowledgement answers the client. Otherwise it returns what is
left to be awaited, and the session's task awaits that; or `TAKEN_IN`, and an intake of the node answers. It raises
`Refused` or `Unavailable` to refuse the command.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, cast

from chat.wire import commands
from gateway.budgets import Budget
from gateway.handlers.connecting import handle_auth, handle_refresh
from gateway.handlers.following import handle_follow
from gateway.handlers.later import Later, TakenIn
from gateway.handlers.marks import handle_read, handle_status, handle_typing
from gateway.handlers.messages import handle_delete, handle_dm, handle_edit, handle_pin, handle_react, handle_send
from gateway.handlers.resuming import handle_sync
from gateway.handlers.subscribing import handle_subscribe, handle_unsubscribe
from gateway.handlers.watching import handle_presence
from gateway.session import Session

C = TypeVar("C", bound=commands.Command)
Handler = Callable[[Session, C], Later | TakenIn | None]


class HandlerTable(Protocol):
    """A handler for each type of command: a dictionary's own type cannot say that the two belong together."""

    def __getitem__(self, kind: type[C], /) -> Handler[C]: ...


def _make_row(kind: type[C], handler: Handler[C], budget: Budget) -> tuple[type[commands.Command], object, Budget]:
    """A row of the table. Here the type checker sees that the handler takes this command; so the cast below is safe."""
    return kind, handler, budget


_ROWS = (
    _make_row(commands.AuthCommand, handle_auth, Budget.SIGNALS),
    _make_row(commands.RefreshCommand, handle_refresh, Budget.SIGNALS),
    _make_row(commands.SubscribeCommand, handle_subscribe, Budget.QUERIES),
    _make_row(commands.UnsubscribeCommand, handle_unsubscribe, Budget.QUERIES),
    _make_row(commands.SyncCommand, handle_sync, Budget.QUERIES),
    _make_row(commands.PresenceCommand, handle_presence, Budget.QUERIES),
    _make_row(commands.FollowCommand, handle_follow, Budget.QUERIES),
    _make_row(commands.SendCommand, handle_send, Budget.MESSAGES),
    _make_row(commands.DmCommand, handle_dm, Budget.MESSAGES),
    _make_row(commands.EditCommand, handle_edit, Budget.MESSAGES),
    _make_row(commands.DeleteCommand, handle_delete, Budget.CHANGES),
    _make_row(commands.ReactCommand, handle_react, Budget.CHANGES),
    _make_row(commands.PinCommand, handle_pin, Budget.CHANGES),
    _make_row(commands.UnpinCommand, handle_pin, Budget.CHANGES),
    _make_row(commands.ReadCommand, handle_read, Budget.SIGNALS),
    _make_row(commands.TypingCommand, handle_typing, Budget.SIGNALS),
    _make_row(commands.StatusCommand, handle_status, Budget.SIGNALS),
)

HANDLERS = cast("HandlerTable", {kind: handler for kind, handler, _ in _ROWS})
BUDGETS = {kind: budget for kind, _, budget in _ROWS}
NAMES = {kind: str(kind.__struct_config__.tag) for kind, _, _ in _ROWS}
"""Type of a command → its `type` on the wire."""
