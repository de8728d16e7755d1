"""The indexes of the collections in MongoDB, by the step of `schema` that makes them.

Queries name the fields of an index from the first one on, so that a condition never has to look at more documents
than it finds; what else is asked of a document is asked after that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel


def _index(name: str, *fields: str, **options: Any) -> IndexModel:
    """An index over fields; a leading `-` means descending."""
    keys = [(field.lstrip("-"), DESCENDING if field[0] == "-" else ASCENDING) for field in fields]
    return IndexModel(keys, name=name, **options)


FIRST: Mapping[str, Sequence[IndexModel]] = {
    "users": (
        _index("folded", "folded", unique=True),
        _index("folded_email", "folded_email", unique=True, sparse=True),
    ),
    "families": (_index("digest", "tokens.digest"), _index("expires", "expires")),
    "rooms": (_index("by_name", "visibility", "folded", "_id"),),
    "members": (_index("by_name", "room", "folded"), _index("by_role", "room", "role"), _index("user", "user")),
    "bans": (_index("room", "room"),),
    "invites": (_index("room", "room"),),
    "conversations": (_index("key", "key", unique=True), _index("people", "people")),
    "messages": (
        _index("conversation_seq", "conversation", "seq", unique=True),
        _index("sender_client_id", "sender", "client_id", unique=True),
        # A search names a term and any number of conversations, and walks their entries from the newest on.
        _index("terms", "terms", "conversation", "-ts", "-seq"),
    ),
    "originals": (_index("message", "conversation", "seq"),),
    "read_marks": (_index("conversation", "conversation"),),
}
MODERATION: Mapping[str, Sequence[IndexModel]] = {
    "cases": (_index("case", "case", unique=True), _index("by_state", "state", "opened", "case")),
    "audit": (_index("by_time", "at", "entry"), _index("by_user", "user", "at", "entry")),
    "removals": (_index("by_user", "user", "forgiven", "at"), _index("by_message", "user", "client_id")),
    "blocks": (_index("by_end", "until"), _index("by_user", "user", "until")),
    "strictness": (),
    "held": (),
    "families": (_index("user", "user"),),
}
PINS: Mapping[str, Sequence[IndexModel]] = {
    "messages": (_index("pinned", "pinned_in", "-pin.ts", sparse=True),),
}
INVITATIONS: Mapping[str, Sequence[IndexModel]] = {
    "invites": (_index("by_id", "room", "invite"), _index("by_creator", "creator", "room", "role")),
    "former_members": (_index("room", "room"),),
}
ENDED_FAMILIES: Mapping[str, Sequence[IndexModel]] = {"ended_families": (_index("ended", "ended"),)}
DELETED_USERS: Mapping[str, Sequence[IndexModel]] = {"deleted_users": ()}
USER_BLOCKS: Mapping[str, Sequence[IndexModel]] = {
    "user_blocks": (_index("user", "user"), _index("other", "other")),
}
MAILINGS: Mapping[str, Sequence[IndexModel]] = {
    "mail_tokens": (_index("user", "user", "purpose", "-expires"), _index("expires", "expires")),
    "pending_mails": (_index("due", "due", sparse=True), _index("expires", "expires"), _index("user", "user")),
    "bounces": (),
    "mail_secret": (),
}
DISPLAY_NAMES: Mapping[str, Sequence[IndexModel]] = {
    "users": (_index("by_display_name", "folded_display_name"),),
    "members": (_index("by_display_name", "room", "folded_display_name"),),
}
PUSH: Mapping[str, Sequence[IndexModel]] = {
    "push_subscriptions": (_index("user", "user"),),
    "pushes": (
        _index("due", "service", "due"),
        _index("subscription", "subscription", "claimed", "due"),
        _index("queued", "queued"),
    ),
}
NOTIFICATION_SETTINGS: Mapping[str, Sequence[IndexModel]] = {
    "notification_settings": (),
    "notification_choices": (
        _index("user", "user"),
        _index("by_level", "room", "level", "user"),
    ),
}
PENDING_NOTIFICATIONS: Mapping[str, Sequence[IndexModel]] = {
    "pending_notifications": (
        _index("due", "due", sparse=True),
        _index("shown", "conversation", "shown"),
        _index("user", "user"),
        _index("noted", "noted"),
        _index("gone", "gone", sparse=True),
    ),
    "notification_digests": (_index("due", "due", sparse=True),),
}
FIRST_ACCOUNT: Mapping[str, Sequence[IndexModel]] = {"first_account": ()}
MESSAGE_TIMES: Mapping[str, Sequence[IndexModel]] = {
    # A search without a term walks the messages of any number of conversations from the newest on.
    "messages": (_index("by_time", "conversation", "-ts", "-seq"),),
}
ATTENTION: Mapping[str, Sequence[IndexModel]] = {
    "attention": (_index("by_user", "user", "-ts", "-_id"), _index("message", "conversation", "seq")),
    "attention_seen": (),
}
DOCUMENTS: Mapping[str, Sequence[IndexModel]] = {"documents": ()}
SECOND_LOOKS: Mapping[str, Sequence[IndexModel]] = {"second_looks": (_index("claimable", "claimable"),)}
ROLE_HOLDERS: Mapping[str, Sequence[IndexModel]] = {
    "users": (_index("by_instance_role", "instance_role", sparse=True),),
}
LOGO: Mapping[str, Sequence[IndexModel]] = {"logo": ()}
_STEPS = (
    FIRST,
    MODERATION,
    PINS,
    INVITATIONS,
    ENDED_FAMILIES,
    DELETED_USERS,
    USER_BLOCKS,
    MAILINGS,
    DISPLAY_NAMES,
    PUSH,
    NOTIFICATION_SETTINGS,
    PENDING_NOTIFICATIONS,
    FIRST_ACCOUNT,
    MESSAGE_TIMES,
    ATTENTION,
    DOCUMENTS,
    SECOND_LOOKS,
    ROLE_HOLDERS,
    LOGO,
)
INDEXES = {name: tuple(index for step in _STEPS for index in step.get(name, ())) for step in _STEPS for name in step}
"""Collection → its indexes, but for `_id`. `graves`, `logo`, `schema` and `signing_keys` never hold many documents."""
