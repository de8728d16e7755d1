"""What is kept for mail: tokens that mails carry, mails that wait to be sent, what came back, and a secret to sign by.

The addresses themselves are those of accounts: see `chat.ports.accounts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from chat.domain.mailing import Bounces, MailFailure, MailToken, TokenPurpose

TOKENS_OF_USER = 5
"""How many tokens of one purpose a user has; the oldest goes."""


class PendingMail(Struct, frozen=True, kw_only=True):
    """A mail about an account that waits to be made and sent. Times in milliseconds since the epoch.

    `payload` is an encoded `AccountMail`. It is claimable from `due` on, and dropped at `expires`. `attempts` is how
    often it was claimed. `user` may be empty, where it is not known yet whom it is for.
    """

    id: str
    user: str
    payload: bytes
    due: int
    expires: int
    attempts: int = 0


class Mailings(Protocol):
    """All writes are durable when they return. Any number of processes may use it side by side."""

    async def add_token(self, token: MailToken, now: int) -> None:
        """Keep a token, and drop those that expired, and the oldest of more than `TOKENS_OF_USER`."""
        ...

    async def use_token(self, digest: bytes, purpose: TokenPurpose, now: int) -> MailToken | None:
        """Take the token out: of any number of calls at once, one gets it. None when it is unknown, used or expired, or
        has another purpose."""
        ...

    async def end_tokens(self, user: str, purpose: TokenPurpose) -> None:
        """Drop the user's tokens of this purpose."""
        ...

    async def add_pending(self, mails: Sequence[PendingMail]) -> None:
        """Keep these mails to be sent. One whose id is known changes nothing; ids are known until the mail expires."""
        ...

    async def claim_pending(self, now: int, lease_ms: int, limit: int) -> Sequence[PendingMail]:
        """Mails that are due, the longest due first. Nobody else gets them for `lease_ms`."""
        ...

    async def finish_pending(self, mail: str) -> None:
        """It was sent, or never will be."""
        ...

    async def postpone_pending(self, mail: str, due: int) -> None:
        """Try it again at `due`."""
        ...

    async def add_bounce(self, address: str, mail: str, failure: MailFailure, reason: str, now: int) -> Bounces:
        """Note that a mail came back, as `chat.domain.mailing.add_bounce` decides; what there is now."""
        ...

    async def get_bounces(self, address: str) -> Bounces:
        """What came back from this address. Addresses are compared without case."""
        ...

    async def forget_bounces(self, address: str) -> None:
        """The address takes mail again."""
        ...

    async def get_secret(self) -> bytes:
        """The secret of this installation that links and return paths are signed by: 32 bytes, the same for ever."""
        ...
