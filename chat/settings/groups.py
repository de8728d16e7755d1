"""Every setting, its default, its bounds, its variable, and its line in `docs/operations.md`, in one place.

A part of the system is handed its own group and nothing else. Times are in seconds and sizes in bytes, unless a name
says otherwise.

The variable of a field is `ROOKERY_`, the prefix of its group, and its name, in capitals; where it is called otherwise,
`variable` says so. Variables are a contract with those who run the system: they are never renamed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from msgspec import Struct

from chat.settings.edge import EdgeSettings
from chat.settings.limits import LimitSettings
from chat.settings.mail import MailSettings
from chat.settings.push import PushSettings, WebhookSettings
from chat.settings.retention import RetentionSettings
from chat.settings.tracing import TracingSettings
from chat.settings.values import Address, Setting, parse_network

LONGEST_TOKEN_SECONDS = 24 * 3600
Binding = Literal["grpcio", "purerpc"]
"""The library that moves the bytes of gRPC."""
_MONTH = 30 * 24 * 3600
_KIB = 1024
_MIB = 1024 * 1024


class EmbeddedSettings(Struct, frozen=True, kw_only=True):
    """The embedded engines, which do the work of each server that is not set."""

    data: Annotated[Path, Setting("the folder of the embedded engines; made when it is missing", flag="--data")] = Path(
        "data"
    )
    commit_interval_ms: Annotated[
        float,
        Setting("under full load, the least time between two commits to the disk; with less load, less", ge=0),
    ] = 10.0


class HttpSettings(Struct, frozen=True, kw_only=True):
    """REST, the page, health and metrics."""

    address: Annotated[Address, Setting("the address of REST and the page", variable="HTTP", flag="--http")] = Address(
        "127.0.0.1", 8000
    )
    public_url: Annotated[
        str,
        Setting(
            "where people find the page, such as `https://chat.example.org`: what links in mails begin with",
            variable="PUBLIC_URL",
            pattern=r"https?://[^/\s?#@]+(/[^\s?#]*)?",
            hint="an address such as https://chat.example.org",
        ),
    ] = ""
    ws_url: Annotated[
        str,
        Setting(
            "where clients find the edge, such as `wss://chat.example.org/ws`; by default the host that they called, "
            "with the port of `--ws`",
            pattern=r"wss?://[^/\s]+\S*",
            hint="an address such as wss://chat.example.org/ws",
        ),
    ] = ""
    trust_forwarded: Annotated[
        bool,
        Setting(
            "believe `X-Forwarded-For` (or `Forwarded`) and `X-Forwarded-Proto` of whoever connects; only behind a "
            "proxy that sets them. It is better to name the proxies"
        ),
    ] = False
    trusted_proxies: Annotated[
        tuple[str, ...],
        Setting(
            "addresses and networks of the proxies whose `X-Forwarded-For` (or `Forwarded`) and `X-Forwarded-Proto` "
            "are believed, such as `10.0.0.0/8, 2001:db8::/32`",
            check=parse_network,
        ),
    ] = ()
    connections_per_address: Annotated[
        int,
        Setting(
            "open HTTP connections from one address; of more, the idlest is closed. Trusted proxies have no bound", ge=1
        ),
    ] = 500
    http2: Annotated[
        bool, Setting("HTTP/2 in clear text, for a proxy that speaks it to the server; everybody else uses HTTP/1.1")
    ] = False
    keep_alive_seconds: Annotated[
        float,
        Setting(
            "how long a connection without a request stays open; longer than a balancer in front keeps its own, or it "
            "sends requests to connections that are being closed",
            gt=0,
        ),
    ] = 75.0


class TokenSettings(Struct, frozen=True, kw_only=True):
    """Access tokens, refresh tokens, and the keys that sign them."""

    access_seconds: Annotated[
        int,
        Setting("life of an access token; 24 hours at most", variable="TOKEN_SECONDS", ge=1, le=LONGEST_TOKEN_SECONDS),
    ] = 900
    refresh_seconds: Annotated[int, Setting("life of a refresh token that is not used", ge=1)] = _MONTH
    key_rotation_seconds: Annotated[int, Setting("how long a key signs tokens", ge=1)] = _MONTH
    issuer: Annotated[str, Setting("`iss` of tokens")] = "rookery"
    audience: Annotated[str, Setting("`aud` of tokens")] = "rookery"


class AccountSettings(Struct, frozen=True, kw_only=True):
    """Who may make an account, and what accounts may do."""

    registration: Annotated[
        Literal["open", "invitation", "closed"],
        Setting(
            "who may make an account: everybody (`open`), users with an invitation to a room (`invitation`), or only "
            "the operator with `rookery admin user create` (`closed`)"
        ),
    ] = "open"
    first_account_owns: Annotated[
        bool,
        Setting(
            "the first account that registers, in a store without any account, becomes an owner of the instance; "
            "whoever finds the server first gets it, so register at once, or use `rookery admin user create --owner`"
        ),
    ] = False
    added_by: Annotated[
        Literal["everyone", "shared", "nobody"],
        Setting(
            "who may add users to rooms who have not decided it themselves: `everyone`, `shared` (users of their "
            "rooms) or `nobody`"
        ),
    ] = "everyone"


class ModerationSettings(Struct, frozen=True, kw_only=True):
    """The checks of texts, and the people who judge reports."""

    enabled: Annotated[
        bool,
        Setting(
            "texts are checked: `serve` runs the moderation pool, and persistence workers carry out its verdicts",
            variable="MODERATION",
        ),
    ] = False
    rules: Annotated[
        str,
        Setting(
            "folder of the [rules of moderation](moderation.md), which turns it on as well; by default those that come "
            "with the package",
            variable="MODERATION_RULES",
        ),
    ] = ""
    moderators: Annotated[tuple[str, ...], Setting("names of the moderators of the instance")] = ()

    @property
    def is_on(self) -> bool:
        """Whether texts are checked."""
        return self.enabled or bool(self.rules)


class RedisSettings(Struct, frozen=True, kw_only=True):
    """Redis: the relay, presence, and the rates of log-ins."""

    prefix_of_variables: ClassVar[str] = "REDIS_"

    url: Annotated[
        str,
        Setting(
            "Redis: `redis://USER:PASSWORD@HOST:PORT/DB`, `rediss://…` for TLS (with `?ssl_ca_certs=FILE`), any node "
            "of a cluster, or [sentinels](redis.md#sentinel): `redis+sentinel://HOST:PORT,HOST:PORT/NAME`; then Redis "
            "does the relay, presence and the rates of log-ins",
            pattern=r"(rediss?(\+sentinel)?|unix)://\S+",
            hint="redis://HOST:PORT/DB, rediss://… for TLS, redis+sentinel://HOST:PORT,HOST:PORT/NAME, or unix:///PATH",
            secret=True,
        ),
    ] = ""
    prefix: Annotated[
        str,
        Setting("begins the names of all keys and channels, so that several installations can share a server"),
    ] = "rookery:"
    timeout_seconds: Annotated[float, Setting("how long a call waits for Redis; then `unavailable`", gt=0)] = 3.0


class KafkaSettings(Struct, frozen=True, kw_only=True):
    """Kafka: the log."""

    prefix_of_variables: ClassVar[str] = "KAFKA_"

    brokers: Annotated[
        tuple[Address, ...],
        Setting(
            "Kafka's brokers to begin with, `HOST:PORT`, separated by commas; then the log is in Kafka",
            variable="KAFKA",
        ),
    ] = ()
    prefix: Annotated[
        str, Setting("begins the names of all topics and groups, so that several installations can share a cluster")
    ] = ""
    partitions: Annotated[
        int,
        Setting("partitions of a topic, for `rookery topics apply`: as many workers can share its work", ge=1),
    ] = 12
    replication: Annotated[int, Setting("copies of each partition; 1 for a single broker", ge=1)] = 3
    min_insync: Annotated[
        int,
        Setting("copies that must have a record before it is acknowledged; never more than there are", ge=1),
    ] = 2
    retention_hours: Annotated[
        float, Setting("how long topics keep records; workers must never be behind for longer", gt=0)
    ] = 168.0
    dead_retention_hours: Annotated[float, Setting("how long the topics of dead letters keep records", gt=0)] = 720.0
    interval_ms: Annotated[
        float,
        Setting(
            "the least time between two requests to Kafka, when four records or more come in it; else each goes at "
            "once",
            ge=0,
        ),
    ] = 4.0
    batch_bytes: Annotated[int, Setting("the largest batch", ge=1)] = 128 * _KIB
    buffer_records: Annotated[
        int, Setting("records that may wait for Kafka in a process; above that, `overloaded`", ge=1)
    ] = 20_000
    buffer_bytes: Annotated[
        int, Setting("bytes that may wait for Kafka in a process; above that, `overloaded`", ge=1)
    ] = 64 * _MIB
    delivery_seconds: Annotated[
        float, Setting("time for Kafka to acknowledge a record; then the sender gets `unavailable`", gt=0)
    ] = 10.0
    session_seconds: Annotated[
        float, Setting("silence after which a worker counts as dead, and others get its partitions", gt=0)
    ] = 6.0
    hand_over_seconds: Annotated[
        float, Setting("in a rebalance, time to finish the records in hand before their partition goes", gt=0)
    ] = 5.0
    security: Annotated[
        Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"],
        Setting("`plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl`"),
    ] = "plaintext"
    sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
        Setting("`PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`"),
    ] = "SCRAM-SHA-512"
    username: Annotated[str, Setting("the user of SASL")] = ""
    password: Annotated[str, Setting("the password of SASL", secret=True)] = ""
    ca_file: Annotated[
        Path | None,
        Setting("certificates of the authority that signed the brokers' certificates, in PEM; by default the system's"),
    ] = None

    def __repr__(self) -> str:
        return f"KafkaSettings({','.join(map(str, self.brokers))!r}, {self.security!r})"  # never the password


class MongoSettings(Struct, frozen=True, kw_only=True):
    """MongoDB: accounts, rooms, and history."""

    prefix_of_variables: ClassVar[str] = "MONGO_"

    url: Annotated[
        str,
        Setting(
            "MongoDB, as `mongodb://…` or `mongodb+srv://…`, with user, password and TLS options; then MongoDB "
            "keeps accounts, rooms and history",
            pattern=r"mongodb(\+srv)?://\S+",
            hint="mongodb://HOST:PORT or mongodb+srv://HOST",
            secret=True,
        ),
    ] = ""
    database: Annotated[str, Setting("the database, unless the URL names one")] = "rookery"
    timeout_seconds: Annotated[
        float, Setting("time for one call to MongoDB, retries included; then `unavailable`", gt=0)
    ] = 5.0


class RpcSettings(Struct, frozen=True, kw_only=True):
    """gRPC between the roles."""

    prefix_of_variables: ClassVar[str] = "RPC_"

    auth: Annotated[
        Address | None,
        Setting(
            "where the auth service answers gRPC, `HOST:PORT`; see [RPC](operations.md#rpc-between-the-roles)",
            variable="AUTH_RPC",
        ),
    ] = None
    chat: Annotated[Address | None, Setting("where the chat service answers gRPC", variable="CHAT_RPC")] = None
    moderation: Annotated[
        Address | None, Setting("where the moderation service answers gRPC", variable="MODERATION_RPC")
    ] = None
    listen: Annotated[Address, Setting("where this role answers gRPC")] = Address("127.0.0.1", 0)
    binding: Annotated[Binding, Setting("the library that serves and calls: `grpcio` or `purerpc`")] = "grpcio"
    deadline_seconds: Annotated[float, Setting("time for one call, its retries included", gt=0)] = 5.0
    max_bytes: Annotated[int, Setting("one message between the roles, in either direction", ge=64 * _KIB)] = 4 * _MIB
    token: Annotated[str, Setting("a secret that all roles share: calls without it are refused", secret=True)] = ""
    insecure: Annotated[
        bool,
        Setting(
            "call and answer on this machine without a token and without certificates; every local process can then "
            "read direct messages and block users"
        ),
    ] = False
    tls_cert: Annotated[
        Path | None,
        Setting("this role's certificate, a PEM file; with the next two, connections are mutual TLS"),
    ] = None
    tls_key: Annotated[Path | None, Setting("the key of that certificate, a PEM file")] = None
    tls_ca: Annotated[Path | None, Setting("the authority that signs the roles' certificates, a PEM file")] = None
    peers: Annotated[
        tuple[str, ...],
        Setting("names in certificates that may call this role; by default all that the authority signed"),
    ] = ()

    @property
    def uses_tls(self) -> bool:
        """Whether connections are encrypted and both sides known."""
        return self.tls_cert is not None

    @property
    def has_credentials(self) -> bool:
        """Whether the operator said who may call."""
        return bool(self.token) or self.uses_tls or self.insecure

    @property
    def names_calls(self) -> dict[str, Address]:
        """The variables that name where roles answer each other, with their addresses."""
        named = {"AUTH_RPC": self.auth, "CHAT_RPC": self.chat, "MODERATION_RPC": self.moderation}
        named["RPC_LISTEN"] = self.listen if self.listen.port else None
        return {f"ROOKERY_{name}": address for name, address in named.items() if address is not None}


class Settings(Struct, frozen=True, kw_only=True):
    """All settings of a process."""

    backend: Annotated[
        Literal["uvloop", "asyncio", "trio"],
        Setting("the event loop: `uvloop`, `asyncio` or `trio`", flag="--backend"),
    ] = "uvloop"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Setting("what is logged: `debug`, `info`, `warning` or `error`", flag="--log-level"),
    ] = "info"
    log_format: Annotated[Literal["text", "json"], Setting("how lines of the log are written: `text` or `json`")] = (
        "text"
    )
    notifications: Annotated[
        bool | None,
        Setting(
            "the persistence pool notifies the notification pool of what it stored; run a "
            "`rookery worker notification` then. Unset, it does where push has keys, or a mail server or a webhook is "
            "named, and in `serve`"
        ),
    ] = None
    embedded: EmbeddedSettings = EmbeddedSettings()
    http: HttpSettings = HttpSettings()
    edge: EdgeSettings = EdgeSettings()
    tokens: TokenSettings = TokenSettings()
    accounts: AccountSettings = AccountSettings()
    retention: RetentionSettings = RetentionSettings()
    moderation: ModerationSettings = ModerationSettings()
    mail: MailSettings = MailSettings()
    push: PushSettings = PushSettings()
    webhook: WebhookSettings = WebhookSettings()
    redis: RedisSettings = RedisSettings()
    kafka: KafkaSettings = KafkaSettings()
    mongo: MongoSettings = MongoSettings()
    rpc: RpcSettings = RpcSettings()
    limits: LimitSettings = LimitSettings()
    tracing: TracingSettings = TracingSettings()
