"""Makes what every process has from its engines: its health, and the HTTP application."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.registry import Collector
from starlette.types import ASGIApp

from chat.assembly import Engines, Live, Store
from chat.ports.log import Log
from chat.ports.moderation import Moderation
from chat.settings import Settings
from chat.tokens import KeyRing
from rookery.cli.stderr import DROPPED
from services.app import create_app
from services.common.collaborators import Services
from services.common.health import Health, Probe, make_probes
from services.common.passwords import Passwords
from services.common.settings import select_settings


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
        logos=store.logos,
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
