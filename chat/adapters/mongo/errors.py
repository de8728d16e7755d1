"""The driver's exceptions in the words of `chat.errors`. None of what they quote is repeated: it may be a text."""

from __future__ import annotations

from collections.abc import Iterator

from pymongo.errors import (
    BulkWriteError,
    ClientBulkWriteException,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from chat.errors import DISK_FULL, Conflict, RookeryError, StorageFailed, Unavailable

DUPLICATE = 11000
_NOT_ALLOWED = {13, 18, 8000}
"""Unauthorized, AuthenticationFailed, and what hosted servers say for both."""

_DISK_FULL = {14031}
"""OutOfDiskSpace. A server that guards its disk refuses writes with UserWritesBlocked; see `_is_disk_full`."""
_WRITES_BLOCKED = 371
_HOSTED = 8000

_PASSING = {
    6,  # HostUnreachable
    7,  # HostNotFound
    24,  # LockTimeout
    43,  # CursorNotFound: the server that had it was started again
    50,  # MaxTimeMSExpired
    64,  # WriteConcernFailed
    89,  # NetworkTimeout
    91,  # ShutdownInProgress
    112,  # WriteConflict
    189,  # PrimarySteppedDown
    225,  # TransactionTooOld
    237,  # CursorKilled
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


def find_refused(error: BulkWriteError | ClientBulkWriteException) -> int:
    """Which of the writes of a command, by its place, was refused first."""
    refused = error.details["writeErrors"][0]
    return int(refused["index"] if isinstance(error, BulkWriteError) else refused["idx"])


def is_duplicate(error: PyMongoError) -> bool:
    """Whether a unique index refused it."""
    return isinstance(error, DuplicateKeyError) or DUPLICATE in _codes(error)


def translate(error: PyMongoError) -> RookeryError:
    """The error to raise instead."""
    if isinstance(error, ClientBulkWriteException) and isinstance(error.error, PyMongoError):
        error = error.error  # what broke off the whole command
    codes = set(_codes(error))
    if is_duplicate(error):
        return Conflict("this exists already")
    if _is_disk_full(error, codes):
        return StorageFailed(DISK_FULL, state="full")
    if _WRITES_BLOCKED in codes:
        return StorageFailed(
            "the server takes no changes now, so nothing can be stored; try again later", state="failing"
        )
    if codes & _NOT_ALLOWED:
        return Unavailable("MongoDB does not let this user do it: look at the user and the roles in ROOKERY_MONGO_URL")
    if _passes(error, codes):
        return Unavailable(f"MongoDB cannot serve now ({_name(error)}); try again later")
    return RookeryError(f"MongoDB refused a command ({_name(error)})")


def _is_disk_full(error: PyMongoError, codes: set[int]) -> bool:
    """Hosted servers have one code for many refusals, and say in words that a quota of space is used up."""
    over_quota = _HOSTED in codes and "space quota" in str(error)
    blocked_for_space = _WRITES_BLOCKED in codes and "disk" in str(error)
    return bool(codes & _DISK_FULL) or over_quota or blocked_for_space


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
    if isinstance(error, BulkWriteError | ClientBulkWriteException):
        for written in (*error.details.get("writeErrors", ()), *error.details.get("writeConcernErrors", ())):
            yield written.get("code", 0)
    elif isinstance(error, OperationFailure) and error.code is not None:
        yield error.code


def _write_concern_failed(error: PyMongoError) -> bool:
    if isinstance(error, BulkWriteError | ClientBulkWriteException):
        return bool(error.details.get("writeConcernErrors"))
    return False


def _name(error: PyMongoError) -> str:
    code = next(iter(_codes(error)), None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"
