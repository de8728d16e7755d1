"""Makes the edge of a process: where it listens, and the edge itself."""

from __future__ import annotations

import logging
import socket

import msgspec

from chat.assembly import Live, Store
from chat.ports.authority import Authority
from chat.ports.log import Log
from chat.settings import Address, EdgeSettings, Settings, SettingsError
from chat.tokens import KeyRing
from gateway.acceptor import bind_listener
from gateway.edge import Edge

logger = logging.getLogger("rookery")


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
