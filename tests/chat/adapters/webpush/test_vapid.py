"""The keys of push: made, kept in a file, read from settings, and what is signed with them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from chat.adapters.webpush.vapid import KEYS_FILE, VapidSigner, add_key, generate_key, load_keys, read_keys
from chat.settings import SettingsError
from tests.support.builders import NOW
from tests.support.push import read_vapid

CONTACT = "mailto:admin@example.org"
ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc"
HOUR_MS = 3600 * 1000


def test_a_key_is_read_as_it_was_printed() -> None:
    key = generate_key()
    (read,) = read_keys([key.text], "ROOKERY_VAPID_KEYS")
    assert (read.public, read.text) == (key.public, key.text)
    assert len(key.text) == 43
    assert len(key.public) == 87
    assert key.text not in repr(key)


@pytest.mark.parametrize("text", ["A" * 43, "_" * 43, "A" * 42, "!" * 43, ""])
def test_what_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_keys([text], "ROOKERY_VAPID_KEYS")
    assert "ROOKERY_VAPID_KEYS" in str(caught.value)
    assert not text or text not in str(caught.value)


def test_the_first_start_makes_a_key_that_others_cannot_read(tmp_path: Path) -> None:
    (key,) = load_keys(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data" / KEYS_FILE).stat().st_mode) == 0o600
    assert [each.text for each in load_keys(tmp_path / "data")] == [key.text]
    assert [path.name for path in (tmp_path / "data").iterdir()] == [KEYS_FILE]


def test_a_new_key_stands_before_the_older_ones(tmp_path: Path) -> None:
    (old,) = load_keys(tmp_path)
    new = generate_key()
    add_key(tmp_path, new)
    assert [each.text for each in load_keys(tmp_path)] == [new.text, old.text]
    assert stat.S_IMODE((tmp_path / KEYS_FILE).stat().st_mode) == 0o600


def test_a_file_that_others_can_read_or_that_is_empty_is_refused(tmp_path: Path) -> None:
    load_keys(tmp_path)
    (tmp_path / KEYS_FILE).chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_keys(tmp_path)
    (tmp_path / KEYS_FILE).chmod(0o600)
    (tmp_path / KEYS_FILE).write_text("")
    with pytest.raises(SettingsError, match="no key"):
        load_keys(tmp_path)


def test_a_push_service_can_verify_who_sends() -> None:
    key = generate_key()
    header = VapidSigner([key], CONTACT).sign_request(key.public, ENDPOINT, NOW)
    assert header is not None
    claims, public = read_vapid({"authorization": header})
    assert public == key.public
    assert (claims["aud"], claims["sub"]) == ("https://fcm.googleapis.com", CONTACT)
    assert NOW // 1000 < claims["exp"] <= NOW // 1000 + 24 * 3600


def test_a_token_is_signed_once_for_hours_and_in_time_anew() -> None:
    key = generate_key()
    signer = VapidSigner([key], CONTACT)
    first = signer.sign_request(key.public, ENDPOINT, NOW)
    assert signer.sign_request(key.public, f"{ENDPOINT}/other", NOW + 5 * HOUR_MS) == first
    later = signer.sign_request(key.public, ENDPOINT, NOW + 7 * HOUR_MS)
    assert later != first
    assert signer.sign_request(key.public, "https://web.push.apple.com/x", NOW) != first
    assert signer.sign_request(key.public, ENDPOINT, NOW - 24 * HOUR_MS) not in (first, later)


def test_an_older_key_signs_for_the_subscriptions_that_were_made_with_it() -> None:
    new, old = generate_key(), generate_key()
    signer = VapidSigner([new, old], CONTACT)
    for key in (new, old):
        header = signer.sign_request(key.public, ENDPOINT, NOW)
        assert header is not None
        assert read_vapid({"authorization": header})[1] == key.public
    assert signer.sign_request(generate_key().public, ENDPOINT, NOW) is None
