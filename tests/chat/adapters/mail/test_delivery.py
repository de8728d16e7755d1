"""The way of a mail: suppressed addresses, refusals, return paths, and what mails about accounts and digests say."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from chat.adapters.mail.account_mails import AccountMailer
from chat.adapters.mail.bounces import read_bounce
from chat.adapters.mail.delivery import MailDelivery
from chat.adapters.mail.digests import DigestMailer
from chat.domain.invitations import digest_token
from chat.domain.mailing import MailFailure, TokenPurpose, read_link, read_recipient
from chat.domain.notifying import NotificationKind, NotificationSettings
from chat.errors import Unavailable
from chat.ports.mail import MailRefused
from chat.ports.notifier import Digest, DigestConversation, DigestLine
from chat.settings import MailSettings
from chat.texts.letters import Letter
from chat.wire.account_mails import AccountMail, AccountMailKind
from tests.support.builders import ANN, ANN_AND_BEN, BEN, HALL, NOW, ROOM, make_user
from tests.support.engines import Stores, sqlite_memory
from tests.support.mailing import SETTINGS, URL, MemoryTransport, make_delivery, read_part

pytestmark = pytest.mark.anyio
ADDRESS = "ann@mail.example"
LETTER = Letter(language="en", subject="hello", heading="hello")
LINE = DigestLine(seq=7, sender_name="Ben <b>", text="look\nhere", ts=NOW - 60_000)
IN_HALL = DigestConversation(
    conversation=HALL, room_name="Hall", kind=NotificationKind.MENTION, unread=3, first_unread=5, lines=[LINE]
)
OF_BEN = replace(IN_HALL, conversation=ANN_AND_BEN, room_name="", kind=NotificationKind.DM, unread=1)
DIGEST = Digest(user=ANN, language="en", time_zone="Europe/Berlin", conversations=[IN_HALL])


@pytest.fixture
async def stores(anyio_backend: object) -> AsyncIterator[Stores]:
    """Stores with Ann, whose address is verified, and Ben, whose is not."""
    async with sqlite_memory(Path()) as opened:
        await opened.accounts.create_user(make_user(ANN, email=ADDRESS, email_verified=True), "hash")
        await opened.accounts.create_user(make_user(BEN, email="ben@mail.example"), "hash")
        yield opened


@pytest.fixture
def transport() -> MemoryTransport:
    return MemoryTransport()


@pytest.fixture
def delivery(stores: Stores, transport: MemoryTransport) -> MailDelivery:
    return make_delivery(transport, stores.mailings)


@pytest.fixture
def mailer(stores: Stores, delivery: MailDelivery) -> AccountMailer:
    return AccountMailer(delivery, stores.accounts, stores.mailings, stores.notifications)


@pytest.fixture
def digests(stores: Stores, delivery: MailDelivery) -> DigestMailer:
    return DigestMailer(delivery, stores.accounts, stores.notifications)


def make_mail(kind: AccountMailKind, **fields: str) -> AccountMail:
    return AccountMail(id=f"mail of {kind}", kind=kind, ts=NOW, **fields)


async def change_settings(stores: Stores, settings: NotificationSettings) -> None:
    await stores.notifications.change_settings(ANN, lambda _before: settings, {})


async def test_two_refused_mails_suppress_an_address(
    stores: Stores, transport: MemoryTransport, delivery: MailDelivery
) -> None:
    for number in range(2):
        transport.errors.append(MailRefused("550 5.1.1 no such user", MailFailure.HARD))
        assert not await delivery.send_letter(ADDRESS, LETTER, message_id=f"<{number}@x>")
    assert await delivery.is_suppressed(ADDRESS)
    assert not await delivery.send_letter(ADDRESS, LETTER, message_id="<2@x>")
    assert transport.mails == []
    assert await delivery.send_letter(ADDRESS, LETTER, message_id="<3@x>", verifies=True)
    assert (delivery.counts.sent, delivery.counts.refused, delivery.counts.suppressed) == (1, 2, 1)


async def test_a_refusal_that_is_our_fault_is_logged_without_the_address(
    stores: Stores, transport: MemoryTransport, delivery: MailDelivery, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for number in range(3):
            transport.errors.append(MailRefused(f"550 5.7.1 {ADDRESS} is on a list", MailFailure.OURS))
            assert not await delivery.send_letter(ADDRESS, LETTER, message_id=f"<{number}@x>")
    assert not await delivery.is_suppressed(ADDRESS)
    assert ADDRESS not in caplog.text
    assert "550" in caplog.text


async def test_a_server_that_cannot_take_it_now_is_the_callers_to_ask_again(
    stores: Stores, transport: MemoryTransport, delivery: MailDelivery
) -> None:
    transport.errors.append(Unavailable("451"))
    with pytest.raises(Unavailable):
        await delivery.send_letter(ADDRESS, LETTER, message_id="<1@x>")
    assert not (await stores.mailings.get_bounces(ADDRESS)).hard


async def test_an_address_that_cannot_be_written_counts_as_refused(
    stores: Stores, transport: MemoryTransport, delivery: MailDelivery
) -> None:
    assert not await delivery.send_letter("a>b@chat.example", LETTER, message_id="<1@x>")
    assert transport.mails == []


async def test_a_bounce_finds_the_address_by_the_mail_or_its_return_path(
    stores: Stores, transport: MemoryTransport, delivery: MailDelivery
) -> None:
    await delivery.send_letter(ADDRESS, LETTER, message_id="<1@x>")
    (mail,), (message,) = transport.mails, transport.messages
    secret = await stores.mailings.get_secret()
    local, _, host = mail.sender.rpartition("@")
    assert (local.partition("+")[0], host) == ("bounces", "chat.example")
    assert read_recipient(secret, local.partition("+")[2]) == ADDRESS
    assert read_recipient(secret, message["X-Rookery-Delivery"]) == ADDRESS
    assert read_bounce(secret, mail.message) is None


@pytest.mark.parametrize(
    ("settings", "sender"),
    [
        (replace(SETTINGS, mail_return_path=""), "chat@chat.example"),
        (replace(SETTINGS, mail_return_path="b" * 40 + "@chat.example"), "b" * 40 + "@chat.example"),
        (MailSettings(), "rookery@chat.invalid"),
    ],
)
async def test_without_room_for_it_the_return_path_names_nobody(
    stores: Stores, transport: MemoryTransport, settings: MailSettings, sender: str
) -> None:
    await make_delivery(transport, stores.mailings, settings).send_letter(ADDRESS, LETTER, message_id="<1@x>")
    assert transport.mails[0].sender == sender


async def test_a_verification_brings_a_link_that_verifies_the_address(
    stores: Stores, transport: MemoryTransport, mailer: AccountMailer
) -> None:
    await mailer.send_account_mail(make_mail(AccountMailKind.VERIFY, user=BEN, email="ben@mail.example"))
    (message,) = transport.messages
    assert message["To"] == "ben@mail.example"
    found = re.search(rf"{re.escape(URL)}/#verify=([\w-]{{43}})", read_part(message))
    assert found is not None
    token = await stores.mailings.use_token(digest_token(found[1]), TokenPurpose.VERIFY, NOW)
    assert token is not None
    assert (token.user, token.email, token.expires) == (BEN, "ben@mail.example", NOW + 24 * 3600 * 1000)


@pytest.mark.parametrize(
    "fields",
    [
        {"user": ANN, "email": ADDRESS},
        {"user": BEN, "email": "other@mail.example"},
        {"user": "x", "email": "y@z.example"},
    ],
)
async def test_what_needs_no_verification_any_more_gets_no_mail(
    transport: MemoryTransport, mailer: AccountMailer, fields: dict[str, str]
) -> None:
    await mailer.send_account_mail(make_mail(AccountMailKind.VERIFY, **fields))
    assert transport.mails == []


@pytest.mark.parametrize("asked", ["Ann", "ANN", ADDRESS, ADDRESS.upper()])
async def test_a_reset_goes_to_the_verified_address(
    stores: Stores, transport: MemoryTransport, mailer: AccountMailer, asked: str
) -> None:
    await mailer.send_account_mail(make_mail(AccountMailKind.RESET, asked=asked))
    (message,) = transport.messages
    assert message["To"] == ADDRESS
    found = re.search(r"/#reset=([\w-]{43})", read_part(message))
    assert found is not None
    assert found[0] in read_part(message, "html")
    token = await stores.mailings.use_token(digest_token(found[1]), TokenPurpose.RESET, NOW)
    assert token is not None
    assert (token.user, token.expires) == (ANN, NOW + 3600 * 1000)


@pytest.mark.parametrize("asked", ["ben", "ben@mail.example", "nobody", "nobody@mail.example", "", "@"])
async def test_nobody_gets_a_reset_at_an_address_that_is_not_verified(
    transport: MemoryTransport, mailer: AccountMailer, asked: str
) -> None:
    await mailer.send_account_mail(make_mail(AccountMailKind.RESET, asked=asked))
    assert transport.mails == []


async def test_security_mails_say_when_where_and_by_what_in_the_language_of_the_user(
    stores: Stores, transport: MemoryTransport, mailer: AccountMailer
) -> None:
    settings = NotificationSettings(language="ru", time_zone="Europe/Moscow", email=False)
    await change_settings(stores, settings)
    fields = {"user": ANN, "agent": "Firefox <x>", "address": "192.0.2.1"}
    await mailer.send_account_mail(make_mail(AccountMailKind.NEW_LOG_IN, **fields))
    await mailer.send_account_mail(make_mail(AccountMailKind.PASSWORD_CHANGED, **fields))
    await mailer.send_account_mail(make_mail(AccountMailKind.ADDRESS_CHANGED, user=ANN, email="old@mail.example"))
    assert [(each["To"], each["Subject"]) for each in transport.messages] == [
        (ADDRESS, "Новый вход в вашу учётную запись"),
        (ADDRESS, "Ваш пароль изменён"),
        ("old@mail.example", "Ваш адрес электронной почты изменён"),
    ]
    for said in ("1 января 2026, 03:00", "Firefox <x>", "192.0.2.1", "Ann"):
        assert said in read_part(transport.messages[0])


async def test_who_has_no_verified_address_gets_no_security_mails(
    transport: MemoryTransport, mailer: AccountMailer
) -> None:
    for kind in (AccountMailKind.NEW_LOG_IN, AccountMailKind.PASSWORD_CHANGED):
        await mailer.send_account_mail(make_mail(kind, user=BEN))
    assert transport.mails == []


async def test_a_digest_shows_what_is_unread_and_where_to_read_it(
    stores: Stores, transport: MemoryTransport, digests: DigestMailer
) -> None:
    await digests.send_digest(replace(DIGEST, conversations=[IN_HALL, OF_BEN]))
    (message,) = transport.messages
    text, html = read_part(message), read_part(message, "html")
    assert message["Subject"] == "4 unread messages"
    for said in (f"{URL}/#/room/{ROOM}/5", f"{URL}/#/person/{BEN}/5", "Hall", "and 2 more messages", "00:59"):
        assert said in text
        assert said in html
    assert "Ben <b>" in text
    assert "Ben &lt;b&gt;" in html
    link = message["List-Unsubscribe"][1:-1]
    assert link.startswith(f"{URL}/api/notifications/unsubscribe?token=")
    assert read_link(await stores.mailings.get_secret(), link.partition("=")[2], NOW) == ANN
    assert link in text


async def test_digests_of_one_conversation_are_a_thread(transport: MemoryTransport, digests: DigestMailer) -> None:
    later = replace(IN_HALL, lines=[replace(LINE, seq=9)])
    for conversations in ([IN_HALL], [later], [OF_BEN], [IN_HALL, OF_BEN], [IN_HALL]):
        await digests.send_digest(replace(DIGEST, conversations=conversations))
    first, second, of_ben, both, again = transport.messages
    assert first["References"] == second["References"]
    assert first["Subject"] == second["Subject"] == "Unread in Hall"
    assert of_ben["Subject"] == "Unread from Ben <b>"
    assert len({each["References"] for each in (first, of_ben, both)}) == 3
    assert len({each["Message-ID"] for each in (first, second, of_ben, both)}) == 4
    assert again["Message-ID"] == first["Message-ID"]


async def test_who_wants_no_mail_or_has_no_verified_address_gets_no_digest(
    stores: Stores, transport: MemoryTransport, digests: DigestMailer
) -> None:
    for user in (BEN, "nobody"):
        await digests.send_digest(replace(DIGEST, user=user))
    await digests.send_digest(replace(DIGEST, conversations=[]))
    await change_settings(stores, NotificationSettings(email=False))
    await digests.send_digest(DIGEST)
    assert transport.mails == []
