"""Rooms: their names, members, bans and invitations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct

from chat.domain.cursors import RoomPlace
from chat.domain.invitations import Invite
from chat.domain.models import Member, Role, Room, Visibility
from chat.domain.privacy import AddedBy


class RoomEntry(Struct, frozen=True):
    """A user came into a room by their own act: the role `before`, None for a user who was no member, and the role
    now."""

    room: str
    before: Role | None
    role: Role


class RoomFacts(Struct, frozen=True):
    """By what a stranger tells rooms of one name apart: the owner who came first, and how many members there are."""

    owner: Member | None
    members: int


class RoomUpdate(Struct, frozen=True, kw_only=True):
    """What is to change of a room; None leaves as it is."""

    name: str | None = None
    visibility: Visibility | None = None
    default_role: Role | None = None
    topic: str | None = None
    description: str | None = None


class Rooms(Protocol):
    """All writes are durable when they return.

    `chat.domain.membership` and `chat.domain.invitations` decide about members, in the transaction that changes them;
    with a member's role go the invitations that the member may not give any more.
    """

    async def create_room(self, room: Room, owner: str) -> None:
        """Add a room with its first member. Raises `NotFound` (no such user), `Conflict` (the id is taken)."""
        ...

    async def get_room(self, room: str) -> Room | None: ...

    async def update_room(self, room: str, update: RoomUpdate) -> Room:
        """Change what is not None. Raises `NotFound`."""
        ...

    async def delete_room(self, room: str) -> None:
        """Remove the room, its members, bans, invitations and history, and what was decided about its notifications.
        Raises `NotFound`."""
        ...

    async def rooms_of_user(self, user: str) -> Sequence[tuple[Room, Role]]:
        """The rooms that a user is in, by name."""
        ...

    async def list_public_rooms(self, prefix: str, limit: int, *, after: RoomPlace | None = None) -> Sequence[Room]:
        """Public rooms whose name starts so (without case), by name and id, those after the given one."""
        ...

    async def list_rooms(self, after: str, limit: int) -> Sequence[Room]:
        """All rooms, by id, those after the given one; for administrators."""
        ...

    async def describe_rooms(self, rooms: Collection[str]) -> dict[str, RoomFacts]:
        """Of each room that exists, who owns it and how many are in it."""
        ...

    async def get_role(self, room: str, user: str) -> Role | None:
        """The user's role; None for one who is not a member, and for a room that does not exist."""
        ...

    async def get_roles(self, places: Sequence[tuple[str, str]]) -> Sequence[Role | None]:
        """As `get_role`, for each of these (room, user), in their order, with one question."""
        ...

    async def list_members(self, room: str, after: str, limit: int, *, prefix: str = "") -> Sequence[Member]:
        """Members by name (without case), those after the given name; with `prefix`, only those whose name or display
        name starts so."""
        ...

    async def find_members(self, places: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of these (room, user) of which the user is a member of the room."""
        ...

    async def list_member_ids(self, room: str) -> Sequence[str]: ...

    async def find_small_rooms(self, rooms: Collection[str], limit: int) -> dict[str, Sequence[str]]:
        """The members' ids of each of these rooms that has at most `limit` members and one at least, with one question.
        It may be that a small room is missing, when another has grown large."""
        ...

    async def set_member(
        self,
        room: str,
        user: str,
        role: Role,
        *,
        now: int,
        new_only: bool = False,
        by: str | None = None,
        undecided: AddedBy = AddedBy.EVERYONE,
    ) -> Role | None:
        """Make the user a member of this role; the role before. With `new_only`, a present member keeps the role.

        `by` is who does it to another: their rank is compared in the same transaction, and a user who left by
        themselves, or does not let `by` add them, is not added; None compares nothing. `undecided` is the choice of
        users who have not decided who may add them. Raises `NotFound` (no such room or user), `Forbidden` (the rank of
        `by`, the user left or does not consent), `Banned`, `LastOwner`.
        """
        ...

    async def join_room(self, room: str, user: str, *, now: int) -> RoomEntry:
        """Make the user a member of a public room, with the room's default role; a member keeps the present role.

        Raises `NotFound` (no such room or user), `Forbidden` (the room is private), `Banned`.
        """
        ...

    async def give_owner(self, room: str, user: str, *, now: int) -> Role | None:
        """Make the user the owner of an orphaned room; the role before. Raises `NotFound` (no such room or user),
        `Conflict` (the room has an owner who can log in), `Banned`."""
        ...

    async def remove_member(self, room: str, user: str, *, by: str | None = None) -> Role | None:
        """The role before; None when the user was not a member. Without `by` the user leaves by themselves. Raises
        `Forbidden`, `LastOwner`."""
        ...

    async def ban_user(self, room: str, user: str, by: str, reason: str, now: int) -> Role | None:
        """Ban and remove; the role before. Raises `NotFound` (room or user), `Forbidden` (the rank of `by`),
        `LastOwner`."""
        ...

    async def unban_user(self, room: str, user: str) -> bool:
        """Whether there was a ban."""
        ...

    async def list_bans(self, room: str) -> Sequence[str]: ...

    async def add_invite(self, invite: Invite) -> None:
        """Raises `NotFound` (no such room), `TooManyInvitations`."""
        ...

    async def is_invite_usable(self, digest: bytes, now: int) -> bool:
        """Whether somebody could come in by this invitation."""
        ...

    async def accept_invite(self, digest: bytes, user: str, *, now: int) -> RoomEntry:
        """Make the user a member by an invitation, and count its use; a member keeps the present role and uses nothing.

        Raises `NotFound` (the invitation is unknown or has ended; no such user), `Banned`.
        """
        ...

    async def list_invites(self, room: str, now: int) -> Sequence[Invite]:
        """The invitations of a room that are open, the oldest first."""
        ...

    async def revoke_invite(self, room: str, invite: str, user: str) -> None:
        """End the invitation with this id, by this user. Raises `NotFound`, `Forbidden`."""
        ...

    async def add_members(self, room: str, users: Collection[str], role: Role, now: int) -> None:
        """Many at once, for seeding; those who are members keep their role. Raises as `set_member` does, and then adds
        nobody."""
        ...
