"""One tree of errors. An error says who erred: the caller (`Refused`) or the system (`Unavailable`).

Each carries a `code`, which is part of the public contract: it stands in WebSocket `error` answers and in the
problem documents of REST. Adapters translate their drivers' exceptions into this tree once, at the border.
"""

from __future__ import annotations


class RookeryError(Exception):
    """Root of the tree. `code` is stable and machine-readable; `message` is for people and names the fix."""

    code = "internal"
    status = 500

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Refused(RookeryError):
    """The caller erred; the same call again gets the same answer."""

    code = "bad_request"
    status = 400


class Invalid(Refused):
    """A field is missing, of the wrong type, too long or malformed; `field` names it."""

    code = "invalid"
    status = 422


class TooLong(Refused):
    """A text or body is over its limit."""

    code = "too_long"
    status = 413


class Unauthorized(Refused):
    """No valid proof of who calls."""

    code = "unauthorized"
    status = 401


class Forbidden(Refused):
    """The caller is known, and may not do this."""

    code = "forbidden"
    status = 403


class Blocked(Forbidden):
    """The account was blocked by the moderators of the instance.

    `reason` and `until` (milliseconds since the epoch, None for ever) are those of the block, if they are known.
    """

    code = "blocked"

    def __init__(
        self, message: str, *, field: str | None = None, reason: str | None = None, until: int | None = None
    ) -> None:
        super().__init__(message, field=field)
        self.reason = reason
        self.until = until


class Banned(Forbidden):
    """The user is banned from this room."""

    code = "banned"


class NotFound(Refused):
    """The named thing does not exist, or the caller may not know that it does."""

    code = "not_found"
    status = 404


class Conflict(Refused):
    """The call contradicts the present state, as a name that is taken."""

    code = "conflict"
    status = 409


class LastOwner(Conflict):
    """A room never loses its last owner."""

    code = "last_owner"


class TooManyInvitations(Conflict):
    """The room has as many open invitations as it may."""

    code = "too_many_invitations"


class RateLimited(Refused):
    """Too many calls; come back after `retry_after_ms`."""

    code = "rate_limited"
    status = 429

    def __init__(self, message: str, *, retry_after_ms: int) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class Unavailable(RookeryError):
    """An engine cannot serve now; the same call later may succeed. Nothing is known to have been lost."""

    code = "unavailable"
    status = 503


DISK_FULL = "the server's disk is full, so nothing can be stored; try again later"
"""For users: it names no path and no engine."""


class StorageFailed(Unavailable):
    """A store cannot write to its disk. `state` is `full` or `failing`; readiness shows it."""

    def __init__(self, message: str, *, state: str) -> None:
        super().__init__(message)
        self.state = state


class Overloaded(Unavailable):
    """A bounded queue is full; the caller should slow down."""

    code = "overloaded"


class Fenced(RookeryError):
    """Another writer of the same conversation stored first: reload the sequence, and try the batch again."""

    code = "fenced"


class Poison(RookeryError):
    """A log record that can never be handled; it goes to the dead letters with this reason."""

    code = "poison"
