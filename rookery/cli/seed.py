"""`rookery admin seed`: creates users, rooms and tokens for load tests and demonstrations, on the engines directly."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import anyio

from chat.assembly import Engines, Store
from chat.domain.audit_notes import NoteCode, make_note
from chat.domain.ids import new_id, now_ms
from chat.domain.models import Role, Room, User, Visibility
from chat.domain.text import check_name, check_room_name
from chat.errors import Conflict
from chat.settings import LONGEST_TOKEN_SECONDS, Settings, SettingsError
from chat.tokens import KeyRing
from rookery.cli.operator import note_action, print_json, wants_json

_CONCURRENT = 64


async def seed_store(settings: Settings, options: argparse.Namespace) -> int:
    """Create them, and write the files. Users whose names exist already are used again."""
    _check_options(options)
    async with Engines.open(settings, guest=True) as engines:
        store = await engines.open_store()
        keys = KeyRing(store.accounts, settings.tokens)
        await keys.refresh_keys()
        users = await _create_users(store, options.users, options.prefix)
        rooms = await _create_rooms(store, options, users)
        tokens = (keys.issue_token(user.id, user.name, new_id(), LONGEST_TOKEN_SECONDS) for user in users)
        write_lines(options.tokens, tokens, secret=True)
        write_lines(options.room_ids, rooms, secret=False)
        await note_action(store.cases, make_note(NoteCode.SEEDED, users=len(users), rooms=len(rooms)))
    if wants_json(options):
        files = {"tokens": str(options.tokens), "room_ids": str(options.room_ids)}
        print_json({"users": len(users), "rooms": len(rooms), "members": options.members, **files})
    print(f"{len(users)} users, {len(rooms)} rooms of {options.members}", file=sys.stderr)
    return 0


def _check_options(options: argparse.Namespace) -> None:
    if options.users < 1 or options.rooms < 0 or options.members < 0:
        raise SettingsError("--users takes at least 1; --rooms and --members take 0 or more")
    if options.members > options.users:
        raise SettingsError(f"--members {options.members}: there are only {options.users} users; give more --users")
    check_name(f"{options.prefix}-{options.users - 1}")
    check_room_name(f"{options.prefix}-{options.rooms}")


async def _create_users(store: Store, count: int, prefix: str) -> list[User]:
    users = [User(id=new_id(), name=f"{prefix}-{number}", created=now_ms()) for number in range(count)]

    async def create_user(number: int) -> None:
        try:
            await store.accounts.create_user(users[number], None)
        except Conflict:
            known = await store.accounts.find_by_name(users[number].name)
            if known is not None:
                users[number] = known

    await _create_each("users", count, create_user)
    return users


async def _create_rooms(store: Store, options: argparse.Namespace, users: list[User]) -> list[str]:
    """Each room has the next K users in turn, so that every user is in about as many rooms as any other."""
    rooms = [new_id() for _ in range(options.rooms)]

    async def create_room(number: int) -> None:
        start = number * options.members
        members = [users[(start + offset) % len(users)].id for offset in range(max(1, options.members))]
        room = Room(id=rooms[number], name=f"{options.prefix}-{number}", visibility=Visibility.PUBLIC, created=now_ms())
        await store.rooms.create_room(room, members[0])
        await store.rooms.add_members(room.id, members[1:], Role.MEMBER, now_ms())

    await _create_each("rooms", options.rooms, create_room)
    return rooms


async def _create_each(what: str, count: int, make: Callable[[int], Awaitable[None]]) -> None:
    """Create `count` things, some at a time, with a line of progress on a terminal."""
    done = 0
    numbers = iter(range(count))

    async def create_next() -> None:
        nonlocal done
        for number in numbers:
            await make(number)
            done += 1
            if sys.stderr.isatty() and (done % 500 == 0 or done == count):
                print(f"\r{what}: {done}/{count}", end="\n" if done == count else "", file=sys.stderr, flush=True)

    async with anyio.create_task_group() as tasks:
        for _ in range(min(_CONCURRENT, count)):
            tasks.start_soon(create_next)


def write_lines(path: Path, lines: Iterable[str], *, secret: bool) -> None:
    """Write a file; a secret one is for this user alone, also if it was there with other rights."""
    mode = 0o600 if secret else 0o644
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        if secret:
            os.fchmod(file.fileno(), mode)
        file.writelines(f"{line}\n" for line in lines)
