"""`rookery vapid generate`: keys by which push services know the server."""

from __future__ import annotations

import argparse

from chat.adapters.webpush.vapid import KEYS_FILE, add_key, generate_key
from chat.domain.audit_notes import NoteCode, make_note
from chat.settings import Settings
from rookery.cli.operator import note_beside_store


async def generate_vapid_key(settings: Settings, options: argparse.Namespace) -> int:
    """Make a key, and print the setting with it and the older ones; with `--save`, put it into the data folder.

    Raises `SettingsError`.
    """
    key = generate_key()
    if options.save:
        add_key(settings.embedded.data, key)
        await note_beside_store(settings, make_note(NoteCode.PUSH_KEY_MADE))
        print(f"{settings.embedded.data / KEYS_FILE} has a new key; it takes effect when the server starts again")
        return 0
    print(f"ROOKERY_VAPID_KEYS={','.join([key.text, *settings.push.vapid_keys])}")
    return 0
