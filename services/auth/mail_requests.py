"""Mails that the auth service asks for: how often, and how they reach the log.

Rule 1: mails to one e-mail address, and links to a new password for one name, are counted over an hour, and so is what
  one IP address asks for. Otherwise anybody could fill a stranger's mailbox.
Rule 2: a mail that somebody waits for is durable in the log when the call is answered.
Rule 3: a mail that only tells what happened (a new log-in, another password) holds up and fails nothing.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence

from chat.domain.ids import new_id
from chat.domain.text import fold_email
from chat.errors import RateLimited, Unavailable
from chat.tracing import current_traceparent
from chat.wire.account_mails import ACCOUNT_MAIL_TOPIC, AccountMail, AccountMailKind, encode_account_mail
from services.common.addresses import limit_key
from services.common.collaborators import Services

HOUR = 3600.0
AGENT_LENGTH = 200
_logger = logging.getLogger(__name__)


async def count_mail(services: Services, about: str, address: str) -> None:
    """Count a mail to an e-mail address, or about a name, which an IP address asks for (rule 1).

    Raises `RateLimited`.
    """
    limits = services.settings.limits
    if not limits.rate_limits:
        return
    digest = hashlib.sha256(fold_email(about).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    counts = {
        f"mail:address:{limit_key(address)}": limits.mails_per_hour_from_address,
        f"mail:about:{digest}": limits.mails_per_hour,
    }
    for key, limit in counts.items():
        wait = await services.limits.count_call(key, limit=limit, window_s=HOUR)
        if wait:
            raise RateLimited("too many mails were asked for; try again later", retry_after_ms=wait)


async def request_mail(services: Services, kind: AccountMailKind, **fields: str) -> None:
    """Ask for a mail (rule 2). `fields` are those of `AccountMail`. Raises `Unavailable`."""
    mail = _make_mail(services, kind, fields)
    await services.log.append(ACCOUNT_MAIL_TOPIC, mail.user or mail.id, encode_account_mail(mail))


async def request_verification(services: Services, user: str, email: str, address: str) -> None:
    """Ask for the mail that verifies an address, unless too many were asked for; a failure is logged (rule 3).

    For a registration, which is not to fail because of a mail: the user can ask for another.
    """
    try:
        await count_mail(services, email, address)
    except (RateLimited, Unavailable):
        return
    note_event(services, AccountMailKind.VERIFY, user=user, email=email)


def note_event(services: Services, kind: AccountMailKind, **fields: str) -> None:
    """Ask for a mail without waiting (rule 3)."""
    mail = _make_mail(services, kind, fields)
    try:
        services.log.produce(ACCOUNT_MAIL_TOPIC, mail.user, encode_account_mail(mail), _log_failure)
    except Unavailable as error:
        _log_failure(error)


def note_events(services: Services, kind: AccountMailKind, user: str, emails: Sequence[str]) -> None:
    """As `note_event`, one mail to each of these addresses."""
    for email in emails:
        note_event(services, kind, user=user, email=email)


def _make_mail(services: Services, kind: AccountMailKind, fields: dict[str, str]) -> AccountMail:
    if "agent" in fields:
        fields = {**fields, "agent": "".join(filter(str.isprintable, fields["agent"]))[:AGENT_LENGTH]}
    return AccountMail(id=new_id(), kind=kind, ts=services.clock(), trace=current_traceparent(), **fields)


def _log_failure(error: Exception | None) -> None:
    if error is not None:
        _logger.warning("a mail about an account was not asked for: %s", error)
