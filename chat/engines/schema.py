"""The tables of the embedded store. Scripts are only ever added: number n leads from version n to n + 1.

Accounts and rooms use integer keys inside and UUID strings outside. A message's `id` is its conversation's key times
2**32 plus its `seq`, so that one B-tree holds the messages, keeps each conversation together and in order, and proves
`(conversation, seq)` unique. Ids of people and of clients stand in the messages as 16 bytes (see `packing`).
"""

from __future__ import annotations

from chat.engines import attention_rows, logo_rows, second_look_rows

_ACCOUNTS = """
CREATE TABLE users (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,       -- the name in lower case
    email TEXT,
    folded_email TEXT UNIQUE,          -- of a verified address alone: it is kept from others
    password_hash TEXT,
    created INTEGER NOT NULL,
    blocked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE grants (
    digest BLOB PRIMARY KEY,
    family TEXT NOT NULL,
    user TEXT NOT NULL,
    expires INTEGER NOT NULL,
    replaced INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX grants_by_family ON grants (family);
CREATE INDEX grants_by_expiry ON grants (expires);
CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    private BLOB NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
"""

_ROOMS = """
CREATE TABLE rooms (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    visibility TEXT NOT NULL,
    created INTEGER NOT NULL
);
CREATE INDEX public_rooms ON rooms (folded, id) WHERE visibility = 'public';
CREATE TABLE members (
    room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user INTEGER NOT NULL REFERENCES users,
    role TEXT NOT NULL,
    joined INTEGER NOT NULL,
    folded TEXT NOT NULL,              -- the user's, which never changes: members are listed by name
    PRIMARY KEY (room, user)
) WITHOUT ROWID;
CREATE INDEX members_by_name ON members (room, folded);
CREATE INDEX members_by_user ON members (user);
CREATE INDEX owners ON members (room) WHERE role = 'owner';
CREATE TABLE bans (
    room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user INTEGER NOT NULL REFERENCES users,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) WITHOUT ROWID;
CREATE TABLE invites (
    digest BLOB PRIMARY KEY,
    room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
    role TEXT NOT NULL,
    creator TEXT NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX invites_by_room ON invites (room);
"""

# AUTOINCREMENT: the key of a deleted conversation is never given again, so nothing left of it can come back.
# The index of terms keeps neither texts nor positions nor sizes; the tokenizer `ascii` splits at spaces only, given
# what `chat.domain.terms` makes. Messages wait in `unindexed`, because it is cheaper to index many at once.
_HISTORY = """
CREATE TABLE conversations (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE direct (
    user BLOB NOT NULL,
    conversation INTEGER NOT NULL,
    PRIMARY KEY (user, conversation)
) WITHOUT ROWID;
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    sender BLOB NOT NULL,
    client_id BLOB NOT NULL,
    ts INTEGER NOT NULL,
    flags INTEGER NOT NULL,            -- 1 edited, 2 deleted, 4 moderated, 8 pinned; 256 and up: see history_rows
    reply_to INTEGER,
    mentions TEXT,                     -- ids with spaces between
    sender_name TEXT NOT NULL,
    text TEXT                          -- last, so that a count need not read it
);
CREATE UNIQUE INDEX messages_by_client ON messages (sender, client_id);
CREATE TABLE originals (
    key INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    until INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX originals_by_message ON originals (message);
CREATE TABLE reactions (
    key INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    user BLOB NOT NULL,
    emoji TEXT NOT NULL,
    UNIQUE (message, user, emoji)
);
CREATE TABLE read_marks (
    conversation INTEGER NOT NULL,
    user BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (conversation, user)
) WITHOUT ROWID;
CREATE TABLE unindexed (id INTEGER PRIMARY KEY);
CREATE VIRTUAL TABLE search USING fts5 (
    terms, content = '', columnsize = 0, detail = none, tokenize = 'ascii'
);
CREATE TABLE graves (key INTEGER PRIMARY KEY);
"""

# The bit 8 of a message's flags says that it stands here, so that reading a page of history does not look.
_PINS = """
CREATE TABLE pins (
    message INTEGER PRIMARY KEY,
    user BLOB NOT NULL,
    ts INTEGER NOT NULL
);
"""

# A member who left or was removed, when something of that is kept: see `chat.domain.membership`.
_INVITATIONS = """
ALTER TABLE rooms ADD COLUMN default_role TEXT NOT NULL DEFAULT 'member';
CREATE TABLE former_members (
    room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user INTEGER NOT NULL REFERENCES users,
    restricted INTEGER NOT NULL,
    left INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) WITHOUT ROWID;
ALTER TABLE invites ADD COLUMN id TEXT;
ALTER TABLE invites ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invites ADD COLUMN uses INTEGER;
ALTER TABLE invites ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
UPDATE invites SET id = lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
    || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)));
CREATE UNIQUE INDEX invites_by_id ON invites (id);
CREATE INDEX invites_by_creator ON invites (creator, room);
"""

