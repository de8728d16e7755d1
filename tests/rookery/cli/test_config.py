"""`rookery config check`, as it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from rookery.cli.main import main


def check(capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str) -> tuple[int, str]:
    file = tmp_path / "settings"
    file.write_text(text)
    code = main(["config", "check", "--settings", str(file), "--backend", "asyncio"])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_right_settings(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert check(capsys, tmp_path, "ROOKERY_ISSUER=us\n") == (0, "the settings are right; the engines are embedded\n")
    text = "ROOKERY_REDIS_URL=redis://h\nROOKERY_MODERATION=on\n"
    assert check(capsys, tmp_path, text) == (0, "the settings are right; the engines are ROOKERY_REDIS_URL\n")


def test_a_first_owner_needs_open_registration(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    owns = "ROOKERY_FIRST_ACCOUNT_OWNS=on\n"
    assert check(capsys, tmp_path, owns)[0] == 0
    for mode in ("invitation", "closed"):
        code, said = check(capsys, tmp_path, f"{owns}ROOKERY_REGISTRATION={mode}\n")
        assert code == 1
        assert f"ROOKERY_FIRST_ACCOUNT_OWNS has no effect while ROOKERY_REGISTRATION is {mode}" in said


def test_all_that_is_wrong_is_said_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What cannot be read, what contradicts itself, and what an adapter or the rules refuse."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "rules.toml").write_text("[[rule]]\nkind = 'nonsense'\n")
    for name in ("cert", "key", "ca"):
        (tmp_path / name).write_text("no certificate")
    lines = [
        "ROOKERY_DEFLATE=maybe",
        "ROOKERY_HTPP=127.0.0.1:1",
        "ROOKERY_HTTP=127.0.0.1:9",
        "ROOKERY_WS=127.0.0.1:9",
        "ROOKERY_REDIS_URL=redis+sentinel://:secret@h1",
        f"ROOKERY_MODERATION_RULES={rules}",
        *(f"ROOKERY_RPC_TLS_{name.upper()}={tmp_path / name}" for name in ("cert", "key", "ca")),
    ]
    code, said = check(capsys, tmp_path, "\n".join(lines))
    assert code == 1
    for part in (
        "ROOKERY_DEFLATE='maybe': give on or off",
        "ROOKERY_HTPP is not a setting: did you mean ROOKERY_HTTP?",
        "ROOKERY_HTTP and ROOKERY_WS are both 127.0.0.1:9",
        "ROOKERY_REDIS_URL cannot be used",
        "rules.toml",
        "ROOKERY_RPC_TLS_CERT and ROOKERY_RPC_TLS_KEY cannot be used together",
        "ROOKERY_RPC_TLS_CA cannot be used",
    ):
        assert part in said
    assert "secret" not in said
    assert all(line.startswith("rookery: ") for line in said.splitlines())


def test_another_command_stops_at_the_first_kind(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("ROOKERY_DEFLATE=maybe\n")
    assert main(["admin", "user", "list", "--settings", str(file), "--data", str(tmp_path)]) == 1
    assert "ROOKERY_DEFLATE='maybe': give on or off" in capsys.readouterr().err
