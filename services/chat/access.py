"""Who may reach a room or another user: the checks that several routes share. The rights are `chat.domain.rights`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from chat.domain.conversations import room_key
from chat.domain.display_names import name_senders
from chat.domain.ids import from_rfc3339, rfc3339
from chat.domain.models import Message, Role, Room, User
from chat.domain.rights import Right, require_right, require_visible
from chat.domain.sight import read_by_sight
from chat.errors import Forbidden, NotFound
from chat.ports.history import Summary
from chat.ports.rooms import RoomFacts
from services.chat.models import LastMessage, PublicRoomView, RoomDetails, RoomView, UserView, view_user
from services.common.collaborators import Services

LAST_LENGTH = 120
"""Of how many characters the newest message shows in a list, as in the event `activity`."""


async def find_room(services: Services, room: str) -> Room:
    """The room, or `NotFound`."""
    found = await services.rooms.get_room(room)
    if found is None:
        raise NotFound("there is no such room")
    return found


async def find_user(services: Services, user: str) -> User:
    """The user, or `NotFound`."""
    found = await services.accounts.get_user(user)
    if found is None:
        raise NotFound("there is no such user")
    return found


async def admit_member(services: Services, room: str, user: User, action: Right) -> Role:
    """The caller's role in the room. Raises `NotFound`, and `Forbidden` unless the role has the right."""
    role = await services.rooms.get_role(room, user.id)
    if role is None:
        await find_room(services, room)
        raise Forbidden("you are not a member of this room")
    require_right(role, action)
    return role


async def find_visible_room(services: Services, room: str, user: User) -> tuple[Room, Role | None]:
    """A room that the caller is in, or that is public. Raises `NotFound`, `Forbidden`."""
    found = await find_room(services, room)
    role = await services.rooms.get_role(room, user.id)
    require_visible(found, role)
    return found, role


def parse_time(text: str | None, field: str) -> int | None:
    """A time of a query, in milliseconds since the epoch. Raises `Invalid`."""
    if not text:
        return None
    # A `+` of a time zone that was not encoded arrives as a space.
    return int(text) if text.isdecimal() and len(text) < 16 else from_rfc3339(text.replace(" ", "+"), field)


async def list_readable(services: Services, user: User) -> list[str]:
    """The conversations that the user may read now: of their rooms, and their direct ones."""
    rooms = [room_key(found.id) for found, _ in await services.rooms.rooms_of_user(user.id)]
    return [*rooms, *await services.history.list_dms(user.id)]


async def show_senders(services: Services, messages: Sequence[Message]) -> list[Message]:
    """The messages with the display names that their senders have now."""
    return name_senders(messages, await services.accounts.get_users({message.sender for message in messages}))


async def view_room(services: Services, room: Room, role: Role | None, user: User) -> RoomView:
    """The room as this user sees it."""
    return (await view_rooms(services, [(room, role)], user))[0]


async def view_public_rooms(
    services: Services, rooms: list[tuple[Room, Role | None]], user: User
) -> list[PublicRoomView]:
    """Public rooms as this user sees them in a list."""
    looks = Counter(read_by_sight(room.name) for room, _ in rooms)
    details = await view_details(services, rooms, user)
    return [PublicRoomView(**one.model_dump(), alike=looks[read_by_sight(one.name)] > 1) for one in details]


async def view_details(services: Services, rooms: list[tuple[Room, Role | None]], user: User) -> list[RoomDetails]:
    """Rooms as this user sees them, with their owners, their numbers of members, and when they were made."""
    facts = await services.rooms.describe_rooms([room.id for room, _ in rooms])
    owners = await services.accounts.get_users({about.owner.user for about in facts.values() if about.owner})
    found = []
    for (room, _), view in zip(rooms, await view_rooms(services, rooms, user), strict=True):
        about = facts.get(room.id, RoomFacts(None, 0))  # it may have been deleted meanwhile
        owner = view_user(owners[about.owner.user]) if about.owner and about.owner.user in owners else None
        found.append(
            RoomDetails(**view.model_dump(), owner=owner, members=about.members, created=rfc3339(room.created))
        )
    return found


async def summarize_with_last(
    services: Services, user: User, keys: Sequence[str]
) -> tuple[dict[str, Summary], dict[str, LastMessage]]:
    """What each conversation has for the user, and its newest message: three questions for all of them."""
    summaries = await services.history.summarize_conversations(user.id, keys)
    newest = [(key, summary.newest) for key, summary in summaries.items() if summary.newest]
    messages = list((await services.history.find_messages(newest)).values()) if newest else []
    last = {message.conversation: view_last(message) for message in await show_senders(services, messages)}
    return summaries, last


def view_last(message: Message) -> LastMessage:
    """A message as a list of conversations shows it."""
    sender = UserView(id=message.sender, name=message.sender_name, display_name=message.display_name or None)
    text = None if message.text is None else message.text[:LAST_LENGTH]
    return LastMessage(sender=sender, text=text, ts=rfc3339(message.ts))


async def view_rooms(services: Services, rooms: list[tuple[Room, Role | None]], user: User) -> list[RoomView]:
    """Rooms as this user sees them."""
    keys = [room_key(room.id) for room, role in rooms if role is not None]
    summaries, last = await summarize_with_last(services, user, keys)
    found = []
    for room, role in rooms:
        key = room_key(room.id)
        summary = summaries.get(key, Summary(0, 0, 0)) if role is not None else Summary(0, 0, 0)
        found.append(
            RoomView(
                id=room.id,
                name=room.name,
                visibility=room.visibility,
                default_role=room.default_role,
                topic=room.topic,
                description=room.description,
                role=role,
                seq=summary.newest,
                unread=summary.unread,
                read=summary.read,
                mentions=summary.mentions,
                last=last.get(key),
            )
        )
    return found
