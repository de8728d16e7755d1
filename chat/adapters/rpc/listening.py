"""Where a role answers gRPC, and whom.

Rule 1: without a token and without certificates, nobody is answered, unless the operator says that everybody may call.
Rule 2: everybody is those on this machine: an address that others reach needs a token or certificates in any case.
"""

from __future__ import annotations

import secrets

import msgspec

from chat.settings import Address, RpcSettings, SettingsError


def seal_if_open(settings: RpcSettings) -> RpcSettings:
    """The settings to serve with: without credentials, those with a token that nobody knows (rule 1)."""
    if settings.has_credentials:
        return settings
    return msgspec.structs.replace(settings, token=secrets.token_urlsafe())


def listen_address(settings: RpcSettings) -> Address:
    """`ROOKERY_RPC_LISTEN`. Raises `SettingsError` for an address that strangers reach while nobody is checked."""
    # rule 2
    if not settings.token and not settings.uses_tls and not settings.listen.is_loopback:
        raise SettingsError(
            f"ROOKERY_RPC_LISTEN={settings.listen}: others reach this address, so set ROOKERY_RPC_TOKEN, or the "
            "three TLS files, or listen on 127.0.0.1"
        )
    return settings.listen
