"""What a Redis URL says, and what is said of one that cannot be used."""

from __future__ import annotations

import ssl

import pytest

from chat.adapters.redis.target import NodeAddress, parse_target
from chat.settings import RedisSettings, SettingsError


def test_a_server() -> None:
    target = parse_target(RedisSettings(url="redis://10.0.0.1:7000/2"))
    assert (target.address, target.db, target.tls) == (NodeAddress("10.0.0.1", 7000), 2, None)
    assert target.handshake_commands() == [("SELECT", 2), ("CLIENT", "SETNAME", "rookery")]
    assert str(target.address) == "10.0.0.1:7000"


def test_defaults() -> None:
    target = parse_target(RedisSettings(url="redis://"))
    assert (target.address, target.prefix) == (NodeAddress("localhost", 6379), "rookery:")
    assert target.handshake_commands() == [("CLIENT", "SETNAME", "rookery")]


def test_credentials() -> None:
    assert parse_target(RedisSettings(url="redis://:s%40crt@h")).handshake_commands()[0] == ("AUTH", "default", "s@crt")
    assert parse_target(RedisSettings(url="redis://ann:secret@h")).handshake_commands()[0] == ("AUTH", "ann", "secret")


def test_a_socket() -> None:
    target = parse_target(RedisSettings(url="unix:///run/redis.sock?db=1"))
    assert (target.address, target.db) == (NodeAddress("/run/redis.sock", 0), 1)
    assert str(target.address) == "/run/redis.sock"


def test_tls_checks_names_unless_told_otherwise() -> None:
    strict = parse_target(RedisSettings(url="rediss://h")).tls
    assert strict is not None
    assert (strict.check_hostname, strict.verify_mode) == (True, ssl.CERT_REQUIRED)
    lax = parse_target(RedisSettings(url="rediss://h?ssl_cert_reqs=none")).tls
    assert lax is not None
    assert (lax.check_hostname, lax.verify_mode) == (False, ssl.CERT_NONE)
    named = parse_target(RedisSettings(url="rediss://h?ssl_check_hostname=false")).tls
    assert named is not None
    assert (named.check_hostname, named.verify_mode) == (False, ssl.CERT_REQUIRED)


@pytest.mark.parametrize(
    "url",
    [
        "http://u:secret@h",
        "redis://u:secret@h:port",
        "rediss://u:secret@h?ssl_ca_certs=/nowhere",
        "redis://u:secret@h?db=x",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(SettingsError, match="ROOKERY_REDIS_URL") as refused:
        parse_target(RedisSettings(url=url))
    assert "secret" not in str(refused.value)


def test_a_prefix_has_no_braces() -> None:
    with pytest.raises(SettingsError, match="ROOKERY_REDIS_PREFIX"):
        parse_target(RedisSettings(url="redis://", prefix="{mine}"))


def test_sentinels() -> None:
    url = "redis+sentinel://ann:s%40crt@h1,[::1]:5/chat/2?sentinel_username=bob&sentinel_password=pw&client_name=x"
    target = parse_target(RedisSettings(url=url))
    group = target.sentinels
    assert group is not None
    assert (group.name, group.addresses) == ("chat", (NodeAddress("h1", 26379), NodeAddress("::1", 5)))
    assert (target.username, target.password, target.db, target.name) == ("ann", "s@crt", 2, "the sentinels of chat")
    assert target.handshake_commands()[:2] == [("AUTH", "ann", "s@crt"), ("SELECT", 2)]
    assert target.sentinel_commands() == [("AUTH", "bob", "pw")]
    assert parse_target(RedisSettings(url="redis+sentinel://h/chat")).sentinel_commands() == []
    assert parse_target(RedisSettings(url="rediss+sentinel://h/chat")).tls is not None


@pytest.mark.parametrize("rest", ["h1,h2", "h1/", ",h2/chat", "h1:x/chat", "h1/chat/zero"])
def test_sentinels_that_cannot_be_used(rest: str) -> None:
    with pytest.raises(SettingsError, match=r"ROOKERY_REDIS_URL cannot be used .*redis\+sentinel://"):
        parse_target(RedisSettings(url=f"redis+sentinel://:secret@{rest}"))
