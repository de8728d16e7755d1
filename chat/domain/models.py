"""The nouns. Identifiers are lower-case UUID strings; times are integers, milliseconds since the Unix epoch, UTC."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

DELETED_NAME = "deleted user"
"""The author's name in messages of a user whose account was deleted. Nobody can have it: names have no spaces, and
among display names it is reserved."""


class Role(StrEnum):
    """What a member is in a room.

    The rights of each stand in `chat.domain.rights`.
    """

    OWNER = "owner"
    MODERATOR = "moderator"
    MEMBER = "member"
    READER = "reader"


class InstanceRole(StrEnum):
    """What a user is in the whole instance, by the operator's word. Both have all rights of moderators."""

    OWNER = "owner"
    MODERATOR = "moderator"


class Visibility(StrEnum):
    """Whether strangers find a room and may join it without an invitation."""

    PUBLIC = "public"
    PRIVATE = "private"


class PresenceState(StrEnum):
    """A user is online while any session is, away when every session is away, offline without one."""

    ONLINE = "online"
    AWAY = "away"
    OFFLINE = "offline"


class UserStatus(Struct, frozen=True, omit_defaults=True):
    """An emoji, a text, or both. `until` is in milliseconds since the epoch; None: until the user changes it."""

    emoji: str = ""
    text: str = ""
    until: int | None = None


class User(Struct, frozen=True):
    """A person. `blocked` is set by the moderators of the instance: no session may be open.

    `name` is the handle: by it one logs in, and is mentioned. `display_name` is what others read in its place; empty
    for a user who has none. Many users may have the same.

    `email` belongs to nobody until it is verified: only then is it kept from others. Whoever has a verified address and
    gives another one keeps the first, until the other, `pending_email`, is verified.

    `status` may have ended: see `chat.domain.statuses`.

    `instance_role` is None for most; those whom the settings name as moderators need none.
    """

    id: str
    name: str
    email: str | None = None
    created: int = 0
    blocked: bool = False
    email_verified: bool = False
    pending_email: str | None = None
    display_name: str = ""
    instance_role: InstanceRole | None = None
    status: UserStatus | None = None


class Room(Struct, frozen=True):
    """A group chat. A user who joins gets the `default_role`: member, or reader in a room for announcements.

    The `topic` is a line that says what it is about now, the `description` what it is for; both may be empty.
    """

    id: str
    name: str
    visibility: Visibility
    created: int = 0
    default_role: Role = Role.MEMBER
    topic: str = ""
    description: str = ""


class Member(Struct, frozen=True):
    """A user in a room."""

    user: str
    name: str
    role: Role
    joined: int = 0
    display_name: str = ""


class Message(Struct, frozen=True, kw_only=True):
    """A stored message, as history knows it now.

    `text` is None once it is deleted or moderated. `seq` runs 1, 2, 3, … in its conversation without holes.
    `reactions` maps an emoji to the ids of the users who chose it, in the order in which they did. `pinned`: moderators
    of the room want everybody to find it. `sent_id` is the `client_id` as the client wrote it, if that differs.
    `display_name` is the sender's while the message is on its way; history does not keep it, because it may change.
    """

    conversation: str
    seq: int
    sender: str
    sender_name: str
    text: str | None
    ts: int
    client_id: str
    sent_id: str = ""
    reply_to: int | None = None
    mentions: tuple[str, ...] = ()
    edited: bool = False
    deleted: bool = False
    moderated: bool = False
    reactions: dict[str, list[str]] = {}
    pinned: bool = False
    display_name: str = ""

    @property
    def shown_name(self) -> str:
        """What to call the sender: the display name, if it is known."""
        return self.display_name or self.sender_name

    @property
    def echo_id(self) -> str:
        """The `client_id` as the client wrote it."""
        return self.sent_id or self.client_id
