"""Links and the domains that they lead to.

A domain of a list stands for itself and for all below it: `example.org` for `a.b.example.org` too. Internationalised
names are found in both ways of writing them (`BÜCHER.example` is `xn--bcher-kva.example`, by IDNA 2008), and names also
as they look, so that a look-alike of a listed name is found with it. `example[.]org`, `example (dot) org` and
full-width dots are read as the dots that they stand for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

import idna

from chat.domain.characters import normalize
from services.moderation.folding import fold_text

LONGEST = 253
_LABELS = 127  # RFC 1035, section 2.3.4: no name has more
_DOTS = re.compile(r"\s?[\[({]\s?(?:\.|dot)\s?[\])}]\s?|[\u3002\uff0e\uff61]", re.IGNORECASE)
_DOT_HINT = re.compile(r"[.\u3002\uff0e\uff61]|dot[\])} ]", re.IGNORECASE)
_RUN = re.compile(r"[^\s/\\@:?#<>()\[\]{}\"'`,;|=&*!]+")
_LINK = re.compile(r"(?:https?|hxxps?|ftp)://([^\s/\\?#<>\"'`]+)|\b(www\.[^\s/\\?#<>\"'`:]+)", re.IGNORECASE)


def check_domain(name: str) -> str:
    """The name as it is looked up. Raises `ValueError` for one that is none, with the reason."""
    bare = name.strip().lower().removeprefix("*.").strip(".")
    if not bare or len(bare) > LONGEST or not _RUN.fullmatch(bare):
        raise ValueError("a domain is a name such as example.org, without scheme, port and path")
    try:
        found = bare if bare.isascii() else idna.encode(bare, uts46=True).decode()
        if "xn--" in found:
            idna.decode(found)
    except (idna.IDNAError, UnicodeError):
        found = ""
    if "." not in found:
        raise ValueError("a domain is a name such as example.org, by the rules of IDNA")
    return found


def domain_forms(name: str) -> set[str]:
    """A name that passed `check_domain` as it may be written: in ASCII, and in its own letters."""
    return {name, _fold_host(idna.decode(name)) if "xn--" in name else name}


def find_hosts(text: str) -> set[str]:
    """Names in the text that may be of hosts: with a dot inside, as they are written and as they look."""
    if _DOT_HINT.search(text) is None:
        return set()
    found: set[str] = set()
    for run in _RUN.finditer(_DOTS.sub(".", text)):
        bare = run[0].strip(".-_…")
        if "." in bare and len(bare) <= LONGEST:
            found.update(_read_host(_fold_host(bare)))
    return found


def find_links(text: str) -> set[str]:
    """The hosts of what is written as a link: with a scheme, or `www.`."""
    if "://" not in text and "www." not in text.lower():
        return set()
    found = set()
    for match in _LINK.finditer(_DOTS.sub(".", text)):
        authority: str = match[1] or match[2]
        found.add(_fold_host(authority.rpartition("@")[2].partition(":")[0].strip(".,;!)")))
    return found


def _fold_host(host: str) -> str:
    """The name without case and width. Nothing is looked up here, so what UTS 46 maps beyond that does not matter."""
    return host.lower() if host.isascii() else normalize("NFKC", host).casefold()


def _read_host(host: str) -> Iterator[str]:
    yield host
    if "xn--" in host:
        host = ".".join(_decode_label(label) for label in host.split("."))
    if not host.isascii():
        yield fold_text(host)


def _decode_label(label: str) -> str:
    """A label in its own letters, as far as it is one (RFC 3492)."""
    if not label.startswith("xn--") or not label.isascii():
        return label
    try:
        return label[4:].encode().decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label


class DomainIndex:
    """Domains, each with the rules that list it. To look a name up takes as many steps as it has dots."""

    def __init__(self, domains: Mapping[str, Collection[int]]) -> None:
        """The names passed `check_domain`."""
        self._domains: dict[str, set[int]] = {}
        for name, rules in domains.items():
            for form in domain_forms(name):
                self._domains.setdefault(form, set()).update(rules)

    def find_rules(self, names: Collection[str], rules: Collection[int]) -> set[int]:
        """Those of these rules that list one of the names, or a name above it."""
        found: set[int] = set()
        for name in names:
            for parent in parent_domains(name):
                found.update(rule for rule in self._domains.get(parent, ()) if rule in rules)
        return found


def parent_domains(name: str) -> Iterator[str]:
    """The name, and all above it that have a dot."""
    for _ in range(_LABELS):
        if "." not in name:
            return
        yield name
        name = name.partition(".")[2]
