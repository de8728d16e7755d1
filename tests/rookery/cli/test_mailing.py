"""Mail from the command line: links that an operator prints, bounces that a mail server hands over, the transport."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest

from chat.adapters.mail.outbox import MailFolder
from chat.adapters.mail.smtp import SmtpTransport
from chat.assembly import Engines
from chat.domain.invitations import digest_token
from chat.domain.mailing import TokenPurpose, bind_to_password, sign_recipient
from chat.domain.models import User
from chat.settings import Settings, SettingsError
from rookery.cli import users
from rookery.cli.bounces import record_bounce
from rookery.cli.mailing import find_public_url, make_transport
from tests.chat.adapters.mail.test_bounces import make_bounce
from tests.support.builders import ANN, NOW
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(data=tmp_path, public_url="https://chat.example/under/")


async def test_a_link_for_another_password_is_printed(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    async with Engines.open(settings) as engines:
        store = await engines.open_store()
        await store.accounts.create_user(User(id=ANN, name="ann"), "hash")
        assert await users.print_reset_link(settings, argparse.Namespace(name="ANN")) == 0
        link, _, rest = capsys.readouterr().out.partition("\n")
        assert rest == ""
        assert link.startswith("https://chat.example/under/#reset=")
        token = await store.mailings.use_token(digest_token(link.partition("=")[2]), TokenPurpose.RESET, NOW)
        assert token is not None
        assert (token.user, token.bound) == (ANN, bind_to_password("hash"))


async def test_bounces_are_noted_beside_a_running_server(settings: Settings) -> None:
    async with Engines.open(settings) as engines:
        mailings = (await engines.open_store()).mailings
        signed = sign_recipient(await mailings.get_secret(), "ann@chat.example")
        for number in range(2):
            quoted = f"X-Rookery-Delivery: {signed}\r\nMessage-ID: <{number}@chat.example>\r\n"
            noted = await record_bounce(mailings, io.BytesIO(make_bounce(quoted=quoted)))
            assert noted is not None
            assert noted.is_suppressed is (number == 1)
        assert await record_bounce(mailings, io.BytesIO(b"Subject: away\r\n\r\nuntil Monday")) is None
        assert (await mailings.get_bounces("ann@chat.example")).is_suppressed


async def test_mails_go_to_the_server_or_into_the_folder(settings: Settings, tmp_path: Path) -> None:
    assert isinstance(make_transport(settings), MailFolder)
    server = make_settings(settings, smtp_url="smtp://127.0.0.1:1", mail_from="chat@chat.example")
    assert isinstance(make_transport(server), SmtpTransport)
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(SettingsError, match="ROOKERY_SMTP_CA_FILE"):
        make_transport(make_settings(server, smtp_ca_file=tmp_path / "ca.pem"))


@pytest.mark.parametrize(
    ("values", "url"),
    [({}, "http://127.0.0.1:8000"), ({"public_url": "https://chat.example"}, "https://chat.example")],
)
def test_links_begin_with_the_public_address(values: dict[str, str], url: str) -> None:
    assert find_public_url(make_settings(**values)) == url
