"""Browsers that push goes to, and the pushes that wait for them or are shown on them.

A push is queued for each subscription of its user, at most one for each conversation: a newer one takes the place of
the older, on the way as on the screen (`chat.domain.push_queue`). It stays noted after it was delivered, so that it can
be closed on the device.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct

from chat.domain.push import PushSubscription
from chat.domain.push_queue import PushContent, PushPlace

KEPT_MS = 2 * 24 * 3600 * 1000
"""How long a push is remembered: longer than a push service keeps it for a browser that is not there."""


class ClaimedPush(Struct, frozen=True, kw_only=True):
    """A push that a sender has claimed: to where, in which conversation, and what."""

    subscription: PushSubscription
    conversation: str
    place: PushPlace


class PushStore(Protocol):
    """The subscriptions and their pushes. Writes are durable when they return; every call may raise `Unavailable`.

    A subscription whose log-in has ended, or whose account was deleted, is in no answer and gets no push. Any number of
    senders share the queue.
    """

    async def add_subscription(self, subscription: PushSubscription) -> None:
        """Add it, in the place of another one with this endpoint: a browser has one user at a time.

        Of more than `SUBSCRIPTIONS_PER_USER` of a user, the oldest go.
        """
        ...

    async def list_subscriptions(self, user: str) -> Sequence[PushSubscription]:
        """Those of a user, the newest first."""
        ...

    async def remove_subscription(self, user: str, endpoint: str) -> bool:
        """Remove it, with what waits for it; whether the user had it."""
        ...

    async def find_subscribed(self, users: Collection[str]) -> set[str]:
        """Those of the users who have a subscription."""
        ...

    async def queue_pushes(self, pushes: Sequence[PushContent]) -> int:
        """Queue each for every subscription of its user, as `queue_content` decides; how many wait more than before."""
        ...

    async def claim_pushes(self, service: str, now: int, until: int, limit: int) -> Sequence[ClaimedPush]:
        """At most `limit` pushes of a push service that are due at `now`, the longest due first.

        Nobody else gets them before `until`, unless their end was noted.
        """
        ...

    async def note_delivered(self, push: ClaimedPush) -> None:
        """The push service took it."""
        ...

    async def note_later(self, push: ClaimedPush, due: int, *, device: bool) -> None:
        """It could not be delivered, and is due again then; with `device`, so is all that waits for the device."""
        ...

    async def drop_push(self, push: ClaimedPush) -> None:
        """It is given up."""
        ...

    async def drop_subscription(self, push: ClaimedPush) -> None:
        """The browser is gone: remove its subscription, with all that waits for it, unless it was made anew."""
        ...

    async def find_next_due(self, service: str) -> int | None:
        """When the next push of a service is due, in milliseconds; None when none waits."""
        ...

    async def clear_pushes(self, now: int) -> None:
        """Forget pushes older than `KEPT_MS`, and subscriptions whose log-in has ended."""
        ...