# Beside the messages, because few are ever changed.
_STAMPS = """
CREATE TABLE change_stamps (
    message INTEGER PRIMARY KEY,
    log_offset INTEGER NOT NULL,       -- of the change that was applied last: its offset in the log,
    taken INTEGER NOT NULL             -- and when the log took it
);
"""

# No address was ever verified before: so none is kept from others.
_ADDRESSES = "UPDATE users SET folded_email = NULL;"

_PRIVACY = "ALTER TABLE users ADD COLUMN added_by TEXT;"  # NULL: the user has not decided

# The terms of a text changed, and a term is taken out of the index by giving it again: so the index is made anew. That
# happens in steps, from `unindexed`, while the store is in use already. Names of rooms are folded without what is
# invisible now; what could stand in them before is a few characters.
TERMS = """
DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5 (
    terms, content = '', columnsize = 0, detail = none, tokenize = 'ascii'
);
INSERT OR IGNORE INTO unindexed (id) SELECT id FROM messages WHERE text IS NOT NULL;
UPDATE rooms SET folded = replace(replace(replace(replace(replace(replace(folded, char(0xFE0F), ''), char(0x3164), ''),
    char(0x115F), ''), char(0x1160), ''), char(0xFFA0), ''), char(0x034F), '');
"""

# Their access tokens are refused until they expire.
_ENDED_FAMILIES = """
CREATE TABLE ended_families (
    family TEXT PRIMARY KEY,
    ended INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX ended_families_by_time ON ended_families (ended);
"""

# Users whose accounts were deleted, and when: see `account_deletion`.
_DELETED_USERS = """
CREATE TABLE deleted_users (
    user BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;
"""

# Log-ins of before began at an unknown time, by an unknown program.
_LOG_INS = """
ALTER TABLE grants ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
ALTER TABLE grants ADD COLUMN agent TEXT NOT NULL DEFAULT '';
"""

# The first epoch is of the database's own making: two databases never have the same one.
_EPOCHS = """
CREATE TABLE epochs (number INTEGER PRIMARY KEY, id TEXT NOT NULL);
INSERT INTO epochs (id) VALUES (lower(hex(randomblob(8))));
CREATE TABLE start_marks (mark TEXT NOT NULL);
"""

_USER_BLOCKS = """
CREATE TABLE user_blocks (
    user TEXT NOT NULL,                -- who blocks
    other TEXT NOT NULL,               -- who is blocked
    at INTEGER NOT NULL,
    PRIMARY KEY (user, other)
) WITHOUT ROWID;
CREATE INDEX user_blocks_by_other ON user_blocks (other);
"""

# The secret is of the database's own making. What came back from an address is JSON; `due` is NULL of what was sent.
_MAILINGS = """
ALTER TABLE users ADD COLUMN pending_email TEXT;
CREATE TABLE mail_tokens (
    digest BLOB PRIMARY KEY,
    purpose TEXT NOT NULL,
    user TEXT NOT NULL,
    expires INTEGER NOT NULL,
    email TEXT NOT NULL,
    bound BLOB NOT NULL
);
CREATE INDEX mail_tokens_by_user ON mail_tokens (user, purpose, expires);
CREATE INDEX mail_tokens_by_expiry ON mail_tokens (expires);
CREATE TABLE pending_mails (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    payload BLOB NOT NULL,
    due INTEGER,
    expires INTEGER NOT NULL,
    attempts INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX pending_mails_by_due ON pending_mails (due) WHERE due IS NOT NULL;
CREATE INDEX pending_mails_by_expiry ON pending_mails (expires);
CREATE INDEX pending_mails_by_user ON pending_mails (user);
CREATE TABLE bounces (
    address TEXT PRIMARY KEY,
    found TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE mail_secret (secret BLOB NOT NULL);
INSERT INTO mail_secret (secret) VALUES (randomblob(32));
"""

_DISPLAY_NAMES = """
ALTER TABLE users ADD COLUMN display_name TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN folded_display_name TEXT;    -- NULL for a user who has none
CREATE INDEX users_by_display_name ON users (folded_display_name) WHERE folded_display_name IS NOT NULL;
"""

# `rest_until`: the push service asked to leave this browser alone until then. A push without `due` was delivered.
_PUSH = """
CREATE TABLE push_subscriptions (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    family TEXT NOT NULL,
    endpoint TEXT NOT NULL UNIQUE,
    p256dh BLOB NOT NULL,
    auth BLOB NOT NULL,
    service TEXT NOT NULL,
    vapid TEXT NOT NULL,
    created INTEGER NOT NULL,
    rest_until INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX push_subscriptions_by_user ON push_subscriptions (user);
CREATE TABLE pushes (
    subscription INTEGER NOT NULL REFERENCES push_subscriptions ON DELETE CASCADE,
    conversation TEXT NOT NULL,
    service TEXT NOT NULL,
    seq INTEGER NOT NULL,
    queued INTEGER NOT NULL,
    due INTEGER,
    content BLOB NOT NULL,
    closes INTEGER NOT NULL,
    shown INTEGER NOT NULL,
    claimed INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (subscription, conversation)
);
CREATE INDEX pushes_due ON pushes (service, due) WHERE due IS NOT NULL;
CREATE INDEX pushes_by_age ON pushes (queued);
"""

