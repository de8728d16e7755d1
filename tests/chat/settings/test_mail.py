"""The settings of mail: each mistake is one line, and none repeats a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat.settings import MailSettings, SettingsError, SmtpServer, read_settings

GOOD = {"MAIL_FROM": "Rookery <chat@example.org>", "PUBLIC_URL": "https://chat.example.org"}


def read_mail(**values: str) -> MailSettings:
    return read_settings({f"ROOKERY_{name}": value for name, value in {**GOOD, **values}.items()}).mail


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", SmtpServer("mail.example.org", 587)),
        ("smtp://127.0.0.1:25", SmtpServer("127.0.0.1", 25)),
        ("smtps://[::1]/", SmtpServer("::1", 465, implicit_tls=True)),
        (
            "smtps://ada%40example.org:p%2Fss%3A%23@mail:2465",
            SmtpServer("mail", 2465, user="ada@example.org", password="p/ss:#", implicit_tls=True),
        ),
    ],
)
def test_the_url_of_a_server_is_read(url: str, server: SmtpServer) -> None:
    mail = read_mail(SMTP_URL=url)
    assert mail.server == server
    assert server.password not in repr(mail) or not server.password
    assert server.password not in repr(mail.server) or not server.password


def test_without_a_url_there_is_no_server() -> None:
    assert read_mail().server is None


@pytest.mark.parametrize(
    ("values", "beginning"),
    [
        ({"SMTP_URL": "mail.example.org"}, "ROOKERY_SMTP_URL: give smtp://USER:PASSWORD@HOST:587"),
        ({"SMTP_URL": "http://mail.example.org"}, "ROOKERY_SMTP_URL: give smtp://"),
        ({"SMTP_URL": "smtp://u:hushhush@ma il"}, "ROOKERY_SMTP_URL: give smtp://"),
        ({"SMTP_URL": "smtp://u:hush/hush@mail"}, "ROOKERY_SMTP_URL: give smtp://"),
        ({"SMTP_URL": "smtp://u:hushhush@mail:99999"}, "ROOKERY_SMTP_URL: give a port from 1 to 65535"),
        ({"SMTP_URL": "smtp://u:hushhush@mail:0"}, "ROOKERY_SMTP_URL: give smtp://"),
        ({"SMTP_URL": "smtp://hushhush@mail"}, "ROOKERY_SMTP_URL: give both a user and a password"),
        ({"SMTP_URL": "smtp://u:hushhush%0D%0AQUIT@mail"}, "ROOKERY_SMTP_URL: the user or the password contains"),
        ({"SMTP_URL": "smtp://mail", "MAIL_FROM": ""}, "ROOKERY_SMTP_URL: set ROOKERY_MAIL_FROM, too"),
        ({"SMTP_URL": "smtp://mail", "PUBLIC_URL": ""}, "ROOKERY_SMTP_URL: set ROOKERY_PUBLIC_URL, too"),
        ({"MAIL_FROM": "chat"}, "ROOKERY_MAIL_FROM='chat': give one address"),
        ({"MAIL_FROM": "a@b.example\r\nBcc: c@d.example"}, "ROOKERY_MAIL_FROM='a@b.example\\r\\nBcc: c@d.example'"),
        ({"MAIL_RETURN_PATH": "@example.org"}, "ROOKERY_MAIL_RETURN_PATH='@example.org': give one address"),
        ({"SMTP_CA_FILE": "no-such-file"}, "ROOKERY_SMTP_CA_FILE='no-such-file': this file does not exist"),
        ({"SMTP_CONNECTIONS": "0"}, "ROOKERY_SMTP_CONNECTIONS='0': give an integer from 1 to 64"),
        ({"PUBLIC_URL": "chat.example.org"}, "ROOKERY_PUBLIC_URL='chat.example.org': give an address such as https://"),
        ({"PUBLIC_URL": "https://chat.example.org/?a=b"}, "ROOKERY_PUBLIC_URL='https://chat.example.org/?a=b': give"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_give(values: dict[str, str], beginning: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_mail(**values)
    (line,) = str(raised.value).splitlines()
    assert line.startswith(beginning)
    assert "hush" not in line


def test_a_file_of_certificates_is_there(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.touch()
    assert read_mail(SMTP_CA_FILE=str(path)).smtp_ca_file == path
