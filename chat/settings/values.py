"""How one value is read from its text. Each function raises `ValueError`, which says what may be given instead."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from msgspec import Struct


class SettingsError(Exception):
    """The program cannot start with these settings: a line for each problem, which names it and what may be given."""


class Setting(Struct, frozen=True):
    """What is annotated to a field of a group. A number lies within `ge` or `gt`, and `le`,
    and is not above the `ceiling` of its unit, which `list_variables` adds.

    `description` is its line in the documents. Its `variable` goes without `ROOKERY_`; a `flag` wins over that. A text,
    or each item of a list, matches `pattern`; `hint` says in words what that is. `check` raises `ValueError` for what a
    pattern cannot tell. A `secret` is never repeated.
    """

    description: str
    variable: str | None = None
    flag: str | None = None
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    ceiling: float = math.inf
    pattern: str = ""
    hint: str = ""
    check: Callable[[str], object] | None = None
    secret: bool = False


class Address(Struct, frozen=True):
    """HOST:PORT. Port 0 lets the system choose one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> Address:
    """Reads HOST:PORT; an IPv6 address stands in brackets."""
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not host or any(character in "[]/@ " for character in host):
        raise ValueError("HOST:PORT, such as 127.0.0.1:8000 or [::1]:8000")
    if ":" in host and not bracketed:
        raise ValueError("an IPv6 address in brackets and a port, such as [::1]:8000")
    if not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise ValueError("HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:8000")
    return Address(host, int(port))


IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_network(text: str) -> IpNetwork:
    """Reads a network, or an address, which is a network of one. The bits of a host may be set."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("addresses or networks such as 10.0.0.0/8") from None


_SWITCH = {"on": True, "true": True, "1": True, "yes": True, "off": False, "false": False, "0": False, "no": False}


def parse_value(kind: Any, text: str, setting: Setting) -> Any:
    """Reads a value of a type that a group has, within the bounds of the setting."""
    if isinstance(kind, UnionType):  # `X | None`: an empty text stands for None
        return parse_value(_without_none(kind), text, setting) if text else None
    if get_origin(kind) is tuple:
        return tuple(parse_value(get_args(kind)[0], part.strip(), setting) for part in text.split(",") if part.strip())
    if get_origin(kind) is Literal:
        return parse_choice(get_args(kind), text)
    if kind in (int, float):
        return parse_number(kind, text, setting)
    if kind is bool:
        return parse_switch(text)
    if kind is Path and not text:
        raise ValueError("a path")
    return parse_address(text) if kind is Address else kind(parse_text(text, setting))


def _without_none(kind: UnionType) -> Any:
    return next(each for each in get_args(kind) if each is not NoneType)


def parse_text(text: str, setting: Setting) -> str:
    """Reads a text that may be empty, or matches the pattern of the setting; a URL is one that can be taken apart."""
    if text and not re.fullmatch(setting.pattern or ".*", text, re.DOTALL):
        raise ValueError(setting.hint)
    if "://" in text and "://" in setting.pattern:
        _check_url(text, setting)
    if text and setting.check is not None:
        setting.check(text)
    return text


def _check_url(text: str, setting: Setting) -> None:
    try:
        # MongoDB and Sentinel take lists of hosts.
        hosts = [urlsplit(f"//{host}") for host in urlsplit(text).netloc.rpartition("@")[2].split(",")]
    except ValueError:  # brackets without an end, or characters that stand for others
        raise ValueError(setting.hint) from None
    try:
        _ = [host.port for host in hosts]
    except ValueError:
        raise ValueError("a port from 1 to 65535") from None


def parse_switch(text: str) -> bool:
    """Reads `on` or `off`, or one of their usual synonyms."""
    try:
        return _SWITCH[text.strip().lower()]
    except KeyError:
        raise ValueError("on or off") from None


def parse_choice(choices: Sequence[str], text: str) -> str:
    """Reads one of the choices, in capitals or small letters."""
    for choice in choices:
        if choice.lower() == text.strip().lower():
            return choice
    raise ValueError(f"one of {', '.join(choices)}")


def parse_number(kind: type[int | float], text: str, bounds: Setting) -> float:
    """Reads a finite number within the bounds; a float that is whole is taken for an integer."""
    try:
        number = float(text)
        whole = int(text) if text.strip().lstrip("+-").isdigit() else number
    except ValueError:
        number = whole = math.nan
    wrong = not math.isfinite(number) or (kind is int and not number.is_integer())
    if wrong or not _is_within(number, bounds):
        raise ValueError(f"{'an integer' if kind is int else 'a number'}{_show_bounds(bounds, number)}")
    return kind(whole)


def _is_within(number: float, bounds: Setting) -> bool:
    above = bounds.ge is None or number >= bounds.ge
    below = bounds.le is None or number <= bounds.le
    return above and below and number <= bounds.ceiling and (bounds.gt is None or number > bounds.gt)


def _show_bounds(bounds: Setting, number: float) -> str:
    if bounds.ceiling < number < math.inf:
        return f", {bounds.ceiling:.0f} or less"
    if bounds.gt is not None:
        return f" above {bounds.gt:g}"
    if bounds.le is not None:
        return f" from {bounds.ge or 0:g} to {bounds.le:g}"
    return "" if bounds.ge is None else f", {bounds.ge:g} or more"
