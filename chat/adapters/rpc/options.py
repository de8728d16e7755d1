"""How this process speaks gRPC: the same for its servers and its clients."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal

from msgspec import Struct

from chat.settings import Settings, SettingsError

Binding = Literal["grpcio", "purerpc"]
BINDINGS: dict[str, Binding] = {"grpcio": "grpcio", "purerpc": "purerpc"}


class RpcOptions(Struct, frozen=True, kw_only=True):
    """`deadline` in seconds, of one call with its retries; `max_bytes` of one message, in both directions.

    `token` is the secret that every call between the roles carries (empty: none). With `certificate` (and `key`, and
    `authority`, PEM files all three) both sides prove who they are by TLS; they are read again when they change.
    `peers` are the names in certificates that may call this process (empty: any that `authority` signed).
    """

    binding: Binding = "grpcio"
    deadline: float = 5.0
    max_bytes: int = 4 * 1024 * 1024
    token: str = ""
    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None
    peers: tuple[str, ...] = ()

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted and both sides known."""
        return self.certificate is not None


def rpc_options(settings: Settings) -> RpcOptions:
    """Raises `SettingsError` for what does not fit together."""
    if settings.rpc_binding not in BINDINGS:
        raise SettingsError(f"ROOKERY_RPC_BINDING={settings.rpc_binding!r}: give grpcio or purerpc")
    files = {name: getattr(settings, name) for name in ("rpc_tls_cert", "rpc_tls_key", "rpc_tls_ca")}
    missing = [f"ROOKERY_{name.upper()}" for name, path in files.items() if not path]
    if missing and len(missing) < len(files):
        raise SettingsError(f"{' and '.join(missing)}: give all three of the TLS files, or none")
    if settings.rpc_deadline_seconds <= 0:
        raise SettingsError("ROOKERY_RPC_DEADLINE_SECONDS: give a number above 0")
    if settings.rpc_max_bytes < 65_536:
        raise SettingsError("ROOKERY_RPC_MAX_BYTES: give 65536 or more")
    if not settings.rpc_token.isascii() or not settings.rpc_token.isprintable() or " " in settings.rpc_token:
        raise SettingsError("ROOKERY_RPC_TOKEN: give printable ASCII without spaces")
    certificate, key, authority = (Path(path) if path else None for path in files.values())
    return RpcOptions(
        binding=BINDINGS[settings.rpc_binding],
        deadline=settings.rpc_deadline_seconds,
        max_bytes=settings.rpc_max_bytes,
        token=settings.rpc_token,
        certificate=certificate,
        key=key,
        authority=authority,
        peers=settings.rpc_peers,
    )


def listen_address(settings: Settings, options: RpcOptions) -> str:
    """`ROOKERY_RPC_LISTEN`. Raises `SettingsError` for an address that strangers reach while nobody is checked."""
    host, _ = split(settings.rpc_listen, "ROOKERY_RPC_LISTEN")
    if not options.token and not options.tls and not _is_own(host):
        raise SettingsError(
            f"ROOKERY_RPC_LISTEN={settings.rpc_listen}: others reach this address, so set ROOKERY_RPC_TOKEN, or the "
            "three TLS files, or listen on 127.0.0.1"
        )
    return settings.rpc_listen


def split(address: str, variable: str = "address") -> tuple[str, int]:
    """Host and port of `host:port` or `[v6]:port`. Raises `SettingsError`."""
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise SettingsError(f"{variable}={address!r}: give host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _is_own(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
