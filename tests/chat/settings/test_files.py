"""Settings in files: a file of variables, and a file for each secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat.settings import SettingsError, list_variables, read_settings, try_settings

SECRETS = {variable.name: variable for variable in list_variables() if variable.setting.secret}


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_file_of_variables_is_below_the_environment(tmp_path: Path) -> None:
    text = "# ours\n\nROOKERY_HTTP=[::1]:1\nexport ROOKERY_ISSUER='a b'\n ROOKERY_AUDIENCE = x\nROOKERY_WS=\"h:2\"\n"
    text = text.replace(" ROOKERY_AUDIENCE = x\n", "ROOKERY_AUDIENCE= x \n")
    settings = read_settings({"ROOKERY_WS": "h:3"}, {"--data": "d"}, file=write(tmp_path / "file", text))
    assert (str(settings.http.address), str(settings.edge.address)) == ("[::1]:1", "h:3")
    assert (settings.tokens.issuer, settings.tokens.audience) == ("a b", "x")


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    file = write(tmp_path / "file", "nonsense secret\nROOKERY_HTTPS=1\nROOKERY_WS=x\nROOKERY_WS=y\nPATH=/bin\n")
    _, problems = try_settings({"ROOKERY_TOKEN_SECONDS": "inf"}, file=file)
    assert problems == [
        f"{file}, line 1: give ROOKERY_NAME=VALUE, or a comment after #",
        f"{file}, line 4: ROOKERY_WS is there twice; remove one",
        f"{file}, line 5: give ROOKERY_NAME=VALUE, or a comment after #",
        "ROOKERY_HTTPS is not a setting: did you mean ROOKERY_HTTP?",
        "ROOKERY_WS='x': give HOST:PORT, such as 127.0.0.1:8000 or [::1]:8000",
        "ROOKERY_TOKEN_SECONDS='inf': give an integer from 1 to 86400",
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--settings .*gone: this file cannot be read: No such file"):
        read_settings({}, file=tmp_path / "gone")


def test_what_holds_a_secret_is_known() -> None:
    """A setting whose name says so is one."""
    telling = ("PASSWORD", "TOKEN", "SECRET", "_KEYS", "SMTP_URL", "REDIS_URL", "MONGO_URL", "TRACING_ENDPOINT")
    assert {name for name in (each.name for each in list_variables()) if name.endswith(telling)} == SECRETS.keys()


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_each_secret_can_stand_in_a_file(name: str, tmp_path: Path) -> None:
    value = {"REDIS_URL": "redis://:pw@h", "MONGO_URL": "mongodb://h", "SMTP_URL": "smtp://u:p@h"}
    value["TRACING_ENDPOINT"] = "https://h/v1/traces"
    text = next((each for end, each in value.items() if name.endswith(end)), "A" * 43)
    variable = SECRETS[name]
    settings, _ = try_settings({f"{name}_FILE": str(write(tmp_path / "secret", text + "\n"))})
    found = getattr(getattr(settings, variable.group), variable.field)
    assert found in (text, (text,))


def test_a_secret_keeps_its_spaces_and_is_not_repeated(tmp_path: Path) -> None:
    file = write(tmp_path / "secret", " pass word \n")
    assert read_settings({"ROOKERY_KAFKA_PASSWORD_FILE": str(file)}).kafka.password == " pass word "
    with pytest.raises(SettingsError) as wrong:
        read_settings({"ROOKERY_REDIS_URL_FILE": str(file)})
    assert "pass word" not in str(wrong.value)


def test_what_is_wrong_with_a_secret_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    environ = {
        "ROOKERY_RPC_TOKEN_FILE": str(tmp_path / "gone"),
        "ROOKERY_REDIS_URL_FILE": str(tmp_path / "binary"),
        "ROOKERY_SMTP_URL_FILE": str(tmp_path / "large"),
        "ROOKERY_MONGO_URL_FILE": str(tmp_path / "gone"),
        "ROOKERY_MONGO_URL": "mongodb://h",
        "ROOKERY_ISSUER_FILE": "no secret",
    }
    _, problems = try_settings(environ)
    said = "\n".join(problems)
    assert "ROOKERY_RPC_TOKEN_FILE=" in said
    assert "this file cannot be read: No such file or directory" in said
    assert said.count("give a file of UTF-8 text of at most 65536 bytes") == 2
    assert "ROOKERY_MONGO_URL and ROOKERY_MONGO_URL_FILE: set only one of them" in said
    assert "ROOKERY_ISSUER_FILE is not a setting" in said
