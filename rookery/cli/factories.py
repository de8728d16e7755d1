"""Makes the parts of a process from its engines: keys, the edge, worker pools, the HTTP application."""

from __future__ import annotations

import logging
import socket
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.registry import Collector
from starlette.types import ASGIApp

from chat.assembly import Engines, Live, Store
from chat.ports.authority import Authority
from chat.ports.log import Log
from chat.ports.moderation import Moderation
from chat.settings import Address, EdgeSettings, Settings, SettingsError
from chat.tokens import KeyRing
from chat.wire.records import DM_TOPIC, ROOM_TOPIC
from chat.wire.verdicts import VERDICT_TOPIC
from gateway.acceptor import bind_listener
from gateway.edge import Edge
from rookery.cli.stderr import DROPPED
from services.app import create_app
from services.common.collaborators import Services
from services.common.health import Health, Probe, make_probes
from services.common.passwords import Passwords
from services.common.settings import select_settings
from workers import moderation as moderation_pool
from workers import verdicts as verdict_pool
from workers.moderation import ModerationHandler
from workers.notices import NoticeWriter
from workers.persistence import PersistenceHandler
from workers.pool import Pool
from workers.verdicts import VerdictHandler

logger = logging.getLogger("rookery")
MESSAGE_TOPICS = (ROOM_TOPIC, DM_TOPIC)


def bind_edge(settings: EdgeSettings) -> socket.socket:
    """The listening socket of the edge. Raises `SettingsError` when the address is taken, or not of this machine."""
    address = settings.address
    try:
        return bind_listener(address.host, address.port, reuse_port=settings.reuse_port)
    except OSError as error:
        raise SettingsError(f"ws={address}: cannot listen there: {error.strerror or error}") from None


def warn_of_unreachable_edge(settings: Settings) -> None:
    """Log a warning when other machines reach the page and not the edge, which the page needs."""
    if settings.http.ws_url or settings.http.address.is_loopback or not settings.edge.address.is_loopback:
        return
    logger.warning(
        "http=%s can be reached from other machines, but ws=%s cannot: the page will not connect there. Give --ws an "
        "address such as 0.0.0.0:%d, or set ROOKERY_WS_URL to where a proxy serves the edge",
        settings.http.address,
        settings.edge.address,
        settings.edge.address.port,
    )


def set_edge_address(settings: Settings, sock: socket.socket) -> Settings:
    """The settings with the port that the edge got, which the page tells to browsers."""
    host, port = sock.getsockname()[:2]
    return msgspec.structs.replace(settings, edge=msgspec.structs.replace(settings.edge, address=Address(host, port)))


def set_drain_jitter(settings: Settings) -> Settings:
    """The settings of an edge beside others: unless said otherwise, its clients come back to those over the whole time
    of its drain, and not all at once."""
    edge = settings.edge
    if edge.drain_jitter_seconds is None:
        edge = msgspec.structs.replace(edge, drain_jitter_seconds=edge.drain_seconds)
    return msgspec.structs.replace(settings, edge=edge)


def make_edge(settings: Settings, store: Store, live: Live, log: Log, *, keys: KeyRing, authority: Authority) -> Edge:
    """The WebSocket edge."""
    return Edge(
        settings=settings.edge,
        limits=settings.limits,
        log=log,
        relay=live.relay,
        presence=live.presence,
        accounts=store.accounts,
        rooms=store.rooms,
        history=store.history,
        keys=keys,
        authority=authority,
        cases=store.cases if settings.moderation.is_on else None,
    )


def make_persistence_pool(store: Store, live: Live, log: Log, notices: NoticeWriter | None) -> Pool[Any]:
    """The pool that stores messages and publishes them; with `notices`, the notification pool is notified."""
    handler = PersistenceHandler(store.history, store.accounts, live.relay, notices=notices)
    return Pool(log, "persistence", MESSAGE_TOPICS, handler)


def make_verdict_pool(settings: Settings, store: Store, live: Live, log: Log, moderation: Moderation) -> Pool[Any]:
    """The pool that carries out what the moderation pool decided."""
    handler = VerdictHandler(
        log=log,
        history=store.history,
        rooms=store.rooms,
        cases=store.cases,
        accounts=store.accounts,
        moderation=moderation,
        relay=live.relay,
        moderators=settings.moderation.moderators,
    )
    return Pool(log, verdict_pool.GROUP, [VERDICT_TOPIC], handler)


def make_moderation_pool(store: Store, log: Log, moderation: Moderation) -> Pool[Any]:
    """The pool that checks texts."""
    return Pool(log, moderation_pool.GROUP, MESSAGE_TOPICS, ModerationHandler(moderation, store.cases, log))


def make_health(
    engines: Engines,
    store: Store,
    live: Live,
    log: Log | None = None,
    *,
    signing: KeyRing | None = None,
    probes: Mapping[str, Probe] = {},
) -> Health:
    """What `/healthz` and `/readyz` report; with `signing`, a role that issues tokens is ready when it can. `probes`
    are the role's own."""
    ports = make_probes(store.accounts, store.rooms, store.history, live.relay, live.presence, log=log, signing=signing)
    return Health({**engines.probes, **ports, **probes})


def make_app(
    settings: Settings,
    store: Store,
    live: Live,
    *,
    keys: KeyRing,
    health: Health,
    collectors: Iterable[Collector],
    rest: Collection[str] = (),
    moderation: Moderation | None = None,
    log: Log | None = None,
    push_keys: Collection[str] = (),
) -> ASGIApp:
    """The HTTP application of a process, with the REST of the services in `rest`."""
    # Else each counter has a second series, which nobody reads.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    registry.register(DROPPED)
    for collector in collectors:
        registry.register(collector)
    services = Services(
        settings=select_settings(settings),
        accounts=store.accounts,
        rooms=store.rooms,
        history=store.history,
        attention=store.attention,
        cases=store.cases,
        deletion=store.deletion,
        notifications=store.notifications,
        documents=store.documents,
        push_store=store.push,
        push_keys=tuple(push_keys),
        mailings=store.mailings,
        relay=live.relay,
        presence=live.presence,
        limits=live.limits,
        keys=keys,
        passwords=Passwords(),
        health=health,
        registry=registry,
        moderator=moderation,
        appender=log,
    )
    return create_app(services, roles=rest)
