"""A folder in the place of a mail server: each mail is a file that mail programs open (`.eml`).

Rule 1: a file is whole or not there, and only its owner may read it: it may have a link to a new password in it.
Rule 2: of more than so many files, the oldest goes.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import anyio

from chat.domain.ids import now_ms
from chat.errors import Unavailable
from chat.ports.executor import Executor
from chat.ports.mail import OutgoingMail

_logger = logging.getLogger(__name__)


class MailFolder:
    """`chat.ports.mail.MailTransport` into a folder, which keeps the newest `files`."""

    def __init__(self, folder: Path, *, files: int, executor: Executor, clock: Callable[[], int] = now_ms) -> None:
        self._folder = folder
        self._files = files
        self._executor = executor
        self._clock = clock
        self._limiter = anyio.CapacityLimiter(1)
        self._told = False

    async def send_mail(self, mail: OutgoingMail) -> None:
        """Write the file; it is complete under its name."""
        if not self._told:
            self._told = True
            _logger.warning("no mail server is named (ROOKERY_SMTP_URL): mails are written to %s", self._folder)
        try:
            await self._executor.run_blocking(lambda: self._write_file(mail), self._limiter)
        except OSError as error:
            raise Unavailable(f"the mail could not be written: {error.strerror}") from None

    async def close(self) -> None:
        """There is nothing to close."""

    def _write_file(self, mail: OutgoingMail) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{self._clock():013d}-{secrets.token_hex(4)}.eml"
        unfinished = self._folder / f".{name}"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # rule 1
        with os.fdopen(descriptor, "wb") as file:
            file.write(mail.message)
        unfinished.rename(self._folder / name)
        for old in sorted(self._folder.glob("*.eml"))[: -self._files]:  # rule 2
            old.unlink(missing_ok=True)
