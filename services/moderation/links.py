"""Links and the domains that they lead to.

A domain of a list stands for itself and for all below it: `example.org` for `a.b.example.org` too. Names are compared
as they are looked up (IDNA 2008 with the mapping of UTS 46, so `BÜCHER.example` is `xn--bcher-kva.example`) and as they
look, so that a look-alike of a listed name is found with it. `example[.]org`, `example (dot) org` and full-width dots
are read as the dots that they stand for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

import idna

from services.moderation.folding import fold

LONGEST = 253
_LABELS = 127  # RFC 1035, section 2.3.4: no name has more
_HOSTS_AT_MOST = 200  # of one text; a message with more links is one for the flood rules
_DOTS = re.compile(r"\s?[\[({]\s?(?:\.|dot)\s?[\])}]\s?|[\u3002\uff0e\uff61]", re.IGNORECASE)
_DOT_HINT = re.compile(r"[.\u3002\uff0e\uff61]|dot[\])} ]", re.IGNORECASE)
_RUN = re.compile(r"[^\s/\\@:?#<>()\[\]{}\"'`,;|=&*!]+")
_LINK = re.compile(r"(?:https?|hxxps?|ftp)://([^\s/\\?#<>\"'`]+)|\b(www\.[^\s/\\?#<>\"'`:]+)", re.IGNORECASE)


def check_domain(name: str) -> str:
    """The name as it is looked up. Raises `ValueError` for one that is none, with the reason."""
    bare = name.strip().lower().removeprefix("*.").strip(".")
    if not bare or len(bare) > LONGEST or not _RUN.fullmatch(bare):
        raise ValueError("a domain is a name such as example.org, without scheme, port and path")
    found = lookup_name(bare)
    if found is None or "." not in found:
        raise ValueError("a domain is a name such as example.org, by the rules of IDNA")
    return found


def lookup_name(host: str) -> str | None:
    """The name in ASCII, lower case; None when no such name can exist."""
    if host.isascii():
        return host.lower() if len(host) <= LONGEST else None
    try:
        return idna.encode(host, uts46=True, std3_rules=False).decode().lower() if len(host) <= LONGEST else None
    except (idna.IDNAError, UnicodeError):
        return None


def hosts(text: str) -> set[str]:
    """Names in the text that may be of hosts: with a dot inside, as they are looked up and as they look."""
    if _DOT_HINT.search(text) is None:
        return set()
    found: set[str] = set()
    for run in _RUN.finditer(_DOTS.sub(".", text)):
        bare = run[0].strip(".-_…")
        if "." in bare and len(bare) <= LONGEST:
            found.update(_forms(bare))
            if len(found) >= _HOSTS_AT_MOST:
                break
    return found


def links(text: str) -> set[str]:
    """The hosts of what is written as a link: with a scheme, or `www.`."""
    if "://" not in text and "www." not in text.lower():
        return set()
    found = set()
    for match in _LINK.finditer(_DOTS.sub(".", text)):
        authority: str = match[1] or match[2]
        host = authority.rpartition("@")[2].partition(":")[0].strip(".,;!)")
        found.add(lookup_name(host) or host.lower())
        if len(found) >= _HOSTS_AT_MOST:
            break
    return found


def _forms(host: str) -> Iterator[str]:
    name = lookup_name(host)
    if name is not None:
        yield name
        if "xn--" in name:
            try:
                host = idna.decode(name)
            except (idna.IDNAError, UnicodeError):
                return
    if not host.isascii():
        yield fold(host)


class DomainIndex:
    """Domains, each with the rules that list it. To look a name up takes as many steps as it has dots."""

    def __init__(self, domains: Mapping[str, Collection[int]]) -> None:
        self._domains = domains

    def search(self, names: Collection[str], rules: Collection[int]) -> set[int]:
        """Those of these rules that list one of the names, or a name above it."""
        found: set[int] = set()
        for name in names:
            for parent in parents(name):
                found.update(rule for rule in self._domains.get(parent, ()) if rule in rules)
        return found


def parents(name: str) -> Iterator[str]:
    """The name, and all above it that have a dot."""
    for _ in range(_LABELS):
        if "." not in name:
            return
        yield name
        name = name.partition(".")[2]
