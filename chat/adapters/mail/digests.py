"""Digests: mails about what stayed unread.

Rule 1: a digest goes to the verified address of a user who wants mail.
Rule 2: mails about one conversation are one thread in a mail program: each refers to a Message-ID that follows from the
  conversation. Mails about several are a thread of their own.
Rule 3: the same digest has the same Message-ID, so that one that is sent again after a crash is shown once.
Rule 4: one click unsubscribes (RFC 8058), by a signed link.
"""

from __future__ import annotations

from chat.adapters.mail.delivery import MailDelivery
from chat.domain.conversations import is_room, partner, room_of
from chat.domain.mailing import sign_link
from chat.domain.notifying import UNDECIDED
from chat.ports.accounts import Accounts
from chat.ports.notifications import NotificationStore
from chat.ports.notifier import Digest, DigestConversation
from chat.texts.digest_letter import write_digest


class DigestMailer:
    """`chat.ports.notifier.DigestSender`."""

    def __init__(self, delivery: MailDelivery, accounts: Accounts, notifications: NotificationStore) -> None:
        self._delivery = delivery
        self._accounts = accounts
        self._notifications = notifications

    async def send_digest(self, digest: Digest) -> None:
        user = await self._accounts.get_user(digest.user)
        if user is None or not user.email or not user.email_verified or not digest.conversations:  # rule 1
            return
        settings = (await self._notifications.get_settings([user.id])).get(user.id, UNDECIDED)
        if not settings.email:
            return
        home = self._delivery.public_url
        token = sign_link(await self._delivery.read_secret(), user.id, self._delivery.clock())
        unsubscribe = f"{home}/api/notifications/unsubscribe?token={token}"
        letter = write_digest(
            digest,
            now=self._delivery.clock(),
            link_to=lambda found: link_conversation(home, user.id, found),
            home=f"{home}/",
            unsubscribe=unsubscribe,
        )
        await self._delivery.send_letter(
            user.email,
            letter,
            message_id=self._make_message_id(digest),
            thread=(self._make_thread(digest),),
            one_click=unsubscribe,  # rule 4
        )

    def _make_message_id(self, digest: Digest) -> str:
        newest = [f"{each.conversation} {each.lines[-1].seq if each.lines else 0}" for each in digest.conversations]
        return self._delivery.make_message_id("digest", digest.user, *newest)  # rule 3

    def _make_thread(self, digest: Digest) -> str:
        conversations = {each.conversation for each in digest.conversations}
        return self._delivery.make_message_id(
            "thread", digest.user, *(conversations if len(conversations) == 1 else ())
        )


def link_conversation(home: str, user: str, found: DigestConversation) -> str:
    """The address of a conversation in the page, at its first unread message."""
    key = found.conversation
    place = f"room/{room_of(key)}" if is_room(key) else f"person/{partner(key, user)}"
    return f"{home}/#/{place}/{found.first_unread}"
