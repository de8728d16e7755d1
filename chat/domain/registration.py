"""Who may make an account on this instance."""

from __future__ import annotations

from enum import StrEnum

from chat.errors import Forbidden


class RegistrationMode(StrEnum):
    """Open to everybody, to users with an invitation to a room, or to nobody but the operator."""

    OPEN = "open"
    INVITATION = "invitation"
    CLOSED = "closed"


def require_registration(mode: RegistrationMode, *, invited: bool) -> None:
    """Raise `Forbidden` unless an account may be made; `invited`: with an invitation that is open."""
    if mode is RegistrationMode.CLOSED:
        raise Forbidden("registration is closed here; ask the operator for an account")
    if mode is RegistrationMode.INVITATION and not invited:
        raise Forbidden("an account needs an invitation to a room here; ask somebody for one", field="invite")
