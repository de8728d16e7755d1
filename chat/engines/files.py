"""Opening a SQLite file: the lock against a second process, the pragmas, the migrations, the words of its errors."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import stat
from collections.abc import Sequence
from pathlib import Path

from chat.errors import DISK_FULL, RookeryError, StorageFailed, Unavailable

_STATEMENTS = 256
_BUSY_MS = 5000
_WRITER_CACHE_KIB = 8 * 1024
_READER_CACHE_KIB = 1024
_CHECKPOINT_PAGES = 4000  # 16 MB: a page that many commits change goes to the file once
_WAL_LIMIT = 64 * 1024 * 1024


def lock(path: Path, *, needed: bool) -> int | None:
    """Create the folder (0700) and the file (0600), and keep other processes out; the lock's descriptor.

    Raises `Unavailable`, naming the folder, when it cannot be written, and when another process has the lock; None in
    that case when it is not `needed`. The lock ends with the process, however it ends; its file stays.
    """
    folder = path.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Only when there is none: to close a descriptor of a database file would end this process's locks on it.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        descriptor = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise Unavailable(
            f"the data folder {folder} cannot be used ({error.strerror}): "
            "let this user write there, or choose another one with --data"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if not needed:
            return None
        raise Unavailable(
            f"the data folder {folder} is in use by another process: stop that one, or choose another with --data"
        ) from error
    return descriptor


def connect(path: Path | None, *, synchronous: str, writer: bool) -> sqlite3.Connection:
    """A connection in autocommit mode, so that transactions are where they are written. None: private, in memory."""
    connection = sqlite3.connect(
        path or ":memory:",
        isolation_level=None,
        check_same_thread=False,  # one thread at a time, but not always the same
        cached_statements=_STATEMENTS,
    )
    try:
        cache = _WRITER_CACHE_KIB if writer else _READER_CACHE_KIB
        for pragma in (
            f"busy_timeout={_BUSY_MS}",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            f"cache_size=-{cache}",
            "temp_store=MEMORY",
            f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
            f"journal_size_limit={_WAL_LIMIT}",
            f"query_only={int(not writer)}",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: sqlite3.Connection, schema: Sequence[str], name: str) -> None:
    """Bring a database to the newest version: `schema[n]` leads from version n to n + 1, each in a transaction.

    Raises `Unavailable` when the file is of a version that this program does not know.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(schema):
        raise Unavailable(
            f"{name} was written by a newer Rookery (its format is {version}, this program knows {len(schema)}): "
            "upgrade, or choose another data folder with --data"
        )
    for number in range(version, len(schema)):
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{schema[number]};\nPRAGMA user_version = {number + 1};\nCOMMIT;"
            )
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


def find_open_files(path: Path) -> list[str]:
    """The names of the database's files that other users of the machine may read or write."""
    reach = stat.S_IMODE(path.parent.stat().st_mode)
    found = []
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        with contextlib.suppress(OSError):
            mode = stat.S_IMODE(file.stat().st_mode)
            # Who may not pass through the folder cannot open a file in it, whatever the file's own mode is.
            group, others = mode & 0o060 and reach & 0o010, mode & 0o006 and reach & 0o001
            if group or others:
                found.append(file.name)
    return found


def explain(error: Exception, name: str) -> Exception:
    """A driver's exception in the words of `chat.errors`, for the operator; any other exception as it is."""
    if not isinstance(error, sqlite3.Error):
        return error
    code = getattr(error, "sqlite_errorname", "")
    told: RookeryError
    if code == "SQLITE_FULL":
        told = Unavailable(f"the disk of {name} is full; free some space, then try again")
    elif code == "SQLITE_INTERRUPT":
        told = Unavailable("the query took too long; ask for less")
    elif code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        told = Unavailable(f"{name} is locked by another program; end that one")
    elif code in ("SQLITE_CORRUPT", "SQLITE_NOTADB"):
        told = Unavailable(f"{name} is damaged or no database of Rookery; restore it from a backup")
    elif isinstance(error, sqlite3.OperationalError):
        told = Unavailable(f"{name} cannot serve: {error}")
    else:
        told = RookeryError(f"{name} refused a statement: {error}")
    told.__cause__ = error
    return told


def explain_to_users(error: Exception) -> Exception:
    """A driver's exception as users may read it, without paths and statements; any other exception as it is."""
    if not isinstance(error, sqlite3.Error):
        return error
    code = getattr(error, "sqlite_errorname", "")
    told: RookeryError
    if code == "SQLITE_FULL":
        told = StorageFailed(DISK_FULL, state="full")
    elif code.startswith(("SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_NOTADB")):
        told = StorageFailed("the server's storage fails, so nothing can be stored; try again later", state="failing")
    elif code == "SQLITE_INTERRUPT":
        told = Unavailable("the query took too long; ask for less")
    elif isinstance(error, sqlite3.OperationalError):
        told = Unavailable("the server's storage does not answer; try again later")
    else:
        told = RookeryError("the server's storage refused a statement")
    told.__cause__ = error
    return told
