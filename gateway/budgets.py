"""How fast a user may give commands: a budget for each kind of command, which all sessions of the user here share.

The budgets are generous for people and their programs. They bound what one account can make the system do: without
them, only messages would have a rate, and a loop of deletions, reactions or subscriptions would cost everybody.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from chat.settings import LimitSettings


class Budget(IntEnum):
    """A kind of command, as far as rates are concerned. The number is the place in a tuple of one entry for each."""

    MESSAGES = 0
    CHANGES = 1
    QUERIES = 2
    SIGNALS = 3


class Allowance(NamedTuple):
    """`rate` commands a second in the long run, `burst` at once; `noun` names them in the error."""

    rate: float
    burst: int
    noun: str


Allowances = tuple[Allowance, Allowance, Allowance, Allowance]
"""One for each `Budget`, in their order."""


def make_allowances(limits: LimitSettings) -> Allowances:
    """The allowances that the settings give."""
    return (
        Allowance(limits.sends_per_second, limits.send_burst, "messages"),
        Allowance(limits.changes_per_second, limits.change_burst, "changes of messages"),
        Allowance(limits.queries_per_second, limits.query_burst, "subscriptions and questions"),
        Allowance(limits.signals_per_second, limits.signal_burst, "signals"),
    )
