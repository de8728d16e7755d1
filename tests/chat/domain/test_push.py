"""Which subscriptions are taken, and what a push service's answers mean."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.domain.push import (
    LONGEST_WAIT_SECONDS,
    PUSH_SERVICES,
    PushOutcome,
    compute_wait,
    decode_auth,
    decode_p256dh,
    find_push_service,
    make_topic,
    read_outcome,
    read_retry_after,
)
from chat.errors import Invalid
from tests.support.builders import ANN, BEN, HALL
from tests.support.push import FakeBrowser, encode_key

HOSTS = (*PUSH_SERVICES, "127.0.0.1:9000")
NOON = 1_774_699_200_000  # 2026-03-28T12:00:00Z


@pytest.mark.parametrize(
    ("endpoint", "service"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc:def", "fcm.googleapis.com"),
        ("https://FCM.googleapis.com:443/wp/abc", "fcm.googleapis.com"),
        ("https://updates.push.services.mozilla.com/wpush/v2/abc", "*.push.services.mozilla.com"),
        ("https://web.push.apple.com/abc", "*.push.apple.com"),
        ("https://wns2-par02p.notify.windows.com/w/?token=abc%3d", "*.notify.windows.com"),
        ("http://127.0.0.1:9000/push/1", "127.0.0.1:9000"),
    ],
)
def test_an_endpoint_belongs_to_a_push_service(endpoint: str, service: str) -> None:
    assert find_push_service(endpoint, HOSTS) == service


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "fcm.googleapis.com/x",
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com:0/x",
        "https://fcm.googleapis.com:99999/x",
        "https://user@fcm.googleapis.com/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://evil.example\\@fcm.googleapis.com/x",
        "https://evilpush.apple.com/x",
        "https://push.apple.com/x",
        "https://fcm.googleapis.com/x#fragment",
        "https://fcm.googleapis.com/a b",
        "https://fcm.googleapis.com/\r\nHost: evil",
        "https://fcm.googleapis.com/é",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://localhost/x",
        "http://127.0.0.1:9001/push/1",
        "http://127.0.0.1/push/1",
        "ftp://127.0.0.1:9000/push/1",
        "http://[",
        "https://fcm.googleapis.com/" + "x" * 1024,
    ],
)
def test_any_other_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(Invalid) as caught:
        find_push_service(endpoint, HOSTS)
    assert caught.value.field == "endpoint"


@given(st.text(max_size=60))
def test_whatever_is_given_is_an_endpoint_or_named(endpoint: str) -> None:
    with pytest.raises(Invalid):
        find_push_service(f"https://{endpoint}", ("push.example.org",))


def test_the_keys_of_a_browser_are_taken() -> None:
    browser = FakeBrowser()
    assert decode_p256dh(encode_key(browser.p256dh)) == browser.p256dh
    assert decode_p256dh(encode_key(browser.p256dh) + "=") == browser.p256dh
    assert decode_auth(encode_key(browser.auth)) == browser.auth


POINT = FakeBrowser().p256dh


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        POINT[:64],
        POINT + b"x",
        b"\x02" + POINT[1:33],
        b"\x05" + POINT[1:],
        POINT[:64] + bytes([POINT[64] ^ 1]),
        b"\x04" + bytes(64),
        b"\x04" + b"\xff" * 64,
    ],
    ids=["empty", "too short", "too long", "compressed", "of no form", "beside the curve", "zero", "outside the field"],
)
def test_what_is_not_a_point_of_the_curve_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        decode_p256dh(encode_key(raw))
    assert caught.value.field == "keys.p256dh"


@pytest.mark.parametrize("text", ["", "!", "a", "ключ", encode_key(b"x" * 15), encode_key(b"x" * 17)])
def test_a_secret_of_another_length_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode_auth(text)
    assert caught.value.field == "keys.auth"


def test_a_topic_is_of_one_user_and_conversation_and_names_neither() -> None:
    topics = {make_topic(ANN, HALL), make_topic(BEN, HALL), make_topic(ANN, "room:other")}
    assert len(topics) == 3
    assert make_topic(ANN, HALL) == make_topic(ANN, HALL)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", topic) for topic in topics)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, PushOutcome.DELIVERED),
        (201, PushOutcome.DELIVERED),
        (202, PushOutcome.DELIVERED),
        (301, PushOutcome.REFUSED),
        (307, PushOutcome.REFUSED),
        (400, PushOutcome.REFUSED),
        (401, PushOutcome.REFUSED),
        (403, PushOutcome.REFUSED),
        (404, PushOutcome.GONE),
        (408, PushOutcome.LATER),
        (410, PushOutcome.GONE),
        (413, PushOutcome.TOO_LONG),
        (429, PushOutcome.LATER),
        (500, PushOutcome.LATER),
        (503, PushOutcome.LATER),
    ],
)
def test_a_status_has_a_meaning(status: int, outcome: PushOutcome) -> None:
    assert read_outcome(status) is outcome


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sat, 28 Mar 2026 12:00:30 GMT", 30.0),
        ("Sat, 28 Mar 2026 11:00:00 GMT", 0.0),
        ("Sat, 28 Mar 2026 12:00:30 -0000", 30.0),
        ("99999999999999999999", LONGEST_WAIT_SECONDS),
        ("Sat, 28 Mar 2099 12:00:30 GMT", LONGEST_WAIT_SECONDS),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    assert read_retry_after(value, NOON) == seconds


@given(st.text(max_size=40))
def test_retry_after_is_a_bounded_time_or_nothing(value: str) -> None:
    seconds = read_retry_after(value, NOON)
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT_SECONDS


def test_the_wait_grows_and_is_bounded() -> None:
    waits = [compute_wait(attempts, 1.0) for attempts in range(1, 30)]
    assert waits == sorted(waits)
    assert waits[0] == 5.0
    assert waits[-1] == LONGEST_WAIT_SECONDS
    assert compute_wait(1, 0.0) == 2.5
