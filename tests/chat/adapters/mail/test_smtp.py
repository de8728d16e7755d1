"""The mail server: TLS, log-in, reuse of connections, and what becomes of a mail when the server refuses or fails."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from chat.adapters.mail.smtp import IDLE_SECONDS, SmtpTransport
from chat.domain.mailing import MailFailure
from chat.errors import Unavailable
from chat.ports.mail import MailRefused, OutgoingMail
from chat.settings import SmtpServer
from tests.support.engines import executor
from tests.support.mail_server import PASSWORD, USER, MailServer, make_certificates, misbehaving_server

pytestmark = pytest.mark.anyio
MESSAGE = b"Subject: hello\r\n\r\n.dot\r\n"
MAIL = OutgoingMail(sender="chat@chat.example", recipient="ann@chat.example", message=MESSAGE)
SECONDS = 10.0


class Clock:
    """Seconds, which a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def transport_to(port: int, *, timeout: float = SECONDS, **options: Any) -> AsyncIterator[SmtpTransport]:
    """`options` are those of `SmtpServer`, but for `context` and `clock`."""
    own = {name: options.pop(name) for name in ("context", "clock") if name in options}
    server = SmtpServer("127.0.0.1", port, **options)
    transport = SmtpTransport(server, name="chat.example", executor=executor(), timeout=timeout, connections=2, **own)
    try:
        yield transport
    finally:
        await transport.close()


async def test_mails_go_one_after_the_other_on_one_connection() -> None:
    with MailServer().running() as server:
        async with transport_to(server.port) as transport:
            for _ in range(3):
                await transport.send_mail(MAIL)
        first = server.received[0]
        assert len(server.received) == 3
        assert (first.sender, first.recipients) == (MAIL.sender, [MAIL.recipient])
        assert first.raw == MESSAGE
        assert server.connections == 1


async def test_a_connection_that_was_idle_for_long_is_not_used_again() -> None:
    clock = Clock()
    with MailServer().running() as server:
        async with transport_to(server.port, clock=clock) as transport:
            await transport.send_mail(MAIL)
            clock.now = IDLE_SECONDS
            await transport.send_mail(MAIL)
        assert server.connections == 2


@pytest.mark.parametrize("implicit_tls", [False, True], ids=["starttls", "implicit"])
async def test_tls_is_used_where_it_is_offered_and_a_log_in_goes_through_it(tmp_path: Path, implicit_tls: bool) -> None:
    certificates = make_certificates(tmp_path)
    context = ssl.create_default_context(cafile=str(certificates[2]))
    with MailServer(certificates=certificates, implicit_tls=implicit_tls).running() as server:
        options: dict[str, Any] = {"user": USER, "password": PASSWORD, "implicit_tls": implicit_tls}
        async with transport_to(server.port, context=context, **options) as transport:
            await transport.send_mail(MAIL)
        assert [mail.secure for mail in server.received] == [True]
        assert server.log_ins == [PASSWORD.encode()]


@pytest.mark.parametrize("implicit_tls", [False, True], ids=["starttls", "implicit"])
async def test_a_certificate_of_nobody_we_trust_ends_it(tmp_path: Path, implicit_tls: bool) -> None:
    certificates = make_certificates(tmp_path)
    with MailServer(certificates=certificates, implicit_tls=implicit_tls).running() as server:
        async with transport_to(server.port, implicit_tls=implicit_tls) as transport:
            with pytest.raises(Unavailable, match="certificate that cannot be trusted"):
                await transport.send_mail(MAIL)
        assert server.received == []


async def test_a_wrong_password_is_told_without_it() -> None:
    with MailServer().running() as server:
        async with transport_to(server.port, user=USER, password="hushhush") as transport:
            with pytest.raises(Unavailable, match="535") as raised:
                await transport.send_mail(MAIL)
        assert "hushhush" not in raised.value.message


