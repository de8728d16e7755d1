"""How often a user may call REST: every call that needs a log-in takes from a budget of its user.

Rule 1: one table says which call takes from which budget. A call that stands in no row takes from `writes` if it may
change something, else from `reads`; so no call is without a budget.
Rule 2: what changes something is counted across all processes. What only reads is counted by each process for itself,
so that reading does not depend on the server that counts.
Rule 3: a call over its budget is refused before anything else is done, and is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from chat.engines.limits import MemoryRateLimiter
from chat.errors import RateLimited
from services.common.collaborators import Services

MINUTE = 60.0
HOUR = 3600.0
DAY = 24 * 3600.0


class CallBudget(Struct, frozen=True):
    """What is counted together under a name. `bounds`: field of `LimitSettings` → its window in seconds."""

    name: str
    bounds: Mapping[str, float]
    changes: bool = True


READS = CallBudget("reads", {"reads_per_minute": MINUTE}, changes=False)
WRITES = CallBudget("writes", {"writes_per_minute": MINUTE})
ROOMS = CallBudget("rooms", {"rooms_per_minute": MINUTE, "rooms_per_day": DAY})
INVITES = CallBudget("invites", {"invites_per_minute": MINUTE})
MEMBERS = CallBudget("members", {"member_changes_per_minute": MINUTE})
SEARCHES = CallBudget("searches", {"searches_per_minute": MINUTE}, changes=False)
PROFILE = CallBudget("profile", {"profile_changes_per_hour": HOUR})
REPORTS = CallBudget("reports", {"reports_per_minute": MINUTE})

TABLE: Mapping[tuple[str, str], CallBudget] = {
    ("PATCH", "/api/auth/me"): PROFILE,
    ("PUT", "/api/auth/me/status"): PROFILE,
    ("DELETE", "/api/auth/me/status"): PROFILE,
    ("POST", "/api/rooms"): ROOMS,
    ("POST", "/api/rooms/{room}/invites"): INVITES,
    ("DELETE", "/api/rooms/{room}/invites/{invite}"): INVITES,
    ("POST", "/api/invites/{token}"): INVITES,
    ("PUT", "/api/rooms/{room}/members/{user}"): MEMBERS,
    ("DELETE", "/api/rooms/{room}/members/{user}"): MEMBERS,
    ("POST", "/api/rooms/{room}/join"): MEMBERS,
    ("POST", "/api/rooms/{room}/leave"): MEMBERS,
    ("PUT", "/api/rooms/{room}/bans/{user}"): MEMBERS,
    ("DELETE", "/api/rooms/{room}/bans/{user}"): MEMBERS,
    ("GET", "/api/search"): SEARCHES,
    ("POST", "/api/presence"): READS,
    ("POST", "/api/moderation/reports"): REPORTS,
    ("POST", "/api/moderation/appeals"): REPORTS,
}


def find_budget(method: str, path: str) -> CallBudget:
    """The budget of a call (rule 1). `path` is the route's, with its parameters in braces."""
    method = "GET" if method == "HEAD" else method
    return TABLE.get((method, path)) or (READS if method == "GET" else WRITES)


class CallBudgets:
    """The counts of one process. They do nothing while `limits.rate_limits` is off."""

    def __init__(self, services: Services) -> None:
        self._limits = services.settings.limits
        self._shared = services.limits
        self._own = MemoryRateLimiter(services.clock)

    async def charge_call(self, user: str, method: str, path: str) -> None:
        """Take one call from the user's budget. Raises `RateLimited`."""
        if not self._limits.rate_limits:
            return
        budget = find_budget(method, path)
        counter = self._shared if budget.changes else self._own  # rule 2
        for field, seconds in budget.bounds.items():
            limit = getattr(self._limits, field)
            wait = await counter.count_call(f"rest:{field}:{user}", limit=limit, window_s=seconds)
            if wait:  # rule 3
                raise RateLimited(
                    f"you did this {limit} times {_WINDOWS[seconds]}; try again later", retry_after_ms=wait
                )


_WINDOWS = {MINUTE: "in a minute", HOUR: "in an hour", DAY: "in a day"}
