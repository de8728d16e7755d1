"""A role without credentials answers nobody, unless its operator says that everybody of the machine may call."""

from __future__ import annotations

import msgspec
import pytest

from chat.adapters.rpc.authority import GrpcAuthority
from chat.adapters.rpc.listening import seal_if_open
from chat.errors import RookeryError
from chat.settings import RpcSettings
from rookery.cli.rpc_servers import serve_authority
from tests.support.rpc import ADA, FakeAuthority

pytestmark = pytest.mark.anyio
# This binding runs on every event loop.
PLAIN = RpcSettings(binding="purerpc")


async def call_service(serving: RpcSettings, calling: RpcSettings) -> None:
    async with serve_authority(serving, FakeAuthority()) as bound, GrpcAuthority.connect(bound, calling) as authority:
        assert (await authority.check_token("good")).user == ADA


async def test_nobody_is_answered_without_credentials() -> None:
    for calling in (PLAIN, msgspec.structs.replace(PLAIN, token="a guess")):
        with pytest.raises((RookeryError, ExceptionGroup)) as refused:
            await call_service(PLAIN, calling)
        assert "ROOKERY_RPC_TOKEN" in str(refused.value) + str(getattr(refused.value, "exceptions", ""))


async def test_the_operator_may_let_everybody_of_the_machine_call() -> None:
    await call_service(msgspec.structs.replace(PLAIN, insecure=True), PLAIN)


async def test_roles_with_the_same_token_call_each_other() -> None:
    secret = msgspec.structs.replace(PLAIN, token="secret")
    await call_service(secret, secret)
    assert seal_if_open(secret) == secret


def test_each_seal_is_another() -> None:
    assert seal_if_open(PLAIN).token != seal_if_open(PLAIN).token
