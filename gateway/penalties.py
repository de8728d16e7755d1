"""What a connection may cost beyond its commands: pings, frames that are no commands, messages that inflate a lot.

Commands are paid for from the user's budgets. These have no user to pay, or no command: so a connection has a budget of
its own, in pings. It is generous; a client that uses it up is closed with 1008.
"""

from __future__ import annotations

PENALTIES_PER_SECOND = 10.0
PENALTY_BURST = 500
BAD_COMMAND_COST = 5
"""Of a frame that is no command: so a client may send a hundred at once, and two a second in the long run."""
