"""The parts that roles are made of, over the engines: keys, worker pools, the edge, the HTTP application."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector
from starlette.types import ASGIApp

from chat.assembly import Commons, Engines
from chat.ports.authority import Authority
from chat.ports.moderation import Moderation
from chat.settings import Settings
from chat.tokens import KeyRing
from chat.wire.notices import NOTIFICATION_TOPIC
from chat.wire.records import DM_TOPIC, ROOM_TOPIC
from chat.wire.verdicts import VERDICT_TOPIC
from gateway.edge import Edge
from services.app import create_app
from services.auth.passwords import Passwords
from services.common.collaborators import Services
from services.common.health import Health, probes
from workers import moderation as moderation_pool
from workers import verdicts as verdict_pool
from workers.moderation import ModerationHandler
from workers.notification import NotificationHandler
from workers.persistence import PersistenceHandler
from workers.pool import Pool
from workers.verdicts import VerdictHandler

TOPICS = (ROOM_TOPIC, DM_TOPIC)
Pools = dict[str, Pool[Any]]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What parts are made from. `moderation` is there in the roles that need it."""

    settings: Settings
    engines: Commons
    keys: KeyRing
    authority: Authority
    moderation: Moderation | None = None

    @property
    def whole(self) -> Engines:
        """The engines with the log, in the roles that have one."""
        if not isinstance(self.engines, Engines):
            raise TypeError("this role was opened without a log")
        return self.engines

    @property
    def judge(self) -> Moderation:
        """The moderation service, in the roles that need it."""
        if self.moderation is None:
            raise TypeError("this role was opened without moderation")
        return self.moderation


def make_keys(settings: Settings, engines: Commons) -> KeyRing:
    """The signing keys."""
    return KeyRing(
        engines.accounts,
        issuer=settings.tokens.issuer,
        audience=settings.tokens.audience,
        rotation_seconds=settings.tokens.key_rotation_seconds,
    )


def make_edge(parts: Parts) -> Edge:
    """The WebSocket edge."""
    engines = parts.whole
    return Edge(
        settings=parts.settings.edge,
        limits=parts.settings.limits,
        log=engines.log,
        relay=engines.relay,
        presence=engines.presence,
        accounts=engines.accounts,
        rooms=engines.rooms,
        history=engines.history,
        keys=parts.keys,
        authority=parts.authority,
        cases=engines.cases if parts.settings.moderation.is_on else None,
    )


def make_http(parts: Parts, collectors: Sequence[Collector], rest: Sequence[str]) -> tuple[ASGIApp, Health]:
    """The HTTP application of a process, with the REST of the roles in `rest`, and its health."""
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    engines = parts.engines
    log = engines.log if isinstance(engines, Engines) else None
    health = Health(probes(engines.accounts, engines.rooms, engines.history, engines.relay, engines.presence, log=log))
    services = Services(
        settings=parts.settings,
        accounts=engines.accounts,
        rooms=engines.rooms,
        history=engines.history,
        cases=engines.cases,
        relay=engines.relay,
        presence=engines.presence,
        limits=engines.limits,
        keys=parts.keys,
        passwords=Passwords(),
        health=health,
        registry=registry,
        moderator=parts.moderation,
        appender=log,
    )
    return create_app(services, roles=rest), health


def _persistence(parts: Parts) -> Pools:
    engines = parts.whole
    notices = engines.log if parts.settings.notifications else None
    handler = PersistenceHandler(engines.history, engines.accounts, engines.relay, notices=notices)
    pools: Pools = {"persistence": Pool(engines.log, "persistence", TOPICS, handler)}
    if parts.settings.moderation.is_on:
        verdicts = VerdictHandler(
            log=engines.log,
            history=engines.history,
            rooms=engines.rooms,
            cases=engines.cases,
            moderation=parts.judge,
            relay=engines.relay,
        )
        pools["verdicts"] = Pool(engines.log, verdict_pool.GROUP, [VERDICT_TOPIC], verdicts)
    return pools


def _moderation(parts: Parts) -> Pools:
    engines = parts.whole
    handler = ModerationHandler(parts.judge, engines.cases, engines.log)
    return {"moderation": Pool(engines.log, moderation_pool.GROUP, TOPICS, handler)}


def _notification(parts: Parts) -> Pools:
    engines = parts.whole
    handler = NotificationHandler(engines.rooms, engines.presence, channels=())
    return {"notification": Pool(engines.log, "notification", [NOTIFICATION_TOPIC], handler)}


POOLS: Mapping[str, Callable[[Parts], Pools]] = {
    "persistence": _persistence,
    "moderation": _moderation,
    "notification": _notification,
}
"""The worker pools, by the names that `rookery worker` takes."""


def default_pools(settings: Settings) -> tuple[str, ...]:
    """The pools of a process that does everything."""
    wanted = {"persistence": True, "moderation": settings.moderation.is_on, "notification": settings.notifications}
    return tuple(name for name, runs in wanted.items() if runs)