async def test_no_password_goes_out_without_tls_but_to_this_machine() -> None:
    with MailServer().running() as server:
        elsewhere = SmtpServer("127.1", server.port, user=USER, password=PASSWORD)
        transport = SmtpTransport(elsewhere, name="x.example", executor=executor(), timeout=SECONDS, connections=1)
        with pytest.raises(Unavailable, match="offers no TLS"):
            await transport.send_mail(MAIL)
        await transport.close()
        assert server.log_ins == []


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("550 5.1.1 no such user", MailFailure.HARD),
        ("550 no such user", MailFailure.HARD),
        ("554 5.7.1 you are on a list", MailFailure.OURS),
        ("451 4.7.1 greylisted, come back", None),
        ("552 5.2.2 mailbox full", None),
        ("421 4.3.2 shutting down", None),
    ],
)
async def test_a_refused_recipient_is_refused_or_tried_again(reply: str, failure: MailFailure | None) -> None:
    with MailServer().running() as server:
        server.replies.append(reply)
        async with transport_to(server.port) as transport:
            with pytest.raises((MailRefused, Unavailable)) as raised:
                await transport.send_mail(MAIL)
            assert getattr(raised.value, "failure", None) is failure
            assert reply[:3] in raised.value.message
            await transport.send_mail(MAIL)
        assert len(server.received) == 1


@pytest.mark.parametrize(("reply", "error"), [("554 5.6.0 bad contents", MailRefused), ("451 later", Unavailable)])
async def test_refused_contents(reply: str, error: type[Exception]) -> None:
    with MailServer().running() as server:
        server.data_replies.append(reply)
        async with transport_to(server.port) as transport:
            with pytest.raises(error, match=reply[:3]):
                await transport.send_mail(MAIL)
            await transport.send_mail(MAIL)


async def test_a_server_that_is_not_there() -> None:
    with misbehaving_server() as port:
        pass
    async with transport_to(port) as transport:
        with pytest.raises(Unavailable, match="ConnectionRefusedError"):
            await transport.send_mail(MAIL)


async def test_a_server_that_never_answers_is_given_up() -> None:
    with misbehaving_server() as port:
        async with transport_to(port, timeout=0.05) as transport:
            with pytest.raises(Unavailable):
                await transport.send_mail(MAIL)


@pytest.mark.parametrize(
    "replies",
    [
        (b"nonsense\r\n",),
        (b"220 hello\r\n",),
        (b"220 hello\r\n", b"250 hello\r\n", b"250 sender\r\n", b"250 recipient\r\n", b"354 go on\r\n"),
        (b"220 hello\r\n", b"250 hello\r\n", b"250 sender\r\n", b"nonsense without end" * 1000),
        (b"554 go away\r\n",),
        (b"220 hello\r\n", b"250-a\r\n250 STARTTLS\r\n", b"220 go on\r\n", b"nonsense\r\n"),
    ],
    ids=["nonsense", "greeting", "mid-DATA", "long line", "refused at once", "nonsense as TLS"],
)
async def test_a_server_that_misbehaves_is_tried_again(replies: tuple[bytes, ...]) -> None:
    with misbehaving_server(*replies) as port:
        async with transport_to(port) as transport:
            with pytest.raises(Unavailable) as raised:
                await transport.send_mail(MAIL)
    assert raised.value.message.startswith("the mail server 127.0.0.1:")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("replies", [(), (b"220 hello\r\n",)], ids=["greeting", "hello"])
async def test_a_cancelled_delivery_is_cut_off(replies: tuple[bytes, ...]) -> None:
    """The thread ends long before the time-out would end it; else the test would not end."""
    with misbehaving_server(*replies, hangs=True) as port:
        async with transport_to(port, timeout=1000) as transport:
            with anyio.move_on_after(0.1) as scope:
                await transport.send_mail(MAIL)
            assert scope.cancelled_caught


async def test_an_address_of_other_letters_needs_a_server_that_takes_it() -> None:
    mail = OutgoingMail(sender=MAIL.sender, recipient="оля@chat.example", message=MESSAGE)
    with MailServer().running() as server:
        async with transport_to(server.port) as transport:
            await transport.send_mail(mail)
        assert server.received[0].recipients == ["оля@chat.example"]
    with misbehaving_server(b"220 hello\r\n", b"250 hello\r\n", b"250 ok\r\n") as port:
        async with transport_to(port) as transport:
            with pytest.raises(MailRefused) as raised:
                await transport.send_mail(mail)
            assert raised.value.failure is MailFailure.HARD
