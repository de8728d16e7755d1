"""What `rookery admin` notes in the audit log: a code and its values, which the page tells in the reader's language.

The English text of a note is stored beside them, as the reason of the entry, for those who read the log elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from msgspec import Struct


class NoteCode(StrEnum):
    """What was done, each with its English text. `{…}` is a value.

    Codes are stored, and never change their meaning; the page has a text for each.
    """

    template: str

    def __new__(cls, code: str, template: str = "") -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.template = template
        return member

    ACCOUNT_CREATED = "account_created", "created the account"
    OWNER_CREATED = "owner_created", "created the account, as an owner of the instance"
    PASSWORD_SET = "password_set", "set another password, and ended all log-ins"
    LINK_PRINTED = "link_printed", "printed a link to a new password"
    ACCOUNT_DELETED = "account_deleted", "deleted the account, with all messages"
    OWNER_MADE = "owner_made", "made an owner of the instance"
    MODERATOR_MADE = "moderator_made", "made a moderator of the instance"
    ROLE_TAKEN = "role_taken", "made neither owner nor moderator of the instance"
    LOG_INS_ENDED = "log_ins_ended", "ended all log-ins"
    LOG_IN_ENDED = "log_in_ended", "ended a log-in"
    DATA_EXPORTED = "data_exported", "exported the data of the account"
    ROOM_OWNER = "room_owner", "made an owner of room:{room}"
    ROOM_DELETED = "room_deleted", "deleted room:{room}, with all messages"
    INVITATION_MADE = "invitation_made", "made an invitation to room:{room} in their name"
    INVITATION_ENDED = "invitation_ended", "ended their invitation to room:{room}"
    DEAD_LETTERS_REPLAYED = "dead_letters_replayed", "replayed {count} dead letters of {topic}"
    SEEDED = "seeded", "seeded {users} users with tokens for a day, and {rooms} rooms"
    DATABASE_MIGRATED = "database_migrated", "brought the database from format {before} to {after}"
    BACKUP_RESTORED = "backup_restored", "noted that a backup was restored; the epoch is {epoch}"
    PUSH_KEY_MADE = "push_key_made", "made a key of push, which signs from the next start on"
    DATABASE_COPIED = "database_copied", "copied the database to {file}"
    DRAINED = "drained", "drained {role}, the process {pid} on {host}"
    DRAIN_BEGUN = "drain_begun", "began to drain {role}, the process {pid} on {host}"
    SIGNING_KEY_ADDED = "signing_key_added", "added the signing key {key}"
    TOPICS_CHANGED = "topics_changed", "changed Kafka's topics {topics}"


class AuditNote(Struct, frozen=True):
    """What was done. `code` is a `NoteCode`, or one of a newer version, whose entries this version reads too. `values`
    are those of its text: ids, numbers, names."""

    code: str
    values: Mapping[str, str] = {}

    @property
    def text(self) -> str:
        """In English. Raises `ValueError` for a code of a newer version."""
        return NoteCode(self.code).template.format_map(self.values)


def make_note(code: NoteCode, **values: object) -> AuditNote:
    """A note, with its values as texts. Raises `KeyError` without one of the values of its text."""
    told = {name: str(value) for name, value in values.items()}
    code.template.format_map(told)
    return AuditNote(code.value, told)
