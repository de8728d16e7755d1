"""The deletion of accounts, with everything that their users wrote."""

from __future__ import annotations

from typing import Protocol

REMEMBERED_MS = 8 * 24 * 3600 * 1000
"""How long a deletion is remembered: longer than the log keeps records, by default."""


class AccountDeletion(Protocol):
    """Deletes accounts at once, and what their users wrote after that, in steps."""

    async def delete_account(self, user: str) -> None:
        """Delete the account, and note its user for `clear_deleted_users`; both or nothing. Raises `NotFound`.

        With the account go its password, its log-ins, its memberships and bans, the invitations that it made, and what
        it decided about notifications. Its name is free. Rooms stay, also without an owner.
        """
        ...

    async def clear_deleted_users(self) -> None:
        """Delete what the users of deleted accounts wrote; returns when nothing is left.

        Their messages keep their places, and are deleted ones without a text, an earlier text, a pin or the author's
        name. Their reactions and read marks go. It may be cancelled and repeated. A user is remembered for
        `REMEMBERED_MS`, so that a later call also deletes a message that was on its way when the account was deleted.
        """
        ...
