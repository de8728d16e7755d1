"""What the tools of `rookery admin` share: the engines, the audit log, the word to running servers, and the output.

Rule 1: a change is stored first, then noted in the audit log, then announced.
Rule 2: with `--json`, standard output holds one JSON document and nothing else.
"""

from __future__ import annotations

import argparse
import os
import pwd
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import orjson

from chat.assembly import SCHEMA, Engines, Store
from chat.domain.audit_notes import AuditNote
from chat.domain.cases import AuditEntry, CaseAction
from chat.domain.ids import new_id, now_ms
from chat.domain.models import Room, User
from chat.errors import NotFound, RookeryError, Unavailable
from chat.ports.authority import Revocation, announcement
from chat.ports.cases import Cases
from chat.ports.relay import Publication, Relay
from chat.settings import Settings, SettingsError
from chat.wire.close import CloseCode
from services.common.announcements import publish_with_retries


@dataclass(frozen=True)
class Operator:
    """Who uses the tool, and on what. `relay` reaches the servers that run: by Redis, or by the embedded database."""

    settings: Settings
    store: Store
    relay: Relay
    name: str
    as_json: bool

    async def note(self, action: CaseAction, user: str, note: AuditNote) -> None:
        """Add what was done to the audit log (rule 1). `user` is the id of whom it concerns, or empty."""
        await self.store.cases.add_audit_entry(_make_entry(self.name, action, user, note))

    async def publish(self, publications: Sequence[Publication]) -> None:
        """Announce a change. Raises `Unavailable` when nobody could be told; the change is made."""
        await publish_with_retries(self.relay, publications)

    async def end_sessions(self, user: str, family: str | None, reason: str) -> None:
        """Close the user's open sessions: those of one log-in, or, with None, all."""
        revocation = Revocation(user=user, family=family, code=CloseCode.TOKEN_INVALID, reason=reason)
        await self.publish(announcement(revocation))

    async def find_user(self, name: str) -> User:
        """By the name, without case. Raises `NotFound`."""
        user = await self.store.accounts.find_by_name(name)
        if user is None:
            raise NotFound(f"there is no user with the name {name}")
        return user

    async def find_room(self, room: str) -> Room:
        """By the id. Raises `NotFound`."""
        found = await self.store.rooms.get_room(room.lower())
        if found is None:
            raise NotFound(f"there is no room with the id {room}; rookery admin room list shows them")
        return found

    def show(self, data: Any, lines: Sequence[str]) -> None:
        """Print the result: `data` as JSON, or these lines."""
        if self.as_json:
            print_json(data)
        else:
            for line in lines:
                print(line)

    def confirm(self, data: Any, sentence: str) -> None:
        """Say what was done: on standard error, so that standard output stays for results (rule 2)."""
        if self.as_json:
            self.show(data, ())
        else:
            print(sentence, file=sys.stderr)


def wants_json(options: argparse.Namespace) -> bool:
    """Whether `--json` was given (rule 2)."""
    return bool(getattr(options, "json", False))


def print_json(data: Any) -> None:
    """Print one JSON document (rule 2)."""
    print(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())


@asynccontextmanager
async def open_operator(settings: Settings, options: argparse.Namespace) -> AsyncIterator[Operator]:
    """Open the engines beside those who use them."""
    async with Engines.open(settings, guest=True) as engines:
        store = await engines.open_store()
        live = await engines.open_live()
        yield Operator(settings, store, live.relay, name_operator(), wants_json(options))


async def note_action(cases: Cases, note: AuditNote) -> None:
    """Add what a tool did to the audit log, if it concerns no single user."""
    await cases.add_audit_entry(_make_entry(name_operator(), CaseAction.OPERATOR, "", note))


async def note_beside_store(settings: Settings, note: AuditNote) -> None:
    """Add to the audit log what a tool did elsewhere than in the store.

    What is done is done: where the store does not answer, or is of another format, standard error says that the entry
    is missing. Where there is no store yet, there is nobody to read it.
    """
    path = settings.embedded.data / "rookery.db"
    if not settings.mongo.url and not path.is_file():
        return
    why: list[str] = []
    try:
        if not settings.mongo.url and await anyio.to_thread.run_sync(read_format, path) != len(SCHEMA):
            raise Unavailable(f"{path} has the format of another version, and no tool but a server changes that")
        async with Engines.open(settings, guest=True) as engines:
            await note_action((await engines.open_store()).cases, note)
    except* (RookeryError, SettingsError) as errors:
        why = [str(error) for error in errors.exceptions]
    if why:
        print(f"rookery: the audit log has no entry of this: {'; '.join(why)}", file=sys.stderr)


def read_format(path: Path) -> int:
    """The format of an embedded database; -1 when it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error:
        return -1


def _make_entry(by: str, action: CaseAction, user: str, note: AuditNote) -> AuditEntry:
    return AuditEntry(id=new_id(), at=now_ms(), by=by, action=action, user=user, reason=note.text, note=note)


def name_operator() -> str:
    """`operator:` and the account of the system; of somebody who used `sudo`, their own."""
    user = os.getuid()
    asked = os.environ.get("SUDO_UID", "")
    if user == 0 and asked.isdecimal():
        user = int(asked)
    try:
        return f"operator:{pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"operator:{user}"