# A level is found by the room, too: of a large room, only the members who chose `all` are looked at.
_NOTIFICATION_SETTINGS = """
CREATE TABLE notification_settings (
    user TEXT PRIMARY KEY,
    content TEXT NOT NULL              -- the settings as JSON
) WITHOUT ROWID;
CREATE TABLE notification_choices (
    user TEXT NOT NULL,
    room TEXT NOT NULL,
    level TEXT,
    muted_until INTEGER,
    PRIMARY KEY (user, room)
) WITHOUT ROWID;
CREATE INDEX notification_choices_by_level ON notification_choices (room, level, user);
"""

# An entry is found by what devices show, when that is withdrawn. Its content is JSON: see `chat.domain.pending`.
_PENDING_NOTIFICATIONS = """
CREATE TABLE pending_notifications (
    user TEXT NOT NULL,
    conversation TEXT NOT NULL,
    due INTEGER,
    shown INTEGER NOT NULL,
    noted INTEGER NOT NULL,            -- when its last message was noted
    content BLOB NOT NULL,
    PRIMARY KEY (user, conversation)
) WITHOUT ROWID;
CREATE INDEX pending_notifications_by_due ON pending_notifications (due) WHERE due IS NOT NULL;
CREATE INDEX pending_notifications_by_shown ON pending_notifications (conversation, shown) WHERE shown > 0;
CREATE INDEX pending_notifications_by_time ON pending_notifications (noted);
CREATE TABLE notification_digests (
    user TEXT PRIMARY KEY,
    due INTEGER,
    sent INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX notification_digests_by_due ON notification_digests (due) WHERE due IS NOT NULL;
"""

# What administrators' tools publish for the server that has this file open, too: see `announcements`.
_ANNOUNCEMENTS = """
CREATE TABLE announcements (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    channel TEXT NOT NULL,
    payload BLOB NOT NULL
);
"""

# Up to which seq the texts of a conversation are too old to be kept, and gone: see `retention`.
_EXPIRIES = "CREATE TABLE expiries (conversation INTEGER PRIMARY KEY, seq INTEGER NOT NULL);"

_INSTANCE_ROLES = "ALTER TABLE users ADD COLUMN instance_role TEXT;"

# Who got a role as the first account, also when that account was deleted: nobody gets it after them.
_FIRST_ACCOUNT = "CREATE TABLE first_account (user TEXT NOT NULL);"

_TRACED_PUSHES = "ALTER TABLE pushes ADD COLUMN trace TEXT NOT NULL DEFAULT '';"  # its traceparent, if it is traced

# `user` is empty for the settings of the instance. A status is JSON, and may have ended.
_DOCUMENTS = """
CREATE TABLE documents (user TEXT PRIMARY KEY, revision INTEGER NOT NULL, content TEXT NOT NULL) WITHOUT ROWID;
ALTER TABLE users ADD COLUMN status TEXT;
CREATE INDEX blocked_users ON users (folded) WHERE blocked = 1;
"""

_TOPICS = """
ALTER TABLE rooms ADD COLUMN topic TEXT NOT NULL DEFAULT '';
ALTER TABLE rooms ADD COLUMN description TEXT NOT NULL DEFAULT '';
"""
_ROLE_HOLDERS = "CREATE INDEX role_holders ON users (instance_role) WHERE instance_role IS NOT NULL;"
STORE: tuple[str, ...] = (
    _ACCOUNTS + _ROOMS + _HISTORY,
    _PINS,
    _INVITATIONS,
    _STAMPS,
    _ADDRESSES,
    _PRIVACY,
    TERMS,
    _ENDED_FAMILIES,
    _DELETED_USERS,
    _LOG_INS,
    _EPOCHS,
    _USER_BLOCKS,
    _MAILINGS,
    _DISPLAY_NAMES,
    _PUSH,
    _NOTIFICATION_SETTINGS,
    _PENDING_NOTIFICATIONS,
    _ANNOUNCEMENTS,
    _EXPIRIES,
    _INSTANCE_ROLES,
    _FIRST_ACCOUNT,
    _TRACED_PUSHES,
    attention_rows.SCHEMA,
    _DOCUMENTS,
    _TOPICS,
    second_look_rows.SCHEMA,
    _ROLE_HOLDERS,
    logo_rows.SCHEMA,
)
"""The first script, and what was added later: a database of before has other scripts between the two."""
