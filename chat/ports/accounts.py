"""Accounts: users, their credentials, refresh-token families, signing keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct

from chat.domain.models import InstanceRole, User, UserStatus
from chat.domain.privacy import AddedBy
from chat.domain.token_families import Rotation

EMAIL_TAKEN = "the e-mail address has an account already; log in, or give another"


class RefreshGrant(Struct, frozen=True):
    """A refresh token as stored: only its SHA-256 digest is. Times in milliseconds since the epoch.

    `begun` is when the user logged in, and `agent` the program that did it; its successors have both from it.
    """

    digest: bytes
    family: str
    user: str
    expires: int
    begun: int = 0
    agent: str = ""


class OpenLogIn(Struct, frozen=True):
    """A log-in that has not ended: when it began and was renewed last (milliseconds), and by which program."""

    family: str
    begun: int
    used: int
    agent: str


class SigningKey(Struct, frozen=True):
    """A key pair for tokens. `private` is PKCS#8 PEM. It signs from `created` on and verifies until `expires`."""

    kid: str
    private: bytes
    created: int
    expires: int


class Accounts(Protocol):
    """All writes are durable when they return."""

    async def create_user(
        self, user: User, password_hash: str | None, *, role_of_first: InstanceRole | None = None
    ) -> User:
        """Add a user; the user as stored. With `role_of_first`, a user who comes to a store without any account gets
        this role, once in the life of the store: of several who come at once, one gets it.

        Raises `Conflict`, with the `field`, when the name is taken, or the id, or when both this e-mail address and
        that of another account are verified. Names and addresses are compared without case."""
        ...

    async def get_user(self, user: str) -> User | None: ...

    async def get_users(self, users: Collection[str]) -> dict[str, User]: ...

    async def find_by_name(self, name: str) -> User | None:
        """Without case."""
        ...

    async def ids_by_names(self, names: Collection[str]) -> dict[str, str]:
        """Lower-case name → id, for those that exist; names are given in lower case."""
        ...

    async def search_users(
        self, prefix: str, limit: int, *, after: str = "", blocked_only: bool = False
    ) -> Sequence[User]:
        """Users whose name or display name starts so (without case, and display names without accents), by name, those
        after the given name; all of them, or only those who are blocked."""
        ...

    async def set_display_name(self, user: str, display_name: str) -> User:
        """Give the user another display name, or none (empty); the user as they are now. Raises `NotFound`."""
        ...

    async def set_status(self, user: str, status: UserStatus | None) -> User:
        """Give the user another status, or none; the user as they are now. Raises `NotFound`."""
        ...

    async def find_displayed(self, room: str, names: Collection[str]) -> dict[str, str]:
        """Display name → id, for those that exactly one member of the room has; names are given as
        `fold_display_name` has them."""
        ...

    async def get_password_hash(self, user: str) -> str | None: ...

    async def set_password_hash(self, user: str, password_hash: str) -> None:
        """Raises `NotFound`."""
        ...

    async def find_by_email(self, email: str) -> User | None:
        """The user whose verified address this is, without case."""
        ...

    async def set_email(self, user: str, email: str | None) -> None:
        """Give the user an address, which is not verified. A verified one stays until this one is verified; without an
        address, all are removed. Raises `NotFound`."""
        ...

    async def verify_email(self, user: str, email: str) -> str | None:
        """The user showed that this address is theirs: it is kept from others from now on. The verified address that it
        takes the place of, if it is another one.

        Raises `NotFound` when the user, or this address of theirs, is not there any more; `Conflict` when it is the
        verified address of another account.
        """
        ...

    async def set_blocked(self, user: str, blocked: bool) -> None:
        """Mark the account as blocked or not; with the mark, the user's invitations to rooms end. Raises `NotFound`."""
        ...

    async def set_instance_role(self, user: str, role: InstanceRole | None, *, by: str | None = None) -> None:
        """Make the user an owner or a moderator of the instance, or neither. With `by`, only while that user is an
        owner of it. Raises `NotFound`, `Forbidden`."""
        ...

    async def list_role_holders(self, limit: int) -> Sequence[User]:
        """The owners and the moderators of the instance, in no order; at most `limit`."""
        ...

    async def get_added_by(self, user: str) -> AddedBy | None:
        """Who may add the user to rooms; None for a user who has not decided, and for one that does not exist."""
        ...

    async def set_added_by(self, user: str, choice: AddedBy | None) -> None:
        """Raises `NotFound`."""
        ...

    async def add_user_block(self, user: str, other: str, now: int) -> None:
        """Let `user` block `other`; again, it changes nothing. Raises `NotFound`, `Invalid` (oneself), `Conflict` (too
        many)."""
        ...

    async def remove_user_block(self, user: str, other: str) -> bool:
        """Whether there was such a block."""
        ...

    async def list_user_blocks(self, user: str) -> Sequence[str]:
        """Whom the user blocks, the first blocked first."""
        ...

    async def find_blockers(self, other: str, users: Collection[str]) -> set[str]:
        """Those of these users who block `other`."""
        ...

    async def find_blocks(self, pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of these (user, other) of whom the user blocks the other."""
        ...

    async def add_grant(self, grant: RefreshGrant) -> None: ...

    async def rotate_grant(
        self, digest: bytes, successor: bytes, expires: int, now: int
    ) -> tuple[Rotation, RefreshGrant | None]:
        """Replace a token by its successor, atomically, as `chat.domain.token_families` decides.

        The grant is the new one when ROTATED, the presented one when REUSED (its whole family has ended), else None.
        """
        ...

    async def end_family(self, digest: bytes) -> RefreshGrant | None:
        """Forget the token and its family, and note that it ended; what it was, if known."""
        ...

    async def end_families(self, user: str, *, keep: str | None = None) -> Sequence[str]:
        """Forget all refresh tokens of the user, but for those of the family `keep`, and note that their families
        ended; the families."""
        ...

    async def end_log_in(self, user: str, family: str) -> bool:
        """End one of the user's families. Whether there was such a family."""
        ...

    async def list_log_ins(self, user: str, now: int, limit: int) -> Sequence[OpenLogIn]:
        """The user's log-ins that have not expired; the most recently used first."""
        ...

    async def list_ended_families(self, since: int, limit: int) -> Sequence[str]:
        """The families that were ended at `since` or later, oldest first; of more than `limit`, the newest. They are
        kept for a day, and no access token lives longer."""
        ...

    async def signing_keys(self) -> Sequence[SigningKey]:
        """All keys that are kept, oldest first."""
        ...

    async def add_signing_key(self, key: SigningKey, *, keep_from: int) -> None:
        """Add a key, unless there is one of its `kid`, and drop those that expired before `keep_from`."""
        ...
