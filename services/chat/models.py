"""The JSON of the chat routes, as the OpenAPI document describes it; messages are structs of `chat.wire.pages`.

Times are RFC 3339 in UTC with milliseconds.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, FailFast, Field

from chat.domain.ids import rfc3339
from chat.domain.models import PresenceState, Role, User, UserStatus, Visibility
from chat.domain.privacy import AddedBy
from chat.domain.statuses import current_status
from services.common.field_types import Description, Reason, RoomName, Topic, UserId

DefaultRole = Annotated[Literal[Role.MEMBER, Role.READER], Field(description="what a user becomes who joins")]


class NewRoom(BaseModel):
    """A room to be made. In a room for announcements the default role is `reader`."""

    name: RoomName
    visibility: Visibility = Visibility.PUBLIC
    default_role: DefaultRole = Role.MEMBER
    topic: Topic = ""
    description: Description = ""


class RoomChange(BaseModel):
    """What is to change of a room; what is left out stays."""

    name: RoomName | None = None
    visibility: Visibility | None = None
    default_role: DefaultRole | None = None
    topic: Topic | None = None
    description: Description | None = None


ShownName = Annotated[str | None, Field(exclude_if=lambda name: name is None)]
"""What to show of a user in place of the name; left out for a user who has none."""


class StatusView(BaseModel):
    """What a user is doing: an emoji, a text, or both; and until when, null without an end."""

    emoji: str
    text: str
    until: str | None


ShownStatus = Annotated[StatusView | None, Field(exclude_if=lambda status: status is None)]
"""A user's status; left out for a user who has none, or whose status has ended."""


class UserView(BaseModel):
    """A user as others see one; the `status` stands where people are looked up."""

    id: str
    name: str
    display_name: ShownName = None
    status: ShownStatus = None


def view_user(user: User, now: int | None = None) -> UserView:
    """A user as others see one; with the time of now, also the status."""
    status = None if now is None else view_status(user.status, now)
    return UserView(id=user.id, name=user.name, display_name=user.display_name or None, status=status)


def view_status(status: UserStatus | None, now: int) -> StatusView | None:
    """The status, unless it has ended."""
    found = current_status(status, now)
    if found is None:
        return None
    return StatusView(emoji=found.emoji, text=found.text, until=None if found.until is None else rfc3339(found.until))


class LastMessage(BaseModel):
    """The newest message of a conversation. `text` is its beginning, null when it was withdrawn."""

    sender: UserView
    text: str | None
    ts: str


class RoomView(BaseModel):
    """A room as the caller sees it.

    `role` is null for a user who is not a member, and then the counts are 0 and `last` is null. `seq` is the newest
    message's; `read` the caller's read mark; `unread` counts the messages of others after it, to 1,000 and no further;
    `mentions` counts those of them that mention the caller.
    """

    id: str
    name: str
    visibility: Visibility
    default_role: Role
    topic: str
    description: str
    role: Role | None
    seq: int
    unread: int
    read: int
    mentions: int
    last: LastMessage | None


class RoomDetails(RoomView):
    """A room by itself, or a public one in a list, with what tells it from others whose names look the same.

    `owner` is the owner who came first, null if there is none; `members` counts them; `created` is when it was made.
    """

    owner: UserView | None
    members: int
    created: str


class PublicRoomView(RoomDetails):
    """A public room in a list. `alike`: the name looks like that of another room on this page."""

    alike: bool


class Paged(BaseModel):
    """Whether there is `more`, and the cursor of the next page: null when there is none."""

    more: bool
    next: str | None


class RoomPage(Paged):
    """Rooms by name, public ones with what tells them apart; with `more`, go on with `cursor` set to `next`."""

    rooms: list[PublicRoomView | RoomView]


class RoleChoice(BaseModel):
    """The role that a member is to have."""

    role: Role


class MemberView(BaseModel):
    """A member of a room; `id` is the user's."""

    id: str
    name: str
    display_name: ShownName = None
    role: Role
    joined: str


class MemberPage(Paged):
    """Members by name; with `more`, go on with `cursor` set to `next`, or with `after` set to the last name."""

    members: list[MemberView]


class PrivacyChoice(BaseModel):
    """Who may add the caller to rooms: everyone, users who are in a room with them, or nobody."""

    added_by: AddedBy | None


class PrivacyView(BaseModel):
    """Who may add the caller to rooms. Unless it was `decided` by the caller, it is the choice of the instance."""

    added_by: AddedBy
    decided: bool


class BanReason(BaseModel):
    """Why someone is banned, for the other moderators."""

    reason: Reason = ""


class UserPage(Paged):
    """Users by name; with `more`, go on with `cursor` set to `next`."""

    users: list[UserView]


class UserBlockList(BaseModel):
    """Whom the caller blocks."""

    users: list[UserView]


class BanList(BaseModel):
    """Who is banned from a room."""

    bans: list[UserView]


class NewInvite(BaseModel):
    """An invitation to be made."""

    role: Role = Role.MEMBER
    expires_in: int = Field(
        default=7 * 24 * 3600, ge=60, le=90 * 24 * 3600, description="seconds until it ends; a week unless given"
    )
    uses: int | None = Field(
        default=None, ge=1, le=10_000, description="how many users it may bring in; any number unless given"
    )


class InviteView(BaseModel):
    """An open invitation. `used` of its `uses` are taken; `uses` is null for any number."""

    id: str
    role: Role
    creator: UserView
    created: str
    expires: str
    uses: int | None
    used: int


class InviteList(BaseModel):
    """The open invitations of a room, the oldest first."""

    invites: list[InviteView]


class InviteToken(BaseModel):
    """An invitation; anybody who has the token may use it until it expires. The token cannot be shown again."""

    id: str
    token: str
    role: Role
    expires: str
    uses: int | None


class Original(BaseModel):
    """An earlier text of a message, and until when it stood."""

    text: str
    until: str


class Originals(BaseModel):
    """The earlier texts of a message, oldest first."""

    originals: list[Original]


class Reads(BaseModel):
    """User id to the seq that the user has read up to."""

    reads: dict[str, int]


class Conversation(BaseModel):
    """A direct conversation as the caller sees it; the counts are those of a room."""

    with_: UserView = Field(alias="with")
    seq: int
    unread: int
    read: int
    mentions: int
    last: LastMessage | None


class ConversationList(BaseModel):
    """Direct conversations, the most recently active first."""

    conversations: list[Conversation]


class PresenceQuery(BaseModel):
    """The ids of users."""

    users: Annotated[list[UserId], FailFast()] = Field(max_length=1000)


class PresenceView(BaseModel):
    """A user's state; `last_seen` is null while a session is open, and for a user who never opened one."""

    state: PresenceState
    last_seen: str | None
    status: ShownStatus = None


class States(BaseModel):
    """User id to state."""

    states: dict[str, PresenceView]
