"""Settings are read from variables and flags; all that cannot be read is named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat.settings import Address, Settings, SettingsError, list_variables, read_settings


def problems(flags: dict[str, str | None] | None = None, /, **environ: str) -> list[str]:
    """What is wrong with these variables, which go without `ROOKERY_`."""
    with pytest.raises(SettingsError) as raised:
        read_settings({f"ROOKERY_{name}": value for name, value in environ.items()}, flags)
    return str(raised.value).splitlines()


def test_every_variable_sets_its_field_and_has_a_description() -> None:
    names = [variable.name for variable in list_variables()]
    assert len(set(names)) == len(names)
    for variable in list_variables():
        assert variable.setting.description
        default = variable.default
        text = ",".join(default) if isinstance(default, tuple) else str("" if default is None else default)
        settings = read_settings({variable.name: text})
        group = getattr(settings, variable.group) if variable.group else settings
        assert getattr(group, variable.field) == default


def test_variables_are_read_in_their_types() -> None:
    settings = read_settings(
        {
            "ROOKERY_KAFKA": "kafka-1:9092, [2001:db8::1]:9093,",
            "ROOKERY_KAFKA_SECURITY": "SASL_SSL",
            "ROOKERY_KAFKA_USERNAME": "ada",
            "ROOKERY_KAFKA_PASSWORD": "secret",
            "ROOKERY_SEND_BURST": "2e2",
            "ROOKERY_HEARTBEAT_SECONDS": "0.5",
            "ROOKERY_DEFLATE": "Off",
            "ROOKERY_ORIGINS": "https://a.example , https://b.example",
            "ROOKERY_LOG_LEVEL": "INFO",
            "ROOKERY_RPC_TLS_CA": "",
            "HOME": "/root",
        }
    )
    assert settings.kafka.brokers == (Address("kafka-1", 9092), Address("2001:db8::1", 9093))
    assert (settings.kafka.security, settings.log_level) == ("sasl_ssl", "info")
    assert (settings.limits.send_burst, settings.edge.heartbeat_seconds) == (200, 0.5)
    assert not settings.edge.deflate
    assert settings.edge.origins == ("https://a.example", "https://b.example")
    assert settings.rpc.tls_ca is None


def test_a_flag_wins_over_its_variable() -> None:
    environ = {"ROOKERY_WS": "0.0.0.0:1", "ROOKERY_HTTP": "nonsense"}
    settings = read_settings(environ, {"--ws": None, "--http": "[::1]:2", "--data": "elsewhere"})
    assert settings.edge.address == Address("0.0.0.0", 1)  # noqa: S104 - nothing is bound
    assert settings.http.address == Address("::1", 2)
    assert settings.embedded.data == Path("elsewhere")


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("HEARTBEAT_SECONDS", "0", "a number, 0.05 or more"),
        ("HEARTBEAT_SECONDS", "1e-9", "a number, 0.05 or more"),
        ("HEARTBEAT_SECONDS", "inf", "a number, 0.05 or more"),
        ("HEARTBEAT_SECONDS", "nan", "a number, 0.05 or more"),
        ("HEARTBEAT_SECONDS", "", "a number, 0.05 or more"),
        ("HEARTBEAT_SECONDS", "1e300", "a number, 315360000 or less"),
        ("AUTH_SECONDS", "0", "a number above 0"),
        ("REFRESH_SECONDS", "1e30", "an integer, 315360000 or less"),
        ("COMMIT_INTERVAL_MS", "1e18", "a number, 60000 or less"),
        ("KAFKA_PARTITIONS", "99999999999999999999999", "an integer, 1000000000000 or less"),
        ("TOKEN_SECONDS", "inf", "an integer from 1 to 86400"),
        ("TOKEN_SECONDS", "0.5", "an integer from 1 to 86400"),
        ("DATA", "", "a path"),
        ("ORIGINS", "https://a.example,chat", "origins such as https://chat.example.org, without a path, or *"),
        ("ORIGINS", "https://a.example/", "origins such as https://chat.example.org, without a path, or *"),
        ("WS_URL", "https://chat.example.org", "an address such as wss://chat.example.org/ws"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,10.0.0.0/33", "addresses or networks such as 10.0.0.0/8"),
        ("TRUSTED_PROXIES", "300.1.1.1", "addresses or networks such as 10.0.0.0/8"),
        ("TRUSTED_PROXIES", "nginx", "addresses or networks such as 10.0.0.0/8"),
        ("DRAIN_SECONDS", "-1", "a number, 0 or more"),
        ("SEND_BURST", "0.5", "an integer, 1 or more"),
        ("TOKEN_SECONDS", "86401", "an integer from 1 to 86400"),
        ("DEFLATE", "maybe", "on or off"),
        ("LOG_LEVEL", "verbose", "one of debug, info, warning, error"),
        ("BACKEND", "curio", "one of uvloop, asyncio, trio"),
        ("RPC_BINDING", "soap", "one of grpcio, purerpc"),
        ("RPC_MAX_BYTES", "10", "an integer, 65536 or more"),
        ("KAFKA_SECURITY", "tls", "one of plaintext, ssl, sasl_plaintext, sasl_ssl"),
        ("KAFKA_PARTITIONS", "0", "an integer, 1 or more"),
        ("HTTP", "8000", "HOST:PORT, such as 127.0.0.1:8000 or [::1]:8000"),
        ("HTTP", ":8000", "HOST:PORT, such as 127.0.0.1:8000 or [::1]:8000"),
        ("HTTP", "http://localhost:8000", "HOST:PORT, such as 127.0.0.1:8000 or [::1]:8000"),
        ("WS", "::1:8000", "an IPv6 address in brackets and a port, such as [::1]:8000"),
        ("WS", "localhost:70000", "HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:8000"),
        ("KAFKA", "kafka-1:9092,kafka-2", "HOST:PORT, such as 127.0.0.1:8000 or [::1]:8000"),
    ],
)
def test_a_value_that_cannot_be_read_is_named_with_what_may_be_given(name: str, value: str, advice: str) -> None:
    assert problems(**{name: value}) == [f"ROOKERY_{name}={value!r}: give {advice}"]


def test_all_problems_are_named_at_once() -> None:
    found = problems(
        {"--http": "here"}, SEND_BURST="many", RPC_TOKEN="two words", RPC_TLS_CERT="a.pem", WS="127.0.0.1:1"
    )
    assert [line.split(":")[0].split("=")[0] for line in found] == [
        "--http",
        "ROOKERY_SEND_BURST",
        "ROOKERY_RPC_TLS_KEY and ROOKERY_RPC_TLS_CA",
        "ROOKERY_RPC_TOKEN",
    ]


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"KAFKA_SECURITY": "sasl_ssl"}, "set ROOKERY_KAFKA_USERNAME and ROOKERY_KAFKA_PASSWORD"),
        ({"KAFKA_CA_FILE": "nowhere.pem"}, "ROOKERY_KAFKA_CA_FILE='nowhere.pem': this file does not exist"),
    ],
)
def test_settings_that_cannot_work_together_are_named(environ: dict[str, str], named: str) -> None:
    (problem,) = problems(KAFKA="127.0.0.1:9092", **environ)
    assert named in problem


def test_roles_that_call_each_other_need_a_secret_or_the_word_of_the_operator() -> None:
    calls = {"AUTH_RPC": "10.0.0.1:1", "MODERATION_RPC": "moderation:2", "RPC_LISTEN": "127.0.0.1:3"}
    (problem,) = problems(**calls)
    assert problem.startswith("ROOKERY_AUTH_RPC, ROOKERY_MODERATION_RPC: give all roles the same ROOKERY_RPC_TOKEN")
    tls = {f"RPC_TLS_{name}": "a.pem" for name in ("CERT", "KEY", "CA")}
    for remedy in ({"RPC_TOKEN": "secret"}, {"RPC_INSECURE": "on"}, tls):
        environ = {f"ROOKERY_{name}": value for name, value in (calls | remedy).items()}
        assert read_settings(environ).rpc.listen == Address("127.0.0.1", 3)
    assert not read_settings({"ROOKERY_RPC_LISTEN": "127.0.0.1:0"}).rpc.token


@pytest.mark.parametrize("name", ["RPC_TOKEN", "REDIS_URL", "MONGO_URL"])
def test_a_secret_is_never_quoted(name: str) -> None:
    (problem,) = problems(**{name: "schlüssel zum haus"})
    assert problem.startswith(f"ROOKERY_{name}: give ")
    assert "schlüssel" not in problem


def test_origins_of_apps_are_origins() -> None:
    settings = read_settings({"ROOKERY_ORIGINS": "capacitor://localhost, null, https://a.example:8443, *"})
    assert settings.edge.origins == ("capacitor://localhost", "null", "https://a.example:8443", "*")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("HEARTBEAT_SECOND", "did you mean ROOKERY_HEARTBEAT_SECONDS?"),
        ("KAFKA_BROKERS", "did you mean ROOKERY_KAFKA_"),
        ("TRUST_FORWARDED_FOR", "did you mean ROOKERY_TRUST_FORWARDED?"),
        ("XYZZY", "unset it"),
        ("deflate", "did you mean ROOKERY_DEFLATE?"),
    ],
)
def test_an_unknown_variable_is_a_problem_and_the_nearest_is_named(name: str, advice: str) -> None:
    (problem,) = problems(**{name: "1"})
    assert problem.startswith(f"ROOKERY_{name} is not a setting: {advice}")


@pytest.mark.parametrize(
    "name",
    [
        "ROOKERY_TEST_REDIS_URL",
        "ROOKERY_HTTP_URL",
        "ROOKERY_SERVICE_HOST",
        "ROOKERY_EDGE_SERVICE_PORT_HTTP",
        "ROOKERY_PORT",
        "ROOKERY_EDGE_PORT_8001_TCP_ADDR",
    ],
)
def test_a_variable_for_tests_examples_or_from_kubernetes_is_none_of_the_settings(name: str) -> None:
    assert read_settings({name: "anything"}) == Settings()


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("MONGO_URL", "mongodb://ada:hushhush@db:99999"),
        ("MONGO_URL", "mongodb://db:27017,db2:99999/rookery"),
        ("REDIS_URL", "redis+sentinel://a:26379,[::1]:70000/main"),
    ],
)
def test_the_port_of_each_host_in_a_url_is_read(name: str, url: str) -> None:
    assert problems(**{name: url}) == [f"ROOKERY_{name}: give a port from 1 to 65535"]


@pytest.mark.parametrize("url", ["mongodb://ada:p:q@a:1,b:2/x", "mongodb://a,b/x", "mongodb+srv://h/x?y=z,w:9"])
def test_lists_of_hosts_are_taken(url: str) -> None:
    assert read_settings({"ROOKERY_MONGO_URL": url}).mongo.url == url
