"""The epoch of the history in SQLite (`chat.domain.epochs`), and how a restored file is noticed.

Rule 1: each start writes a new random mark into the database, and into a file beside it, with the number by which the
  file system knows the database's file. A start that finds something else beside the database was given another file:
  a backup was restored, and a new epoch begins. A folder that was copied counts as restored, too, which does no harm.
Rule 2: the file is written first, with the mark before as well. So a crash between the two is not taken for a restore.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path
from secrets import token_hex

from chat.domain.epochs import Epoch

_logger = logging.getLogger(__name__)


def read_epoch(connection: sqlite3.Connection) -> Epoch:
    """The present epoch."""
    number, id_ = connection.execute("SELECT number, id FROM epochs ORDER BY number DESC LIMIT 1").fetchone()
    return Epoch(id_, restored=number > 1)


def begin_epoch(connection: sqlite3.Connection) -> Epoch:
    """Begin a new epoch: a backup was restored."""
    connection.execute("INSERT INTO epochs (id) VALUES (?)", (token_hex(8),))
    return read_epoch(connection)


def note_start(connection: sqlite3.Connection, path: Path) -> bool:
    """Begin a new epoch if the database at `path` was restored since the start before; whether it was (rule 1)."""
    row = connection.execute("SELECT mark FROM start_marks").fetchone()
    before, mark = row[0] if row else "", token_hex(8)
    file, number = path.with_suffix(".start"), os.stat(path).st_ino
    restored = bool(before) and not _is_beside(file, number, before)
    if restored:
        begin_epoch(connection)
    try:
        _write_file(file, f"{number} {mark} {before}\n")  # rule 2
    except OSError as error:
        _logger.warning("%s cannot be written (%s): clients will be told of a restore", file, error.strerror)
    connection.execute("DELETE FROM start_marks")
    connection.execute("INSERT INTO start_marks (mark) VALUES (?)", (mark,))
    return restored


def _is_beside(file: Path, number: int, mark: str) -> bool:
    try:
        found, *marks = file.read_text().split()
    except (OSError, ValueError):
        return False
    return found == str(number) and mark in marks


def _write_file(file: Path, text: str) -> None:
    """Write the whole file or nothing, and have it on the disk."""
    draft = file.with_suffix(".start-new")
    with open(draft, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)
