"""The settings that the services work with, out of all those of a process."""

from __future__ import annotations

from msgspec import Struct

from chat.settings import (
    AccountSettings,
    Address,
    HttpSettings,
    LimitSettings,
    ModerationSettings,
    Settings,
    TokenSettings,
)


class ServiceSettings(Struct, frozen=True, kw_only=True):
    """`edge` is where the edge is bound, which the page and `/api/config` tell to clients.

    Pages of the `origins` may call REST and connect to the edge.
    """

    http: HttpSettings
    edge: Address
    origins: tuple[str, ...]
    tokens: TokenSettings
    accounts: AccountSettings
    moderation: ModerationSettings
    limits: LimitSettings
    push_services: tuple[str, ...] = ()


def select_settings(settings: Settings) -> ServiceSettings:
    """The part of the settings that the services are given; passwords of engines are not in it."""
    return ServiceSettings(
        http=settings.http,
        edge=settings.edge.address,
        origins=settings.edge.origins,
        tokens=settings.tokens,
        accounts=settings.accounts,
        moderation=settings.moderation,
        limits=settings.limits,
        push_services=settings.push.services,
    )
