"""Where Redis is and how to log in: what a `redis://` URL says, for connections of our own and for redis-py."""

from __future__ import annotations

import ssl
from typing import Any, NamedTuple

from msgspec import Struct
from redis.connection import UnixDomainSocketConnection, parse_url

from chat.settings import RedisSettings, SettingsError

_EXPECTED = "give redis://[USER:PASSWORD@]HOST:PORT/DB, rediss://… for TLS, or unix:///PATH"


class NodeAddress(NamedTuple):
    """A node. `host` is the path of a socket when `port` is 0."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


class Target(Struct, frozen=True, kw_only=True):
    """A server, or the first node to ask of a cluster, with the credentials for all of its nodes.

    `prefix` begins the names of all keys and channels, so that several installations can share a server. A call waits
    `timeout_s` seconds for Redis, and so does an attempt to connect.
    """

    url: str
    address: NodeAddress
    prefix: str
    timeout_s: float
    username: str | None = None
    password: str | None = None
    db: int = 0
    tls: ssl.SSLContext | None = None

    def handshake_commands(self) -> list[tuple[str | int, ...]]:
        """The commands that a new connection begins with; each is answered by `OK`."""
        commands: list[tuple[str | int, ...]] = []
        if self.password is not None:
            commands.append(("AUTH", self.username or "default", self.password))
        if self.db:
            commands.append(("SELECT", self.db))
        commands.append(("CLIENT", "SETNAME", "rookery"))
        return commands


def parse_target(settings: RedisSettings) -> Target:
    """Read the URL. Raises `SettingsError`, which never repeats the URL: a password may stand in it."""
    url, prefix = settings.url, settings.prefix
    if "{" in prefix or "}" in prefix:
        raise SettingsError("ROOKERY_REDIS_PREFIX: give a text without braces, which mean something in a cluster")
    try:
        parts: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]
        if parts.get("connection_class") is UnixDomainSocketConnection:
            address = NodeAddress(parts["path"], 0)
        else:
            address = NodeAddress(parts.get("host", "localhost"), parts.get("port", 6379))
        return Target(
            url=url,
            address=address,
            prefix=prefix,
            timeout_s=settings.timeout_seconds,
            username=parts.get("username"),
            password=parts.get("password"),
            db=int(parts.get("db", 0)),
            tls=_make_tls_context(parts) if url.startswith("rediss://") else None,
        )
    except (ValueError, KeyError, OSError) as error:
        raise SettingsError(f"ROOKERY_REDIS_URL cannot be used ({type(error).__name__}): {_EXPECTED}") from None


def _make_tls_context(parts: dict[str, Any]) -> ssl.SSLContext:
    """By the same parameters of the URL that redis-py reads."""
    context = ssl.create_default_context(cafile=parts.get("ssl_ca_certs"), capath=parts.get("ssl_ca_path"))
    if "ssl_certfile" in parts:
        context.load_cert_chain(parts["ssl_certfile"], parts.get("ssl_keyfile"), parts.get("ssl_password"))
    requirement = parts.get("ssl_cert_reqs", "required")
    context.check_hostname = requirement == "required" and bool(parts.get("ssl_check_hostname", True))
    if requirement in ("none", "optional"):
        context.verify_mode = ssl.CERT_NONE if requirement == "none" else ssl.CERT_OPTIONAL
    return context
