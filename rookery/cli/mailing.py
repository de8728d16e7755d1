"""Mail in a process: what sends it, and the pool and the loop of mails about accounts."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.utils import parseaddr

from msgspec import Struct
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.adapters.mail.account_mails import AccountMailer
from chat.adapters.mail.delivery import MailDelivery
from chat.adapters.mail.digests import DigestMailer
from chat.adapters.mail.outbox import MailFolder
from chat.adapters.mail.smtp import SmtpTransport
from chat.assembly import Store
from chat.domain.mailboxes import encode_mailbox
from chat.engines.executor import ThreadExecutor
from chat.ports.log import Log
from chat.ports.mail import MailTransport
from chat.settings import Settings, SettingsError
from chat.wire.account_mails import ACCOUNT_MAIL_TOPIC, AccountMail
from rookery.cli.process import run_in_background
from workers.account_mails import GROUP, AccountMailDispatcher, AccountMailHandler
from workers.pool import Pool


class MailParts(Struct, frozen=True):
    """What mail adds to a process that runs the notification pool: a pool, the sender of digests, and the figures."""

    pool: Pool[AccountMail]
    digests: DigestMailer
    collector: Collector


class MailCollector(Collector):
    """`rookery_mails_total{outcome}`: `sent`, `refused` by the server, or not sent to `suppressed` addresses."""

    def __init__(self, delivery: MailDelivery) -> None:
        self._counts = delivery.counts

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        found = CounterMetricFamily("rookery_mails", "Mails by what became of them", labels=["outcome"])
        for outcome in ("sent", "refused", "suppressed"):
            found.add_metric([outcome], getattr(self._counts, outcome))
        yield found


@asynccontextmanager
async def open_mail(settings: Settings, store: Store, log: Log) -> AsyncIterator[MailParts]:
    """Send mails about accounts for the time of the context. Raises `SettingsError`."""
    transport = make_transport(settings)
    delivery = MailDelivery(
        settings.mail, public_url=find_public_url(settings), transport=transport, mailings=store.mailings
    )
    sender = AccountMailer(delivery, store.accounts, store.mailings, store.notifications)
    dispatcher = AccountMailDispatcher(store.mailings, sender)
    handler = AccountMailHandler(store.mailings, dispatcher.wake)
    digests = DigestMailer(delivery, store.accounts, store.notifications)
    try:
        async with run_in_background(dispatcher.run):
            pool = Pool(log, GROUP, [ACCOUNT_MAIL_TOPIC], handler)
            yield MailParts(pool, digests, MailCollector(delivery))
    finally:
        await transport.close()


def make_transport(settings: Settings) -> MailTransport:
    """The mail server that the settings name, or else the folder `outbox` beside the data. Raises `SettingsError`."""
    mail, server = settings.mail, settings.mail.server
    if server is None:
        folder = settings.embedded.data / "outbox"
        return MailFolder(folder, files=mail.mail_outbox_files, executor=ThreadExecutor())
    try:
        context = ssl.create_default_context(cafile=str(mail.smtp_ca_file) if mail.smtp_ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"ROOKERY_SMTP_CA_FILE cannot be read: {error.strerror or error}") from None
    return SmtpTransport(
        server,
        name=encode_mailbox(parseaddr(mail.mail_from)[1]).rpartition("@")[2],
        executor=ThreadExecutor(),
        timeout=mail.smtp_timeout_seconds,
        connections=mail.smtp_connections,
        context=context,
    )


def find_public_url(settings: Settings) -> str:
    """Where people find the page: as the setting says, or at the address of REST."""
    address = settings.http.address
    host = f"[{address.host}]" if ":" in address.host else address.host
    return settings.http.public_url or f"http://{host}:{address.port}"
