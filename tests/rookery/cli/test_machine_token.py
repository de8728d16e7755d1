"""Roles of one machine share a token without being told one, and nobody else gets it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from chat.settings import Address, RpcSettings, SettingsError, read_settings
from rookery.cli.machine_token import add_machine_token, find_token_path, read_machine_token

CALLING = RpcSettings(auth=Address("127.0.0.1", 9000))


def test_roles_that_start_at_once_share_one_token(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: add_machine_token(CALLING, environ).token, range(32)))
    assert len(set(found)) == 1
    assert len(found[0]) >= 43
    path = find_token_path(environ)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "rpc",
    [
        RpcSettings(),
        msgspec.structs.replace(CALLING, token="mine"),
        msgspec.structs.replace(CALLING, insecure=True),
        msgspec.structs.replace(CALLING, tls_cert=Path("a.pem")),
    ],
)
def test_who_said_what_to_do_gets_no_token(rpc: RpcSettings, tmp_path: Path) -> None:
    assert add_machine_token(rpc, {"XDG_STATE_HOME": str(tmp_path)}) == rpc
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("mode", "text"), [(0o644, "secret\n"), (0o640, "secret\n"), (0o600, "\n")])
def test_a_token_that_others_know_or_that_is_empty_is_refused(mode: int, text: str, tmp_path: Path) -> None:
    path = tmp_path / "rpc-token"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(SettingsError, match="remove the file") as refused:
        read_machine_token(path)
    assert "secret" not in str(refused.value)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="ROOKERY_RPC_TOKEN: give all roles the same token"):
        read_machine_token(tmp_path / "file" / "rpc-token")


def test_calls_within_the_machine_need_no_setting_and_others_do() -> None:
    assert read_settings({"ROOKERY_AUTH_RPC": "127.0.0.1:1", "ROOKERY_RPC_LISTEN": "[::1]:2"}).rpc.names_calls
    with pytest.raises(SettingsError, match="ROOKERY_CHAT_RPC: give all roles the same ROOKERY_RPC_TOKEN"):
        read_settings({"ROOKERY_AUTH_RPC": "127.0.0.1:1", "ROOKERY_CHAT_RPC": "chat.internal:2"})
