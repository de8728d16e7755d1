"""What an e-mail address may be, so that whoever gives one learns at once when no mail can go there.

Rule 1: a typing error is caught: there is one `@`, something before it, and a host with a dot behind it.
Rule 2: what an address can only have in quotes (RFC 5322, section 3.4.1) is refused: providers give no such addresses,
  and programs read them differently.
Rule 3: nothing in it is invisible. Two addresses that look the same would be two mailboxes.
Rule 4: its host can be written in ASCII (RFC 5890), because that is how it is looked up.
"""

from __future__ import annotations

import re
import unicodedata

from chat.domain.characters import has_too_many_marks
from chat.domain.visible import drop_ignorable
from chat.errors import Invalid

EMAIL_LENGTH = 254  # RFC 5321, section 4.5.3.1.3, as RFC 3696's erratum 1690 reads it
_ATOM = r"[^@\s\x00-\x1f\x7f-\x9f()<>\[\]:;,\\\""  # rule 2
_EMAIL = re.compile(rf"{_ATOM}]{{1,64}}@{_ATOM}.]+(\.{_ATOM}.]+)+")  # rule 1
_ASCII_HOST = re.compile(r"[\w-]{1,63}(\.[\w-]{1,63})+", re.ASCII)
_JOINERS = str.maketrans("", "", "\u200c\u200d")  # words of some scripts are written with them; IDNA says which


def check_email(email: str) -> str:
    """An e-mail address as given, or `Invalid`."""
    if len(email) > EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        raise Invalid("`email` is not an e-mail address; write it as name@example.org", field="email")
    encode_mailbox(email)
    return email


def encode_mailbox(email: str) -> str:
    """The address as it stands in an envelope: its host in ASCII (rule 4). Raises `Invalid` where that is impossible.

    Other than ASCII before the `@` stays, and needs a server that takes it (RFC 6531).
    """
    if not _EMAIL.fullmatch(email):
        raise Invalid("`email` is not an e-mail address; write it as name@example.org", field="email")
    local, _, host = email.rpartition("@")
    if not local.isprintable() or unicodedata.category(local[0])[0] == "M" or has_too_many_marks(email):
        raise Invalid("`email` has a character that an address cannot have; give another", field="email")
    return f"{local}@{_encode_host(host)}"


def _encode_host(host: str) -> str:
    import idna  # here: settings name mailboxes, and are read before it is known whether it is installed

    try:
        encoded = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        encoded = ""
    shown = host.translate(_JOINERS)
    if not _ASCII_HOST.fullmatch(encoded) or drop_ignorable(shown) != shown:  # rule 3
        raise Invalid("`email` has a host that cannot exist; give another", field="email")
    return encoded
