"""Roles on the wire; both `rookery.auth.v1` and `rookery.chat.v1` name them."""

from __future__ import annotations

from chat.domain.models import Role
from proto.chat.v1 import chat_pb2 as chat

_WIRE: dict[Role | None, chat.Role] = {
    None: chat.ROLE_UNSPECIFIED,
    Role.OWNER: chat.ROLE_OWNER,
    Role.MODERATOR: chat.ROLE_MODERATOR,
    Role.MEMBER: chat.ROLE_MEMBER,
    Role.READER: chat.ROLE_READER,
}
_ROLES: dict[int, Role | None] = {number: role for role, number in _WIRE.items()}


def write_role(role: Role | None) -> chat.Role:
    """None: not a member."""
    return _WIRE[role]


def read_role(number: int) -> Role | None:
    """Raises `ValueError` for a role of a later version: it must not be taken for another."""
    try:
        return _ROLES[number]
    except KeyError:
        raise ValueError(f"role {number} is not known") from None
