"""Mails about accounts: who gets them, and the tokens in them.

Rule 1: a mail goes to a verified address. Only the mail that verifies an address goes to one that is not verified yet.
Rule 2: a token is made with the mail; a mail that is made again, after a crash, has another one, and both work.
"""

from __future__ import annotations

import secrets
from urllib.parse import quote

from chat.adapters.mail.delivery import MailDelivery
from chat.domain.invitations import digest_token
from chat.domain.mailing import TOKEN_LIVES_MS, MailToken, TokenPurpose, bind_to_password
from chat.domain.models import User
from chat.ports.accounts import Accounts
from chat.ports.mailings import Mailings
from chat.ports.notifications import NotificationStore
from chat.texts import account_letters
from chat.texts.languages import Texts, get_texts
from chat.texts.letters import Letter
from chat.wire.account_mails import AccountMail, AccountMailKind


class AccountMailer:
    """`chat.ports.mail.AccountMailSender`."""

    def __init__(
        self, delivery: MailDelivery, accounts: Accounts, mailings: Mailings, notifications: NotificationStore
    ) -> None:
        self._delivery = delivery
        self._accounts = accounts
        self._mailings = mailings
        self._notifications = notifications

    async def send_account_mail(self, mail: AccountMail) -> None:
        user = await self._find_user(mail)
        if user is None:
            return
        if mail.kind is AccountMailKind.VERIFY:
            await self._send_verification(mail, user)
        elif mail.kind is AccountMailKind.RESET:
            await self._send_reset(mail, user)
        else:
            await self._send_news(mail, user)

    async def _find_user(self, mail: AccountMail) -> User | None:
        if mail.user:
            return await self._accounts.get_user(mail.user)
        if "@" in mail.asked:  # no name has one
            return await self._accounts.find_by_email(mail.asked)
        return await self._accounts.find_by_name(mail.asked)

    async def _send_verification(self, mail: AccountMail, user: User) -> None:
        is_verified = user.email_verified and user.email == mail.email
        if is_verified or mail.email not in {user.email, user.pending_email}:
            return  # another address was given since
        link = await self._make_link(TokenPurpose.VERIFY, user, mail.email)
        texts = await self._get_texts(user)
        letter = account_letters.write_verification(texts, name=user.name, email=mail.email, link=link)
        await self._send_letter(mail, mail.email, letter)

    async def _send_reset(self, mail: AccountMail, user: User) -> None:
        if not user.email or not user.email_verified or await self._delivery.is_suppressed(user.email):  # rule 1
            return
        link = await self._make_link(TokenPurpose.RESET, user, user.email)
        letter = account_letters.write_reset(await self._get_texts(user), name=user.name, link=link)
        await self._send_letter(mail, user.email, letter)

    async def _send_news(self, mail: AccountMail, user: User) -> None:
        recipient = mail.email or (user.email if user.email_verified else None)
        if not recipient:
            return
        texts, home = await self._get_texts(user), f"{self._delivery.public_url}/"
        settings = (await self._notifications.get_settings([user.id])).get(user.id)
        when = texts.format_moment(mail.ts, settings.time_zone if settings else None)
        if mail.kind is AccountMailKind.ADDRESS_CHANGED:
            letter = account_letters.write_address_changed(texts, name=user.name, when=when, link=home)
        else:
            is_log_in = mail.kind is AccountMailKind.NEW_LOG_IN
            write = account_letters.write_new_log_in if is_log_in else account_letters.write_password_changed
            letter = write(texts, name=user.name, when=when, agent=mail.agent, address=mail.address, link=home)
        await self._send_letter(mail, recipient, letter)

    async def _send_letter(self, mail: AccountMail, recipient: str, letter: Letter) -> None:
        message_id = self._delivery.make_message_id("account", mail.id)
        verifies = mail.kind is AccountMailKind.VERIFY
        await self._delivery.send_letter(recipient, letter, message_id=message_id, verifies=verifies)

    async def _make_link(self, purpose: TokenPurpose, user: User, email: str) -> str:
        now = self._delivery.clock()
        token = await issue_token(self._accounts, self._mailings, purpose, user, email=email, now=now)
        return make_link(self._delivery.public_url, purpose, token)

    async def _get_texts(self, user: User) -> Texts:
        settings = (await self._notifications.get_settings([user.id])).get(user.id)
        return get_texts(settings.language if settings else None)


async def issue_token(
    accounts: Accounts, mailings: Mailings, purpose: TokenPurpose, user: User, *, email: str, now: int
) -> str:
    """A new token; only its digest is stored. One for another password is bound to the present one."""
    token = secrets.token_urlsafe(32)
    bound = b""
    if purpose is TokenPurpose.RESET:
        bound = bind_to_password(await accounts.get_password_hash(user.id))
    stored = MailToken(
        digest=digest_token(token),
        purpose=purpose,
        user=user.id,
        expires=now + TOKEN_LIVES_MS[purpose],
        email=email,
        bound=bound,
    )
    await mailings.add_token(stored, now)
    return token


def make_link(public_url: str, purpose: TokenPurpose, token: str) -> str:
    """Where the page takes a token. It stands behind `#`, so that no server and no log on the way gets it."""
    return f"{public_url.rstrip('/')}/#{purpose.value}={quote(token)}"
