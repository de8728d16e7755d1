"""Messages: what users wrote stays what it is, in headers, in text and in HTML."""

from __future__ import annotations

import re
from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chat.adapters.mail.composing import Composer, Headers, clean_header
from chat.domain.mailing import sign_recipient
from chat.texts.letters import Letter, LetterLine, LetterPart
from tests.support.builders import NOW
from tests.support.mailing import parse_message, read_part

COMPOSER = Composer()
HOSTILE = "<script>alert(1)</script>\"'&{{ 7*7 }}{% raw %}"
LETTER = Letter(
    language="ru",
    subject="Unread in hall",
    heading="3 unread",
    parts=[
        LetterPart("hall", "https://chat.example/#/room/1/2", [LetterLine("Ann", "12:00", "one\n.two")], "and 2 more")
    ],
    paragraphs=["A paragraph."],
    button=("Open", "https://chat.example/"),
    notes=["A note."],
    unsubscribe=("No more", "https://chat.example/off?token=a.b&c=d"),
)
HEADERS = Headers(
    sender="Rookery Чат <chat@chat.example>",
    recipient="ann@chat.example",
    message_id="<1@chat.example>",
    now=NOW,
    thread=("<root@chat.example>",),
    delivery="ann=chat.example=abc",
    one_click="https://chat.example/off?token=a.b",
)


def test_a_message_has_the_headers_of_an_automatic_mail_in_a_thread() -> None:
    message = parse_message(COMPOSER.compose_message(LETTER, HEADERS))
    assert message["Subject"] == "Unread in hall"
    assert message["From"] == "Rookery Чат <chat@chat.example>"
    assert message["To"] == "ann@chat.example"
    assert message["Date"] == "Thu, 01 Jan 2026 00:00:00 +0000"
    assert message["Message-ID"] == "<1@chat.example>"
    assert message["References"] == message["In-Reply-To"] == "<root@chat.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == "<https://chat.example/off?token=a.b>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Content-Language"] == "ru"
    assert message.get_content_type() == "multipart/alternative"


def test_a_mail_about_an_account_is_on_no_list() -> None:
    message = parse_message(COMPOSER.compose_message(LETTER, replace(HEADERS, one_click="", thread=(), delivery="")))
    assert not {"List-Unsubscribe", "List-Unsubscribe-Post", "References", "X-Rookery-Delivery"} & set(message.keys())


def test_every_part_of_a_letter_is_in_the_text_and_in_the_html() -> None:
    message = parse_message(COMPOSER.compose_message(LETTER, HEADERS))
    text, html = read_part(message), read_part(message, "html")
    for said in ("3 unread", "hall", "Ann", "12:00", "and 2 more", "A paragraph.", "Open", "A note.", "No more"):
        assert said in text
        assert said in html
    assert "> one\n> .two\n" in text.replace("\r\n", "\n")
    assert "one\n.two" in html.replace("\r\n", "\n")
    assert "https://chat.example/off?token=a.b&c=d" in text
    assert 'href="https://chat.example/off?token=a.b&amp;c=d"' in html


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = read_part(parse_message(COMPOSER.compose_message(LETTER, HEADERS)), "html")
    assert not re.search(r"<(img|link|script|iframe|object|video|audio|form)\b|url\(|@import|\bsrc=", html)
    assert "prefers-color-scheme: dark" in html


def test_what_users_wrote_is_escaped_in_html_and_plain_in_text() -> None:
    part = LetterPart(HOSTILE, "https://chat.example/", [LetterLine(HOSTILE, "12:00", HOSTILE)])
    letter = replace(LETTER, heading=HOSTILE, subject=HOSTILE, parts=[part], paragraphs=[HOSTILE], notes=[HOSTILE])
    message = parse_message(COMPOSER.compose_message(letter, HEADERS))
    html = read_part(message, "html")
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;{{ 7*7 }}{% raw %}" in html
    assert HOSTILE in read_part(message)
    assert message["Subject"] == HOSTILE


@pytest.mark.parametrize(
    "name",
    [
        "Ann\r\nBcc: eve@evil.example",
        "Ann\nSubject: x\n\nbody",
        "a\u2028Bcc: b",
        "a\x0bb",
        "a\x85Bcc: x",
        "=?utf-8?q?a=0Ab?=",
    ],
)
def test_a_name_adds_no_header(name: str) -> None:
    letter = replace(LETTER, subject=name)
    message = parse_message(COMPOSER.compose_message(letter, HEADERS))
    plain = parse_message(COMPOSER.compose_message(LETTER, HEADERS))
    assert message.keys() == plain.keys()
    assert "\n" not in message["Subject"]


@given(st.text(max_size=300))
def test_any_subject_makes_one_header(subject: str) -> None:
    raw = COMPOSER.compose_message(replace(LETTER, subject=subject), HEADERS)
    head = raw.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    message = parse_message(raw)
    assert "Bcc" not in message
    assert message["To"] == "ann@chat.example"
    assert message["Message-ID"] == "<1@chat.example>"


def test_what_turns_other_characters_round_is_no_part_of_a_header() -> None:
    assert clean_header(" a\u202eb\n c\x00 ", 10) == "ab c"
    assert clean_header("x" * 20, 10) == "x" * 10


@pytest.mark.parametrize("size", [10, 63])
def test_a_long_signed_recipient_is_never_encoded(size: int) -> None:
    signed = sign_recipient(b"s" * 32, f"{'a' * size}@{'b' * size}.{'c-d' * 10}.example")
    raw = COMPOSER.compose_message(LETTER, replace(HEADERS, delivery=signed))
    assert "".join(str(message_from_bytes(raw)["X-Rookery-Delivery"]).split()) == signed
