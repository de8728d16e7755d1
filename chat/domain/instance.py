"""What the owners of an instance decide for everybody in it, and who counts as an owner."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from chat.domain.characters import check_marks, normalize
from chat.domain.models import InstanceRole, User
from chat.domain.registration import RegistrationMode
from chat.domain.visible import drop_invisible, has_visible, is_one_line
from chat.errors import Conflict, Forbidden, Invalid

DEFAULT_NAME = "Rookery"
INSTANCE_NAME_LENGTH = 64
MOST_DEFAULT_ROOMS = 20


class RoomMakers(StrEnum):
    """Who may make rooms: everybody, or the moderators of the instance."""

    EVERYONE = "everyone"
    MODERATORS = "moderators"


class InstanceSettings(Struct, frozen=True, kw_only=True):
    """What the owners decided. An empty `name` is the product's; without `registration`, ROOKERY_REGISTRATION counts.

    `default_rooms` are ids of public rooms, which newcomers join.
    """

    name: str = ""
    registration: RegistrationMode | None = None
    default_rooms: tuple[str, ...] = ()
    room_makers: RoomMakers = RoomMakers.EVERYONE

    @property
    def shown_name(self) -> str:
        """What the page calls the instance."""
        return self.name or DEFAULT_NAME


def check_instance_name(name: str) -> str:
    """The name as it is stored: in NFC, without outer blanks and what nobody sees. Or `Invalid`."""
    name = drop_invisible(normalize("NFC", check_marks(name, "name")))
    if len(name) > INSTANCE_NAME_LENGTH or not has_visible(name) or not is_one_line(name):
        raise Invalid(f"a name has 1 to {INSTANCE_NAME_LENGTH} visible characters, in one line", field="name")
    return name


def require_owner(user: User) -> None:
    """Raise `Forbidden` unless the user owns the instance."""
    require_owner_role(user.instance_role)


def require_owner_role(role: InstanceRole | None) -> None:
    """Raise `Forbidden` unless this is the role of one who owns the instance."""
    if role is not InstanceRole.OWNER:
        raise Forbidden("this is for the owners of the instance")


def require_room_maker(settings: InstanceSettings, *, moderates: bool) -> None:
    """Raise `Forbidden` unless the user may make rooms; `moderates`: whether they moderate the instance."""
    if settings.room_makers is RoomMakers.MODERATORS and not moderates:
        raise Forbidden("only the moderators of this instance make rooms; ask one of them")


def require_role_change(owner: User, user: str) -> None:
    """Raise unless this owner may give this user another role in the instance: `Forbidden`, `Conflict`.

    Nobody changes their own role, so that one owner is always left. Whether this one is an owner is asked again when
    the role is stored: of two who take each other's role at once, one is left.
    """
    require_owner(owner)
    if owner.id == user:
        raise Conflict("you cannot change your own role; another owner can")
