"""`rookery config check`: says all that is wrong with the settings, before a role starts with them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from ssl import PROTOCOL_TLS_SERVER, SSLContext, SSLError

from chat.assembly import check_event_loop, list_servers, require_drivers
from chat.settings import AccountSettings, RpcSettings, Settings, SettingsError
from services.moderation.rules import Rules


async def check_config(settings: Settings, options: argparse.Namespace) -> int:
    """Check what the values mean together. Nothing is called or written.

    `options.problems` are those that were found as the values were read. Raises `SettingsError` with a line for each.
    """
    problems = [*options.problems, *_check_addresses(settings), *_check_redis(settings)]
    problems += [*_check_certificates(settings.rpc), *_check_accounts(settings.accounts)]
    try:
        check_event_loop(settings)
    except SettingsError as error:
        problems.append(str(error))
    if settings.moderation.is_on:
        try:
            await Rules.open(settings.moderation.rules)
        except SettingsError as error:
            problems.append(str(error))
    if problems:
        raise SettingsError("\n".join(problems))
    servers = list_servers(settings)
    print(f"the settings are right; the engines are {' and '.join(servers) if servers else 'embedded'}")
    return 0


def _check_addresses(settings: Settings) -> Iterator[str]:
    if settings.http.address == settings.edge.address and settings.http.address.port:
        yield f"ROOKERY_HTTP and ROOKERY_WS are both {settings.http.address}: give each a port of its own"


def _check_accounts(accounts: AccountSettings) -> Iterator[str]:
    if accounts.first_account_owns and accounts.registration != "open":
        yield (
            f"ROOKERY_FIRST_ACCOUNT_OWNS has no effect while ROOKERY_REGISTRATION is {accounts.registration}, because "
            "nobody can register first: make the owner by `rookery admin user create NAME --owner`"
        )


def _check_redis(settings: Settings) -> Iterator[str]:
    if settings.redis.url:
        with require_drivers():
            from chat.adapters.redis.target import parse_target
        try:
            parse_target(settings.redis)
        except SettingsError as error:
            yield str(error)


def _check_certificates(rpc: RpcSettings) -> Iterator[str]:
    """Whether the files can be loaded, and the key is that of the certificate."""
    if rpc.tls_cert is None or rpc.tls_key is None or rpc.tls_ca is None:
        return
    context = SSLContext(PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(rpc.tls_cert, rpc.tls_key)
    except (OSError, SSLError) as error:
        yield f"ROOKERY_RPC_TLS_CERT and ROOKERY_RPC_TLS_KEY cannot be used together: {error.strerror or error}"
    try:
        context.load_verify_locations(rpc.tls_ca)
    except (OSError, SSLError) as error:
        yield f"ROOKERY_RPC_TLS_CA cannot be used: {error.strerror or error}"
