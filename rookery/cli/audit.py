"""`rookery admin audit` and `rookery admin key`: what was done and by whom; the keys that sign tokens."""

from __future__ import annotations

import argparse
from typing import Any

from msgspec import to_builtins

from chat.domain.audit_notes import NoteCode, make_note
from chat.domain.cases import AuditEntry, CaseAction
from chat.domain.ids import now_ms, rfc3339
from chat.ports.accounts import SigningKey
from chat.settings import LONGEST_TOKEN_SECONDS, Settings
from chat.tokens import new_signing_key
from rookery.cli.operator import open_operator


async def list_entries(settings: Settings, options: argparse.Namespace) -> int:
    """Print entries of the audit log, the newest first: those of moderation, and those of these tools."""
    async with open_operator(settings, options) as operator:
        user = (await operator.find_user(options.user)).id if options.user else None
        found = await operator.store.cases.list_audit_entries(options.before, options.limit, user=user)
        names = await operator.store.accounts.get_users({each.by for each in found} | {each.user for each in found})
        shown = {id_: user.name for id_, user in names.items()}
        operator.show([_describe_entry(each) for each in found], [_format_entry(each, shown) for each in found])
    return 0


async def list_keys(settings: Settings, options: argparse.Namespace) -> int:
    """Print the keys that verify tokens, the oldest first, without their secrets."""
    async with open_operator(settings, options) as operator:
        data = [_describe_key(key) for key in await operator.store.accounts.signing_keys()]
        operator.show(data, [f"{one['kid']}  signs from {one['signs_from']}  ends {one['expires']}" for one in data])
    return 0


async def rotate_keys(settings: Settings, options: argparse.Namespace) -> int:
    """Add a key, which signs at once; the others go on verifying. Processes load it when they see a token of it."""
    async with open_operator(settings, options) as operator:
        now = now_ms()
        # As a ring does it: one rotation, a second one if nobody rotates in time, and the longest token after that.
        life = (2 * settings.tokens.key_rotation_seconds + LONGEST_TOKEN_SECONDS) * 1000
        key = new_signing_key(now, now + life)
        await operator.store.accounts.add_signing_key(key, keep_from=now)
        await operator.note(CaseAction.OPERATOR, "", make_note(NoteCode.SIGNING_KEY_ADDED, key=key.kid))
        operator.show(_describe_key(key), [key.kid])
    return 0


def _describe_key(key: SigningKey) -> dict[str, Any]:
    return {"kid": key.kid, "signs_from": rfc3339(key.created), "expires": rfc3339(key.expires)}


def _describe_entry(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": rfc3339(entry.at),
        "by": entry.by,
        "action": entry.action,
        "user": entry.user,
        "case": entry.case,
        "rule": entry.rule,
        "reason": entry.reason,
        "note": None if entry.note is None else to_builtins(entry.note),
        "verdict": entry.verdict,
        "until": None if entry.until is None else rfc3339(entry.until),
    }


def _format_entry(entry: AuditEntry, names: dict[str, str]) -> str:
    whom = f" {names.get(entry.user, entry.user)}" if entry.user else ""
    reason = f": {entry.reason}" if entry.reason else ""
    return f"{rfc3339(entry.at)}  {names.get(entry.by, entry.by)}  {entry.action}{whom}{reason}"
