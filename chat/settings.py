"""Every setting, its default, its unit and its environment variable, in one place.

The environment variable of a field is `ROOKERY_` and its name in capitals. Flags of the command line win over the
environment. An unreadable value ends the start with a message that names the variable and what it takes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct


class SettingsError(Exception):
    """A setting cannot be read; the message names it and what it takes."""


class Limits(Struct, frozen=True, kw_only=True):
    """The limits of `docs/operations.md`; rates are per window, sizes in bytes."""

    register_per_minute: int = 120
    login_failures_per_name: int = 10
    login_failures_per_address: int = 100
    sends_per_second: float = 20.0
    send_burst: int = 100
    text_bytes: int = 16 * 1024
    frame_bytes: int = 64 * 1024
    subscriptions: int = 200
    sessions_per_user: int = 20
    body_bytes: int = 1024 * 1024
    outbox_bytes: int = 1024 * 1024
    pending_commands: int = 64
    resume_messages: int = 2000
    resume_bytes: int = 512 * 1024


class Settings(Struct, frozen=True, kw_only=True):
    """All of a process. Times in seconds."""

    data: Path = Path("data")
    http: str = "127.0.0.1:8000"
    ws: str = "127.0.0.1:8001"
    ws_url: str = ""
    backend: str = "uvloop"
    rate_limits: bool = True
    origins: tuple[str, ...] = ()
    token_seconds: int = 900
    refresh_seconds: int = 30 * 24 * 3600
    key_rotation_seconds: int = 30 * 24 * 3600
    issuer: str = "rookery"
    audience: str = "rookery"
    heartbeat_seconds: float = 25.0
    auth_seconds: float = 10.0
    handshake_seconds: float = 10.0
    close_seconds: float = 5.0
    drain_seconds: float = 20.0
    reconnect_jitter_seconds: float = 5.0
    presence_damping_seconds: float = 1.0
    access_cache_seconds: float = 60.0
    commit_interval_ms: float = 6.0
    deflate: bool = True
    reuse_port: bool = False
    max_connections: int = 50_000
    max_handshakes: int = 5_000
    trust_forwarded: bool = False
    log_level: str = "info"
    notifications: bool = False
    moderation: bool = False
    moderation_rules: str = ""
    moderators: tuple[str, ...] = ()
    redis_url: str = ""
    redis_prefix: str = "rookery:"
    redis_timeout_seconds: float = 3.0
    kafka: str = ""
    kafka_prefix: str = ""
    kafka_partitions: int = 12
    kafka_replication: int = 3
    kafka_min_insync: int = 2
    kafka_retention_hours: float = 168.0
    kafka_dead_retention_hours: float = 720.0
    kafka_interval_ms: float = 4.0
    kafka_batch_bytes: int = 128 * 1024
    kafka_buffer_records: int = 20_000
    kafka_buffer_bytes: int = 64 * 1024 * 1024
    kafka_delivery_seconds: float = 10.0
    kafka_session_seconds: float = 6.0
    kafka_hand_over_seconds: float = 5.0
    kafka_security: str = "plaintext"
    kafka_sasl_mechanism: str = "SCRAM-SHA-512"
    kafka_username: str = ""
    kafka_password: str = ""
    kafka_ca_file: str = ""
    mongo_url: str = ""
    mongo_database: str = "rookery"
    mongo_timeout_seconds: float = 5.0
    auth_rpc: str = ""
    chat_rpc: str = ""
    moderation_rpc: str = ""
    rpc_listen: str = "127.0.0.1:0"
    rpc_binding: str = "grpcio"
    rpc_deadline_seconds: float = 5.0
    rpc_max_bytes: int = 4 * 1024 * 1024
    rpc_token: str = ""
    rpc_tls_cert: str = ""
    rpc_tls_key: str = ""
    rpc_tls_ca: str = ""
    rpc_peers: tuple[str, ...] = ()
    limits: Limits = Limits()


def from_environment(environ: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """Settings from the environment, overridden by the flags that are not None. Raises `SettingsError`."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = _read(Settings, environ)
    limits = _read(Limits, environ)
    values.update({name: value for name, value in flags.items() if value is not None})
    try:
        return msgspec.convert({**values, "limits": limits}, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise SettingsError(f"a setting cannot be read: {error}") from None


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    raise TypeError(f"{kind.__name__} cannot be read from {value!r}")


def _read(kind: type[Struct], environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        raw = environ.get(f"ROOKERY_{field.name.upper()}")
        if raw is None or field.name == "limits":
            continue
        values[field.name] = _parse(field.name, field.type, raw)
    return values


_SWITCH = {"on": True, "true": True, "1": True, "yes": True, "off": False, "false": False, "0": False, "no": False}


def _not_negative(number: float) -> float:
    if number < 0:
        raise ValueError(number)
    return number


def _parse(name: str, kind: Any, raw: str) -> Any:
    variable = f"ROOKERY_{name.upper()}"
    try:
        if kind is bool:
            return _SWITCH[raw.lower()]
        if kind in (int, float):
            return kind(_not_negative(float(raw)))
    except (KeyError, ValueError):
        wanted = "on or off" if kind is bool else "a number that is not negative"
        raise SettingsError(f"{variable}={raw!r}: give {wanted}") from None
    if kind is Path:
        return Path(raw)
    return tuple(part.strip() for part in raw.split(",") if part.strip()) if kind == tuple[str, ...] else raw
