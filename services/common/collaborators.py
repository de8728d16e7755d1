"""The ports and settings that every route works with. The application gets them through its constructor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from chat.case_announcements import CaseAnnouncer
from chat.domain.ids import now_ms
from chat.ports.account_deletion import AccountDeletion
from chat.ports.accounts import Accounts
from chat.ports.attention import Attention
from chat.ports.cases import Cases
from chat.ports.documents import Documents
from chat.ports.history import History
from chat.ports.limits import RateLimiter
from chat.ports.log import Log
from chat.ports.logos import LogoStore
from chat.ports.mailings import Mailings
from chat.ports.moderation import Moderation
from chat.ports.notifications import NotificationStore
from chat.ports.presence import Presence
from chat.ports.push import PushStore
from chat.ports.relay import Relay
from chat.ports.rooms import Rooms
from chat.tokens import KeyRing
from services.common.health import Health
from services.common.passwords import Passwords
from services.common.settings import ServiceSettings


@dataclass(frozen=True, kw_only=True)
class Services:
    """The ports and the settings of the services. `clock` gives milliseconds since the epoch. `push_keys` are public,
    the present one first; without one there is no push."""

    settings: ServiceSettings
    accounts: Accounts
    rooms: Rooms
    history: History
    attention: Attention
    relay: Relay
    presence: Presence
    limits: RateLimiter
    cases: Cases
    deletion: AccountDeletion
    notifications: NotificationStore
    documents: Documents
    logos: LogoStore
    mailings: Mailings
    keys: KeyRing
    passwords: Passwords
    health: Health
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    clock: Callable[[], int] = now_ms
    push_keys: tuple[str, ...] = ()
    push_store: PushStore | None = None
    moderator: Moderation | None = None
    appender: Log | None = None

    @property
    def moderation(self) -> Moderation:
        """The moderation service, in the roles that serve its REST."""
        if self.moderator is None:
            raise RuntimeError("this role serves no moderation")
        return self.moderator

    @property
    def case_announcer(self) -> CaseAnnouncer:
        """Tells the moderators of the instance of changed cases."""
        return CaseAnnouncer(self.accounts, self.relay, self.settings.moderation.moderators)

    @property
    def push(self) -> PushStore:
        """The subscriptions to push, in the roles that serve them."""
        if self.push_store is None:
            raise RuntimeError("this role serves no push")
        return self.push_store

    @property
    def log(self) -> Log:
        """The log, in the roles that append to it: for the REST of accounts, and of moderation."""
        if self.appender is None:
            raise RuntimeError("this role does not append to the log")
        return self.appender


async def services_of(request: Request) -> Services:
    """The collaborators of the application that serves this request."""
    return cast("Services", request.app.state.services)


With = Annotated[Services, Depends(services_of)]
