"""Errors of the domain as gRPC statuses, and back: the one table for both directions and both bindings.

A status carries, in trailing metadata, what a code alone cannot say: `rookery-code` (the error's stable code),
`rookery-field` (the field that an `Invalid` names), `rookery-retry-after-ms` (of `RateLimited`).

A mistake of the caller's is explained in full; of a failure inside, nothing leaves but the code.
"""

from __future__ import annotations

from enum import IntEnum

from chat.errors import (
    Banned,
    Blocked,
    Conflict,
    Fenced,
    Forbidden,
    Invalid,
    LastOwner,
    NotFound,
    Overloaded,
    RateLimited,
    Refused,
    RookeryError,
    TooLong,
    TooManyInvitations,
    Unauthorized,
    Unavailable,
)

Metadata = tuple[tuple[str, str], ...]
"""Keys in lower case, values in printable ASCII."""

ERROR_CODE = "rookery-code"
ERROR_FIELD = "rookery-field"
RETRY_AFTER = "rookery-retry-after-ms"
BEGUN: Metadata = (("rookery-begun", "1"),)
"""In the headers of a stream that has begun. A refusal has headers too, and grpcio's clients see those first."""


class Code(IntEnum):
    """The status codes of gRPC, with their numbers on the wire."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class Failure(Exception):
    """A call that ended with a status other than OK."""

    def __init__(self, code: Code, message: str, trailers: Metadata = ()) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.trailers = trailers


# A class stands before its bases, so that the first that fits is the closest.
_CODES: tuple[tuple[type[RookeryError], Code], ...] = (
    (Invalid, Code.INVALID_ARGUMENT),
    (TooLong, Code.INVALID_ARGUMENT),
    (Unauthorized, Code.UNAUTHENTICATED),
    (Banned, Code.PERMISSION_DENIED),
    (Blocked, Code.PERMISSION_DENIED),
    (Forbidden, Code.PERMISSION_DENIED),
    (NotFound, Code.NOT_FOUND),
    (LastOwner, Code.ALREADY_EXISTS),
    (TooManyInvitations, Code.ALREADY_EXISTS),
    (Conflict, Code.ALREADY_EXISTS),
    (RateLimited, Code.RESOURCE_EXHAUSTED),
    (Refused, Code.FAILED_PRECONDITION),
    (Overloaded, Code.RESOURCE_EXHAUSTED),
    (Unavailable, Code.UNAVAILABLE),
    (Fenced, Code.ABORTED),
)
_BY_NAME = {kind.code: kind for kind, _ in _CODES}
_BY_CODE: dict[Code, type[RookeryError]] = {
    Code.INVALID_ARGUMENT: Invalid,
    Code.UNAUTHENTICATED: Unauthorized,
    Code.PERMISSION_DENIED: Forbidden,
    Code.NOT_FOUND: NotFound,
    Code.ALREADY_EXISTS: Conflict,
    Code.ABORTED: Conflict,
    Code.FAILED_PRECONDITION: Refused,
    Code.OUT_OF_RANGE: Refused,
    Code.RESOURCE_EXHAUSTED: Overloaded,
}


def failure_of(error: RookeryError) -> Failure:
    """The status that tells a caller of this error; INTERNAL without detail for one that is not the caller's."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    if code is None:
        return internal_failure()
    trailers = [(ERROR_CODE, error.code)]
    if error.field is not None and error.field.isascii() and error.field.isprintable():
        trailers.append((ERROR_FIELD, error.field))
    if isinstance(error, RateLimited):
        trailers.append((RETRY_AFTER, str(error.retry_after_ms)))
    message = error.message if isinstance(error, Refused) else "the service cannot answer now; try again later"
    return Failure(code, message, tuple(trailers))


def internal_failure() -> Failure:
    """INTERNAL; the reason is in the server's log alone."""
    return Failure(Code.INTERNAL, "the service failed; its log says why")


def error_of(failure: Failure, service: str) -> RookeryError:
    """The domain's error of a status that `service` gave; `Unavailable` for all that is no answer."""
    trailers = dict(failure.trailers)
    name = trailers.get(ERROR_CODE, "")
    kind = _BY_NAME.get(name) or _BY_CODE.get(failure.code, Unavailable)
    if kind in (Unavailable, Overloaded):
        return kind(f"{service} cannot answer now ({failure.code.name}); try again later")
    if kind is RateLimited:
        wait = trailers.get(RETRY_AFTER, "")
        return RateLimited(failure.message, retry_after_ms=int(wait) if wait.isdecimal() else 1000)
    error = kind(failure.message, field=trailers.get(ERROR_FIELD))
    if name:
        error.code = name  # such as `blocked`, which is a Forbidden with a code of its own
    return error
