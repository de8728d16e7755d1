"""Where Redis is and how to log in: what `ROOKERY_REDIS_URL` says, for connections of our own and for redis-py."""

from __future__ import annotations

import ssl
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from msgspec import Struct
from msgspec.structs import replace
from redis.connection import UnixDomainSocketConnection, parse_url

from chat.settings import RedisSettings, SettingsError

_EXPECTED = (
    "give redis://[USER:PASSWORD@]HOST:PORT/DB, rediss://… for TLS, redis+sentinel://HOST:PORT,HOST:PORT/NAME/DB for "
    "the sentinels of a primary, or unix:///PATH"
)
_SENTINEL = "+sentinel://"
_SENTINEL_PORT = 26379
_USERNAME, _PASSWORD = "sentinel_username", "sentinel_password"
_PLACES = frozenset({"host", "port", "path", "connection_class"})
"""What says where a server is, among the parts of a URL; the others hold for each connection."""


class NodeAddress(NamedTuple):
    """A node. `host` is the path of a socket when `port` is 0."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


class SentinelGroup(Struct, frozen=True, kw_only=True):
    """The sentinels that know which node is the primary `name` now, and what they want as credentials."""

    name: str
    addresses: tuple[NodeAddress, ...]
    username: str | None = None
    password: str | None = None

    def __str__(self) -> str:
        return f"the sentinels of {self.name}"


class Target(Struct, frozen=True, kw_only=True):
    """A server, or the first node to ask of a cluster, with the credentials for all of its nodes.

    With `sentinels`, `address` and `url` are those of the first sentinel, and the primary is where the sentinels say.
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
    sentinels: SentinelGroup | None = None
    options: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """What errors and log lines call it."""
        return str(self.sentinels or self.address)

    def handshake_commands(self) -> list[tuple[str | int, ...]]:
        """The commands that a new connection to a node begins with; each is answered by `OK`."""
        commands = _log_in(self.username, self.password)
        if self.db:
            commands.append(("SELECT", self.db))
        commands.append(("CLIENT", "SETNAME", "rookery"))
        return commands

    def sentinel_commands(self) -> list[tuple[str | int, ...]]:
        """The same for a connection to a sentinel."""
        group = self.sentinels
        return [] if group is None else _log_in(group.username, group.password)


def _log_in(username: str | None, password: str | None) -> list[tuple[str | int, ...]]:
    return [] if password is None else [("AUTH", username or "default", password)]


def parse_target(settings: RedisSettings) -> Target:
    """Read the URL. Raises `SettingsError`, which never repeats the URL: a password may stand in it."""
    prefix = settings.prefix
    if "{" in prefix or "}" in prefix:
        raise SettingsError("ROOKERY_REDIS_PREFIX: give a text without braces, which mean something in a cluster")
    try:
        url, group = _split_sentinels(settings.url)
        parts: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]
        if group is not None:
            # redis-py hands each parameter of the URL to its connections, and these two are for the sentinels alone.
            group = replace(group, username=parts.pop(_USERNAME, None), password=parts.pop(_PASSWORD, None))
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
            sentinels=group,
            options={key: value for key, value in parts.items() if key not in _PLACES},
        )
    except (ValueError, KeyError, OSError) as error:
        raise SettingsError(f"ROOKERY_REDIS_URL cannot be used ({type(error).__name__}): {_EXPECTED}") from None


def _split_sentinels(url: str) -> tuple[str, SentinelGroup | None]:
    """The URL as redis-py reads it, of the first sentinel when the URL names a group, and that group.

    Raises `ValueError` when a host is missing, or the name of the primary.
    """
    if _SENTINEL not in url:
        return url, None
    parts = urlsplit(url)
    credentials, at, hosts = parts.netloc.rpartition("@")
    name, _, db = parts.path.lstrip("/").partition("/")
    addresses = tuple(_read_sentinel(host) for host in hosts.split(","))
    if not name or (db and not db.isdecimal()):
        raise ValueError(url)
    first = hosts.split(",")[0]
    plain = urlunsplit((parts.scheme.removesuffix("+sentinel"), credentials + at + first, f"/{db}", parts.query, ""))
    return plain, SentinelGroup(name=unquote(name), addresses=addresses)


def _read_sentinel(text: str) -> NodeAddress:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(text)
    return NodeAddress(parts.hostname, parts.port or _SENTINEL_PORT)


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
