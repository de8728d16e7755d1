"""Whose fault a failure is, and what signed links and return paths prove."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.domain.mailing import (
    LINK_DAYS,
    Bounces,
    LinkChanged,
    LinkExpired,
    MailFailure,
    add_bounce,
    bind_to_password,
    judge_reply,
    judge_status,
    read_link,
    read_recipient,
    sign_link,
    sign_recipient,
)
from tests.support.builders import ANN, BEN, NOW

SECRET, OTHER_SECRET = b"s" * 32, b"o" * 32
DAY = 24 * 3600 * 1000


@pytest.mark.parametrize(
    ("code", "text", "failure"),
    [
        (450, "4.2.1 greylisted", MailFailure.SOFT),
        (452, "too many recipients", MailFailure.SOFT),
        (550, "5.1.1 <x@y.example>: no such user", MailFailure.HARD),
        (550, "no such user here", MailFailure.HARD),
        (554, "transaction failed", MailFailure.HARD),
        (551, "5.1.6 moved", MailFailure.HARD),
        (552, "mailbox full", MailFailure.SOFT),
        (552, "5.2.2 over quota", MailFailure.SOFT),
        (550, "5.7.1 blocked by a list", MailFailure.OURS),
        (554, "5.6.0 bad contents", MailFailure.OURS),
        (535, "5.7.8 authentication failed", MailFailure.OURS),
        (530, "5.7.0 STARTTLS first", MailFailure.OURS),
        (503, "5.5.1 bad sequence", MailFailure.OURS),
        (550, "5.2.1 mailbox disabled", MailFailure.HARD),
        (550, "5.1.1.1 is no status", MailFailure.HARD),
    ],
)
def test_a_reply_says_whose_fault_it_is(code: int, text: str, failure: MailFailure) -> None:
    assert judge_reply(code, text) is failure


@pytest.mark.parametrize("status", ["", "5", "5.1", "4.1.1", "2.0.0", "9.9.9", "none"])
def test_a_status_that_is_no_permanent_one_is_soft(status: str) -> None:
    assert judge_status(status) is MailFailure.SOFT


def test_one_mail_counts_once_and_two_suppress() -> None:
    once = add_bounce(Bounces(), "one", MailFailure.HARD, "r", NOW)
    assert add_bounce(once, "one", MailFailure.HARD, "r", NOW) == once
    assert not once.is_suppressed
    for failure in (MailFailure.SOFT, MailFailure.OURS):
        assert not add_bounce(once, "two", failure, "r", NOW).is_suppressed
    twice = add_bounce(once, "two", MailFailure.HARD, "x" * 999, NOW)
    assert twice.is_suppressed
    assert len(twice.reason) == 200
    assert add_bounce(twice, "three", MailFailure.HARD, "", NOW).is_suppressed


def test_a_link_names_its_user_until_it_is_too_old() -> None:
    token = sign_link(SECRET, ANN, NOW)
    assert read_link(SECRET, token, NOW) == ANN
    assert read_link(SECRET, token, NOW + LINK_DAYS * DAY) == ANN
    with pytest.raises(LinkExpired):
        read_link(SECRET, token, NOW + (LINK_DAYS + 1) * DAY)


def test_a_link_that_was_changed_is_refused() -> None:
    token = sign_link(SECRET, ANN, NOW)
    user, made, signature = token.split(".")
    changed = [
        token[:place] + ("a" if token[place] != "a" else "b") + token[place + 1 :] for place in range(len(token))
    ]
    newer = int(made, 36) + 1
    others = [f"{BEN}.{made}.{signature}", f"{user}.{newer}.{signature}", token[:-1], token + "a", "", "..", user]
    for each in [*changed, *others, sign_link(OTHER_SECRET, ANN, NOW)]:
        with pytest.raises(LinkChanged):
            read_link(SECRET, each, NOW)


@given(st.text())
def test_whatever_a_link_is_its_error_has_a_name(token: str) -> None:
    with pytest.raises((LinkChanged, LinkExpired)):
        read_link(SECRET, token, NOW)


@pytest.mark.parametrize("address", ["ann@chat.example", "Ann+news@Chat.Example", "a=b@c.example", "оля@почта.example"])
def test_a_return_path_gives_the_address_back(address: str) -> None:
    signed = sign_recipient(SECRET, address)
    assert read_recipient(SECRET, signed) == address.lower()
    assert read_recipient(SECRET, signed.upper()) == address.lower()
    assert "@" not in signed


@given(st.text())
def test_a_return_path_that_we_did_not_sign_names_nobody(signed: str) -> None:
    assert read_recipient(SECRET, signed) is None


def test_a_return_path_that_was_changed_names_nobody() -> None:
    signed = sign_recipient(SECRET, "ann@chat.example")
    assert read_recipient(SECRET, signed.replace("ann", "bob")) is None
    assert read_recipient(OTHER_SECRET, signed) is None


def test_a_token_is_bound_to_one_password() -> None:
    assert bind_to_password("one") == bind_to_password("one")
    assert len({bind_to_password(each) for each in ("one", "two", "", None)}) == 3


@pytest.mark.parametrize("user", ["é" * 36, "00000000-0000-4000-8000-000000000000"])
@pytest.mark.parametrize("signature", ["é" * 22, "٣" * 22, "a" * 21 + "ﬀ"])
def test_a_link_in_other_letters_is_refused(user: str, signature: str) -> None:
    with pytest.raises(LinkChanged):
        read_link(SECRET, f"{user}.abc.{signature}", NOW)


@pytest.mark.parametrize("signed", ["\ud800=a=x", "ann=chat.example=\udcff", "İ=a=x", "=" * 10_000])
def test_a_return_path_of_any_characters_names_nobody(signed: str) -> None:
    assert read_recipient(SECRET, signed) is None
