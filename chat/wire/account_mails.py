"""Mails about accounts that were asked for: the auth service writes them for the notification role.

No record has a secret in it: the token of a link is made when the mail is made.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec import Struct

from chat.errors import Poison

ACCOUNT_MAIL_TOPIC = "account-mails"


class AccountMailKind(StrEnum):
    """What a mail is about."""

    VERIFY = "verify"
    RESET = "reset"
    NEW_LOG_IN = "new_log_in"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind
    ADDRESS_CHANGED = "address_changed"


class AccountMail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`id` is the same when the record comes again. `ts` is when it happened, in milliseconds.

    `user` is an id; of a reset it is empty, and `asked` is the name or the address that somebody typed. The mail goes
    to the user's verified address, or to `email`, where that is given. `agent` and `address` are the program and the
    place of a log-in or a change. `trace` is the traceparent of the span that asked for it, or that took it on.
    """

    id: str
    kind: AccountMailKind
    ts: int
    user: str = ""
    asked: str = ""
    email: str = ""
    agent: str = ""
    address: str = ""
    trace: str = ""


encode_account_mail = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[AccountMail] = msgspec.json.Decoder(AccountMail)


def decode_account_mail(value: bytes) -> AccountMail:
    """The record in a log entry's value, or `Poison`."""
    try:
        return _decoder.decode(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Poison(f"not a mail of an account: {error}") from error
