"""The settings of push and of webhooks: what is taken, and what is wrong with what is not."""

from __future__ import annotations

import pytest

from chat.settings import SettingsError, read_settings

KEY = "k" * 43
SECRET = "a secret of some length"


def problems(**variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings({f"ROOKERY_{name}": value for name, value in variables.items()})
    return str(caught.value)


def test_push_is_on_with_the_services_of_the_browsers() -> None:
    push = read_settings({}).push
    assert push.enabled
    assert "fcm.googleapis.com" in push.services


def test_an_operator_adds_push_services() -> None:
    push = read_settings({"ROOKERY_PUSH_HOSTS": "Push.Example.org, *.example.net,127.0.0.1:9000"}).push
    assert push.services[:3] == ("push.example.org", "*.example.net", "127.0.0.1:9000")


@pytest.mark.parametrize(
    "host", ["https://push.example.org", "push.example.org:443", "10.0.0.1", "10.0.0.1:80", "[::1]:80", "*", "*.", "a"]
)
def test_what_names_no_push_service_is_refused(host: str) -> None:
    assert "ROOKERY_PUSH_HOSTS" in problems(PUSH_HOSTS=host)


def test_a_key_is_never_repeated() -> None:
    said = problems(VAPID_KEYS="not-a-key")
    assert "ROOKERY_VAPID_KEYS" in said
    assert "not-a-key" not in said
    settings = read_settings({"ROOKERY_VAPID_KEYS": f"{KEY},{KEY}", "ROOKERY_WEBHOOK_SECRET": SECRET})
    assert KEY not in repr(settings)
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    "url", ["https://[::1", "https://[x]/", "https://hooks.example.org:99999/", "https://a\u2100b/"]
)
def test_a_url_that_cannot_be_taken_apart_is_named(url: str) -> None:
    for name in ("WEBHOOK_URL", "PUBLIC_URL", "TRACING_ENDPOINT", "ORIGINS"):
        said = problems(**{name: url.rstrip("/")})
        assert said.startswith(f"ROOKERY_{name}"), said
        assert ": give " in said


def test_a_webhook_needs_a_secret_and_https() -> None:
    assert "ROOKERY_WEBHOOK_SECRET" in problems(WEBHOOK_URL="https://hooks.example.org/")
    assert "ROOKERY_WEBHOOK_PRIVATE" in problems(WEBHOOK_URL="http://hooks.example.org/", WEBHOOK_SECRET=SECRET)
    assert "ROOKERY_WEBHOOK_URL" in problems(WEBHOOK_URL="ftp://hooks.example.org/", WEBHOOK_SECRET=SECRET)
    settings = read_settings(
        {
            "ROOKERY_WEBHOOK_URL": "http://127.0.0.1:9000/hook",
            "ROOKERY_WEBHOOK_SECRET": SECRET,
            "ROOKERY_WEBHOOK_PRIVATE": "on",
        }
    )
    assert settings.webhook.private


@pytest.mark.parametrize("contact", ["admin@example.org", "mailto:admin", "http://example.org", "mailto:a b@c.d"])
def test_a_contact_is_an_address_or_a_url(contact: str) -> None:
    assert "ROOKERY_PUSH_CONTACT" in problems(PUSH_CONTACT=contact)
