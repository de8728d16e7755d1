"""The keys of push in a process, the contact, and `rookery vapid generate`."""

from __future__ import annotations

import stat
from argparse import Namespace
from pathlib import Path

import pytest

from chat.adapters.webpush.vapid import KEYS_FILE, generate_key, load_keys
from chat.settings import EmbeddedSettings, HttpSettings, PushSettings, Settings
from rookery.cli.pushing import find_contact, find_push_keys, list_public_keys
from rookery.cli.vapid import generate_vapid_key

pytestmark = pytest.mark.anyio


def settings_of(tmp_path: Path, push: PushSettings) -> Settings:
    return Settings(embedded=EmbeddedSettings(data=tmp_path), push=push)


def test_a_process_that_runs_everything_makes_a_key_and_keeps_it(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, PushSettings())
    first = find_push_keys(settings, make=True)
    assert list_public_keys(find_push_keys(settings, make=True)) == list_public_keys(first)
    assert stat.S_IMODE((tmp_path / KEYS_FILE).stat().st_mode) == 0o600


def test_roles_of_their_own_have_the_keys_of_the_settings_or_none(tmp_path: Path) -> None:
    assert find_push_keys(settings_of(tmp_path, PushSettings())) == []
    new, old = generate_key(), generate_key()
    settings = settings_of(tmp_path, PushSettings(vapid_keys=(new.text, old.text)))
    assert list_public_keys(find_push_keys(settings)) == (new.public, old.public)
    assert list_public_keys(find_push_keys(settings, make=True)) == (new.public, old.public)
    assert list(tmp_path.iterdir()) == []


def test_push_that_is_off_has_no_keys(tmp_path: Path) -> None:
    assert find_push_keys(settings_of(tmp_path, PushSettings(enabled=False)), make=True) == []


@pytest.mark.parametrize(
    ("contact", "public_url", "found"),
    [
        ("mailto:a@b.example", "https://chat.example.org/chat", "mailto:a@b.example"),
        ("", "https://chat.example.org/chat", "https://chat.example.org"),
        ("", "http://chat.example.org", "mailto:nobody@localhost.localdomain"),
        ("", "", "mailto:nobody@localhost.localdomain"),
    ],
)
def test_push_services_are_given_whom_to_write_to(contact: str, public_url: str, found: str) -> None:
    settings = Settings(push=PushSettings(push_contact=contact), http=HttpSettings(public_url=public_url))
    assert find_contact(settings) == found


async def test_a_key_is_printed_before_the_older_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = generate_key()
    settings = settings_of(tmp_path, PushSettings(vapid_keys=(old.text,)))
    assert await generate_vapid_key(settings, Namespace(save=False)) == 0
    name, _, value = capsys.readouterr().out.strip().partition("=")
    assert name == "ROOKERY_VAPID_KEYS"
    assert value.split(",")[1:] == [old.text]


async def test_a_key_is_put_into_the_data_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (old,) = load_keys(tmp_path)
    settings = settings_of(tmp_path, PushSettings())
    assert await generate_vapid_key(settings, Namespace(save=True)) == 0
    assert KEYS_FILE in capsys.readouterr().out
    keys = load_keys(tmp_path)
    assert len(keys) == 2
    assert keys[1].text == old.text
