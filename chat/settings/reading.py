"""Reads the settings from the environment and the flags of the command line, and names all that is wrong at once."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import Struct

from chat.settings.files import SUFFIX, parse_variables, read_secret_files
from chat.settings.groups import KafkaSettings, RpcSettings, Settings
from chat.settings.mail import check_mail
from chat.settings.push import check_push
from chat.settings.values import Setting, SettingsError, parse_value

PREFIX = "ROOKERY_"
CEILINGS = {"_seconds": 10 * 365 * 24 * 3600, "_hours": 10 * 365 * 24, "_ms": 60_000, "": 10**12}
"""Unit → the largest number that a setting takes, so that times and sizes stay in the range of every engine."""
# Variables that begin like ours and are not for this program: those of the tests, of the examples, and those that
# Kubernetes sets in every container for a service whose name begins with "rookery".
_NOT_OURS = re.compile(
    r"ROOKERY_(TEST_\w+|HTTP_URL|(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_[A-Z]+(_(PROTO|PORT|ADDR))?)?))"
)


class Variable(Struct, frozen=True):
    """An environment variable, and the field that it sets (`group` is empty for a field of `Settings` itself)."""

    name: str
    group: str
    field: str
    kind: Any
    default: Any
    setting: Setting


@cache
def list_variables() -> tuple[Variable, ...]:
    """Every variable, in the order of the groups."""
    return tuple(_walk_fields(Settings, ""))


def _walk_fields(kind: type[Struct], group: str) -> Iterator[Variable]:
    annotations = get_type_hints(kind, include_extras=True)
    prefix = PREFIX + getattr(kind, "prefix_of_variables", "")
    for field in msgspec.structs.fields(kind):
        annotation = annotations[field.name]
        if isinstance(annotation, type) and issubclass(annotation, Struct):
            yield from _walk_fields(annotation, field.name)
            continue
        declared, setting = get_args(annotation)
        name = PREFIX + setting.variable if setting.variable else prefix + field.name.upper()
        unit = next(each for each in CEILINGS if field.name.endswith(each))
        setting = msgspec.structs.replace(setting, ceiling=CEILINGS[unit])
        yield Variable(name, group, field.name, declared, field.default, setting)


def read_settings(
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, str | None] | None = None,
    *,
    file: Path | None = None,
) -> Settings:
    """The settings; a flag that is not None wins over its variable, and the environment over the `file` of variables.

    Raises `SettingsError` with a line for each problem.
    """
    settings, problems = try_settings(environ, flags, file=file)
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def try_settings(
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, str | None] | None = None,
    *,
    file: Path | None = None,
) -> tuple[Settings, list[str]]:
    """As `read_settings`, with a sentence for each problem; the settings have the default for what cannot be read."""
    given, problems = ({}, []) if file is None else parse_variables(file)
    environ = {**given, **(os.environ if environ is None else environ)}
    secrets = [variable.name for variable in list_variables() if variable.setting.secret]
    environ, unreadable = read_secret_files(environ, secrets)
    problems += [*unreadable, *_find_unknown(environ)]
    flags = flags or {}
    values: dict[str, dict[str, Any]] = {}
    for variable in list_variables():
        source = variable.setting.flag or ""
        raw = flags.get(source)
        if raw is None:
            source = variable.name
            raw = environ.get(source)
        if raw is None:
            continue
        try:
            values.setdefault(variable.group, {})[variable.field] = parse_value(variable.kind, raw, variable.setting)
        except ValueError as error:
            shown = source if variable.setting.secret else f"{source}={raw!r}"
            problems.append(f"{shown}: give {error}")
    settings = _build_settings(values)
    return settings, [*problems, *_find_conflicts(settings)]


def _find_unknown(environ: Mapping[str, str]) -> Iterator[str]:
    known = [variable.name.removeprefix(PREFIX) for variable in list_variables()]
    files = [variable.name.removeprefix(PREFIX) + SUFFIX for variable in list_variables() if variable.setting.secret]
    named = known + files
    ours = {name for name in environ if name.startswith(PREFIX) and not _NOT_OURS.fullmatch(name)}
    for name in sorted(ours - {PREFIX + each for each in known}):
        # The prefix, which all of them have, would make any two look alike.
        nearest = difflib.get_close_matches(name.removeprefix(PREFIX).upper(), named, n=1)
        yield f"{name} is not a setting: " + (f"did you mean {PREFIX}{nearest[0]}?" if nearest else "unset it")


def _build_settings(values: Mapping[str, Mapping[str, Any]]) -> Settings:
    groups = {
        name: msgspec.structs.replace(getattr(Settings(), name), **given) for name, given in values.items() if name
    }
    return Settings(**values.get("", {}), **groups)


def _find_conflicts(settings: Settings) -> list[str]:
    """The settings that contradict each other or name files that do not exist."""
    mail = check_mail(settings.mail, settings.http.public_url)
    push = check_push(settings.push, settings.webhook)
    return [*_check_kafka(settings.kafka), *_check_rpc(settings.rpc), *mail, *push]


def _check_kafka(kafka: KafkaSettings) -> Iterator[str]:
    if not kafka.brokers:
        return
    if kafka.security.startswith("sasl") and not (kafka.username and kafka.password):
        yield f"ROOKERY_KAFKA_SECURITY={kafka.security}: set ROOKERY_KAFKA_USERNAME and ROOKERY_KAFKA_PASSWORD, too"
    if kafka.ca_file and not kafka.ca_file.is_file():
        yield f"ROOKERY_KAFKA_CA_FILE={str(kafka.ca_file)!r}: this file does not exist"


def _check_rpc(rpc: RpcSettings) -> Iterator[str]:
    files = {"CERT": rpc.tls_cert, "KEY": rpc.tls_key, "CA": rpc.tls_ca}
    missing = [f"ROOKERY_RPC_TLS_{name}" for name, path in files.items() if path is None]
    if missing and len(missing) < len(files):
        yield f"{' and '.join(missing)}: set all three TLS files, or none"
    beyond = [name for name, address in rpc.names_calls.items() if not address.is_loopback]
    if beyond and not rpc.has_credentials:
        yield f"{', '.join(beyond)}: give all roles the same ROOKERY_RPC_TOKEN, or the three TLS files"
    if not rpc.token.isascii() or not rpc.token.isprintable() or " " in rpc.token:
        yield "ROOKERY_RPC_TOKEN: give printable ASCII without spaces"
