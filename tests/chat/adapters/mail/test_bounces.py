"""Mails that came back: what a delivery status notification (RFC 3464) says, and for whom it counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.adapters.mail.bounces import ReturnedMail, read_bounce
from chat.domain.mailing import MailFailure, sign_recipient

SECRET = b"s" * 32
SIGNED = sign_recipient(SECRET, "ann@chat.example")


def make_bounce(
    *,
    to: str = "bounces@chat.example",
    quoted: str = f"X-Rookery-Delivery: {SIGNED}\r\nMessage-ID: <mail@chat.example>\r\n",
    kind: str = "message/rfc822",
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 no such user",
) -> bytes:
    """A bounce as Postfix writes it."""
    return f"""Return-Path: <>\r
From: MAILER-DAEMON@mx.example\r
To: {to}\r
Message-ID: <bounce@mx.example>\r
Subject: Undelivered Mail Returned to Sender\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r
\r
--b\r
Content-Type: text/plain\r
\r
I'm sorry.\r
\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example\r
\r
Final-Recipient: rfc822; elsewhere@forwarded.example\r
Action: {action}\r
Status: {status}\r
Diagnostic-Code: {diagnostic}\r
\r
--b\r
Content-Type: {kind}\r
\r
{quoted}\r
the text\r
\r
--b--\r
""".encode()


FOUND = ReturnedMail("ann@chat.example", "<mail@chat.example>", MailFailure.HARD, "smtp; 550 5.1.1 no such user")


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_a_bounce_counts_for_whom_the_mail_was_signed(kind: str) -> None:
    assert read_bounce(SECRET, make_bounce(kind=kind)) == FOUND


@pytest.mark.parametrize("to", [f"bounces+{SIGNED}@chat.example", f"<bounces+{SIGNED.upper()}@CHAT.example>"])
def test_the_return_path_is_enough(to: str) -> None:
    found = read_bounce(SECRET, make_bounce(to=to, quoted="Subject: x\r\n"))
    assert found is not None
    assert (found.address, found.failure) == ("ann@chat.example", MailFailure.HARD)
    assert read_bounce(SECRET, make_bounce(to=to, quoted="", kind="text/plain")) == ReturnedMail(
        "ann@chat.example", "<bounce@mx.example>", MailFailure.HARD, FOUND.reason
    )


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ("5.1.1", MailFailure.HARD),
        ("4.2.2", MailFailure.SOFT),
        ("5.2.2", MailFailure.SOFT),
        ("5.7.1", MailFailure.OURS),
    ],
)
def test_the_status_says_whose_fault_it_is(status: str, failure: MailFailure) -> None:
    found = read_bounce(SECRET, make_bounce(status=status))
    assert found is not None
    assert found.failure is failure


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", ""])
def test_what_is_no_failure_says_nothing(action: str) -> None:
    assert read_bounce(SECRET, make_bounce(action=action)) is None


def test_without_our_signature_it_counts_for_nobody() -> None:
    forged = sign_recipient(b"o" * 32, "ann@chat.example")
    for quoted in ("Subject: x\r\n", f"X-Rookery-Delivery: {forged}\r\n", "X-Rookery-Delivery: ann=chat.example=x\r\n"):
        assert read_bounce(SECRET, make_bounce(quoted=quoted)) is None
    assert read_bounce(b"o" * 32, make_bounce()) is None


@pytest.mark.parametrize("source", [b"", b"\0\xff" * 100, b"Subject: out of office\r\n\r\nI am away.\r\n"])
def test_what_is_no_bounce_says_nothing(source: bytes) -> None:
    assert read_bounce(SECRET, source) is None


@given(st.integers(0, len(make_bounce())), st.binary(max_size=20))
def test_a_bounce_that_is_damaged_raises_nothing(place: int, damage: bytes) -> None:
    whole = make_bounce()
    read_bounce(SECRET, whole[:place] + damage + whole[place + len(damage) :])
    read_bounce(SECRET, whole[:place])


NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(1000)
)


@pytest.mark.parametrize(
    "source",
    [
        make_bounce(to="(" * 5000 + "a@b.example"),
        make_bounce(to="(a" * 5000 + ")" * 5000),
        make_bounce(to="a:" * 5000),
        make_bounce(to="x+ann=chat.example=\xff@b.example").replace("\xff".encode(), b"\xff\xfe"),
        make_bounce(kind="text/rfc822-headers; charset=nonsense"),
        NESTED,
        b"Content-Type: message/rfc822\r\n\r\n" * 5000,
    ],
    ids=["comments", "deep comments", "groups", "no UTF-8", "an unknown charset", "parts in parts", "mails in mails"],
)
def test_a_bounce_that_means_harm_raises_nothing(source: bytes) -> None:
    assert read_bounce(SECRET, source) in (None, FOUND)


def test_a_signature_that_came_in_parts_is_known_again() -> None:
    signed = f"X-Rookery-Delivery: {SIGNED[:10]}\r\n {SIGNED[10:]}\r\nMessage-ID: <mail@chat.example>\r\n"
    assert read_bounce(SECRET, make_bounce(quoted=signed)) == FOUND
