"""`rookery admin user export`: a copy of all that the store has of a user, as JSON lines.

Each line is an object with its `kind`: `account`, `log_in`, `room` (with the read mark), `blocked_user`,
`notification_settings`, `notification_choice`, `push_subscription` (without its keys), `direct_conversation`, `message`
(the user's own, wherever they are, with its earlier texts), and `audit_entry` (what was done to the user). Reactions to
messages of others are left out: no index leads from a user to them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from msgspec import to_builtins

from chat.assembly import Store
from chat.domain.audit_notes import NoteCode, make_note
from chat.domain.cases import CaseAction
from chat.domain.conversations import room_key
from chat.domain.ids import now_ms, rfc3339
from chat.domain.models import Message, User
from chat.settings import Settings, SettingsError
from rookery.cli.operator import Operator, open_operator
from rookery.cli.users import describe_user

_PAGE = 500
_LOG_INS = 1000


async def export_user(settings: Settings, options: argparse.Namespace) -> int:
    """Write the copy, to standard output or to a new file that only its owner reads. Raises `NotFound`."""
    async with open_operator(settings, options) as operator:
        user = await operator.find_user(options.name)
        count = 0
        with _open_output(options.output) as output:
            async for line in _list_lines(operator, user):
                output.write(orjson.dumps(line) + b"\n")
                count += 1
        await operator.note(CaseAction.OPERATOR, user.id, make_note(NoteCode.DATA_EXPORTED))
        if options.output is not None:
            sentence = f"{count} lines about {user.name} are in {options.output}"
            operator.confirm({**describe_user(user), "lines": count, "file": str(options.output)}, sentence)
    return 0


def _open_output(path: Path | None) -> BinaryIO:
    """Raises `SettingsError` when the file is there already, or cannot be made."""
    if path is None:
        return os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise SettingsError(f"--output {path}: {error.strerror}; give the path of a file that can be made") from None


async def _list_lines(operator: Operator, user: User) -> AsyncIterator[dict[str, Any]]:
    store = operator.store
    choice = await store.accounts.get_added_by(user.id)
    yield {"kind": "account", **describe_user(user), "display_name": user.display_name, "added_by": choice}
    for log_in in await store.accounts.list_log_ins(user.id, now_ms(), _LOG_INS):
        times = {"begun": rfc3339(log_in.begun), "used": rfc3339(log_in.used)}
        yield {"kind": "log_in", "id": log_in.family, **times, "program": log_in.agent}
    rooms = await store.rooms.rooms_of_user(user.id)
    marks = await store.history.find_read_marks([(room_key(room.id), user.id) for room, _ in rooms])
    for room, role in rooms:
        mark = marks[room_key(room.id), user.id]
        yield {"kind": "room", "id": room.id, "name": room.name, "role": role, "read": mark}
    for other in await store.accounts.list_user_blocks(user.id):
        yield {"kind": "blocked_user", "id": other}
    async for line in _list_notifications(store, user.id):
        yield line
    for name in await store.history.list_dms(user.id):
        yield {"kind": "direct_conversation", "conversation": name}
    async for message in _list_messages(operator, user.id):
        earlier = await store.history.earlier_texts(message.conversation, message.seq) if message.edited else ()
        yield _describe_message(message, earlier=[{"until": rfc3339(until), "text": text} for until, text in earlier])
    before = None
    while entries := await store.cases.list_audit_entries(before, _PAGE, user=user.id):
        for entry in entries:
            yield {"kind": "audit_entry", "at": rfc3339(entry.at), "action": entry.action, "reason": entry.reason}
        before = entries[-1].id


async def _list_notifications(store: Store, user: str) -> AsyncIterator[dict[str, Any]]:
    """What the user decided about notifications, and the browsers that get them."""
    for settings in (await store.notifications.get_settings([user])).values():
        yield {"kind": "notification_settings", **to_builtins(settings)}
    for room, choice in (await store.notifications.list_room_choices(user)).items():
        yield {"kind": "notification_choice", "room": room, **to_builtins(choice)}
    for subscription in await store.push.list_subscriptions(user):
        yield {"kind": "push_subscription", "endpoint": subscription.endpoint}


async def _list_messages(operator: Operator, user: str) -> AsyncIterator[Message]:
    after = ""
    while page := await operator.store.exports.list_messages(user, after, _PAGE):
        for message in page:
            yield message
        after = page[-1].client_id


def _describe_message(message: Message, *, earlier: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "kind": "message",
        "conversation": message.conversation,
        "seq": message.seq,
        "at": rfc3339(message.ts),
        "text": message.text,
        "client_id": message.client_id,
        "reply_to": message.reply_to,
        "mentions": list(message.mentions),
        "edited": message.edited,
        "deleted": message.deleted,
        "moderated": message.moderated,
        "reactions": message.reactions,
        "earlier_texts": earlier,
    }
