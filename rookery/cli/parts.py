"""The parts that roles are made of, over the engines: keys, worker pools, the edge, the HTTP application."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector
from starlette.types import ASGIApp

from chat.assembly import Commons, Engines
from chat.settings import Settings
from chat.tokens import KeyRing
from chat.wire.notices import NOTIFICATION_TOPIC
from chat.wire.records import DM_TOPIC, ROOM_TOPIC
from gateway.edge import Edge
from services.app import create_app
from services.auth.passwords import Passwords
from services.common.collaborators import Services
from services.common.health import Health, probes
from workers.notification import NotificationHandler
from workers.persistence import PersistenceHandler
from workers.pool import Pool

TOPICS = (ROOM_TOPIC, DM_TOPIC)


def make_keys(settings: Settings, engines: Commons) -> KeyRing:
    """The signing keys."""
    return KeyRing(
        engines.accounts,
        issuer=settings.issuer,
        audience=settings.audience,
        rotation_seconds=settings.key_rotation_seconds,
    )


def make_edge(settings: Settings, engines: Engines, keys: KeyRing) -> Edge:
    """The WebSocket edge."""
    return Edge(
        settings=settings,
        log=engines.log,
        relay=engines.relay,
        presence=engines.presence,
        accounts=engines.accounts,
        rooms=engines.rooms,
        history=engines.history,
        keys=keys,
    )


def make_http(
    settings: Settings, engines: Commons, keys: KeyRing, collectors: Sequence[Collector], rest: Sequence[str]
) -> tuple[ASGIApp, Health]:
    """The HTTP application of a process, with the REST of the roles in `rest`, and its health."""
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    log = engines.log if isinstance(engines, Engines) else None
    health = Health(probes(engines.accounts, engines.rooms, engines.history, engines.relay, engines.presence, log=log))
    services = Services(
        settings=settings,
        accounts=engines.accounts,
        rooms=engines.rooms,
        history=engines.history,
        relay=engines.relay,
        presence=engines.presence,
        limits=engines.limits,
        keys=keys,
        passwords=Passwords(),
        health=health,
        registry=registry,
    )
    return create_app(services, roles=rest), health


def _persistence(settings: Settings, engines: Engines) -> Pool[Any]:
    notices = engines.log if settings.notifications else None
    handler = PersistenceHandler(engines.history, engines.accounts, engines.relay, notices=notices)
    return Pool(engines.log, "persistence", TOPICS, handler)


def _notification(_settings: Settings, engines: Engines) -> Pool[Any]:
    handler = NotificationHandler(engines.rooms, engines.presence, channels=())
    return Pool(engines.log, "notification", [NOTIFICATION_TOPIC], handler)


POOLS: Mapping[str, Callable[[Settings, Engines], Pool[Any]]] = {
    "persistence": _persistence,
    "notification": _notification,
}
"""The worker pools, by the names that `rookery worker` takes."""


def default_pools(settings: Settings) -> tuple[str, ...]:
    """The pools of a process that does everything."""
    return ("persistence", "notification") if settings.notifications else ("persistence",)
