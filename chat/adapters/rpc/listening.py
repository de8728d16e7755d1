"""Where a role answers gRPC, and whether that is safe."""

from __future__ import annotations

import ipaddress

from chat.settings import Address, RpcSettings, SettingsError


def listen_address(settings: RpcSettings) -> Address:
    """`ROOKERY_RPC_LISTEN`. Raises `SettingsError` for an address that strangers reach while nobody is checked."""
    if not settings.token and not settings.uses_tls and not _is_own(settings.listen.host):
        raise SettingsError(
            f"ROOKERY_RPC_LISTEN={settings.listen}: others reach this address, so set ROOKERY_RPC_TOKEN, or the "
            "three TLS files, or listen on 127.0.0.1"
        )
    return settings.listen


def _is_own(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
