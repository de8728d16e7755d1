"""The driver's exceptions in the words of `chat.errors`. None of what they quote is repeated: it may be a text."""

from __future__ import annotations

from collections.abc import Iterator

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from chat.errors import Conflict, RookeryError, Unavailable

DUPLICATE = 11000
_NOT_ALLOWED = {13, 18, 8000}
"""Unauthorized, AuthenticationFailed, and what hosted servers say for both."""

_PASSING = {
    6,  # HostUnreachable
    7,  # HostNotFound
    24,  # LockTimeout
    50,  # MaxTimeMSExpired
    64,  # WriteConcernFailed
    89,  # NetworkTimeout
    91,  # ShutdownInProgress
    112,  # WriteConflict
    189,  # PrimarySteppedDown
    225,  # TransactionTooOld
    246,  # SnapshotUnavailable
    251,  # NoSuchTransaction
    262,  # ExceededTimeLimit
    9001,  # SocketException
    10107,  # NotWritablePrimary
    11600,  # InterruptedAtShutdown
    11602,  # InterruptedDueToReplStateChange
    13435,  # NotPrimaryNoSecondaryOk
    13436,  # NotPrimaryOrSecondary
}
_PASSING_LABELS = ("RetryableWriteError", "TransientTransactionError", "UnknownTransactionCommitResult")


def is_duplicate(error: PyMongoError) -> bool:
    """Whether a unique index refused it."""
    return isinstance(error, DuplicateKeyError) or DUPLICATE in _codes(error)


def translate(error: PyMongoError) -> RookeryError:
    """The error to raise instead."""
    codes = set(_codes(error))
    if is_duplicate(error):
        return Conflict("this exists already")
    if codes & _NOT_ALLOWED:
        return Unavailable("MongoDB does not let this user do it: look at the user and the roles in ROOKERY_MONGO_URL")
    if _passes(error, codes):
        return Unavailable(f"MongoDB cannot serve now ({_name(error)}); try again later")
    return RookeryError(f"MongoDB refused a command ({_name(error)})")


def _passes(error: PyMongoError, codes: set[int]) -> bool:
    kinds = (ConnectionFailure, ExecutionTimeout, WTimeoutError, WaitQueueTimeoutError)
    return (
        isinstance(error, kinds)
        or error.timeout
        or bool(codes & _PASSING)
        or any(error.has_error_label(label) for label in _PASSING_LABELS)
        or _write_concern_failed(error)
    )


def _codes(error: PyMongoError) -> Iterator[int]:
    if isinstance(error, BulkWriteError):
        for written in error.details.get("writeErrors", ()):
            yield written.get("code", 0)
    elif isinstance(error, OperationFailure) and error.code is not None:
        yield error.code


def _write_concern_failed(error: PyMongoError) -> bool:
    return isinstance(error, BulkWriteError) and bool(error.details.get("writeConcernErrors"))


def _name(error: PyMongoError) -> str:
    code = next(iter(_codes(error)), None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"
