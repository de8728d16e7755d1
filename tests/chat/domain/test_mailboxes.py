"""E-mail addresses: which ones mail can go to, and how they stand in an envelope."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.domain.mailboxes import EMAIL_LENGTH, check_email, encode_mailbox
from chat.errors import Invalid


@pytest.mark.parametrize(
    ("address", "encoded"),
    [
        ("ann@chat.example", "ann@chat.example"),
        ("o'brien+news@chat.example", "o'brien+news@chat.example"),
        ("ann@пример.example", "ann@xn--e1afmkfd.example"),
        ("оля@chat.example", "оля@chat.example"),
        ("zoe\u0308@chat.example", "zoe\u0308@chat.example"),
    ],
)
def test_a_host_is_written_in_ascii(address: str, encoded: str) -> None:
    assert encode_mailbox(address) == encoded
    assert check_email(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "a>b@chat.example",
        'a"b@chat.example',
        "a,b@chat.example",
        "<a@b.example",
        "a@b",
        "a\x7fb@c.example",
        "",
        "a@-ä-.example",
        "a\u200b@chat.example",
        "a@chat\u200b.example",
        "a@ch\u00adat.example",
        "a\u202e@chat.example",
        "a@chat.\u202eexample",
        "\u0301@chat.example",
        "a@\u0301.example",
        "a" + "\u0301" * 40 + "@chat.example",
        "a@b" + "\u0301" * 40 + ".example",
        "\ue000@chat.example",
        "a\u2028b@chat.example",
        "a@💥.example",
        "a@chat/x.example",
        "a@chat%0a.example",
        f"a@{'x' * 64}.example",
        f"a@{'x.' * 130}example",
        "\ud800@chat.example",
        "a@\ud800.example",
    ],
)
def test_an_address_that_no_mail_can_go_to_is_refused(address: str) -> None:
    for check in (check_email, encode_mailbox):
        if check is check_email or len(address) <= EMAIL_LENGTH:
            with pytest.raises(Invalid) as refused:
                check(address)
            assert refused.value.field == "email"


@given(st.text(max_size=64), st.text(max_size=64))
def test_what_is_taken_can_be_written_into_an_envelope(local: str, host: str) -> None:
    try:
        address = check_email(f"{local}@{host}.example")
    except Invalid:
        return
    assert encode_mailbox(address).rpartition("@")[2].isascii()
    assert encode_mailbox(address).isprintable()
