"""How this process speaks gRPC: the same for its servers and its clients."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal

from msgspec import Struct

from chat.settings import RpcSettings, SettingsError

Binding = Literal["grpcio", "purerpc"]


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


def rpc_options(settings: RpcSettings) -> RpcOptions:
    """The same as the settings say."""
    return RpcOptions(
        binding=settings.binding,
        deadline=settings.deadline_seconds,
        max_bytes=settings.max_bytes,
        token=settings.token,
        certificate=settings.tls_cert,
        key=settings.tls_key,
        authority=settings.tls_ca,
        peers=settings.peers,
    )


def listen_address(settings: RpcSettings, options: RpcOptions) -> str:
    """`ROOKERY_RPC_LISTEN`. Raises `SettingsError` for an address that strangers reach while nobody is checked."""
    if not options.token and not options.tls and not _is_own(settings.listen.host):
        raise SettingsError(
            f"ROOKERY_RPC_LISTEN={settings.listen}: others reach this address, so set ROOKERY_RPC_TOKEN, or the "
            "three TLS files, or listen on 127.0.0.1"
        )
    return str(settings.listen)


def split_address(address: str, variable: str = "address") -> tuple[str, int]:
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
