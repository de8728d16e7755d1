"""Domains and links: names below a name, look-alikes, other ways to write a dot."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.moderation.links import DomainIndex, check_domain, find_hosts, find_links

INDEX = DomainIndex({check_domain(name): {0} for name in ("evil.example", "bücher.example", "bit.ly")})


@pytest.mark.parametrize(
    "text",
    [
        "evil.example",
        "see https://evil.example/path?q=1#x",
        "http://user:secret@www.evil.example:8080/",
        "EVIL.EXAMPLE.",
        "a.b.c.evil.example",
        "(evil.example)",
        "hxxps://evil[.]example",
        "evil (dot) example",
        "evil[dot]example",
        "evil。example",
        "ｅｖｉｌ．ｅｘａｍｐｌｅ",
        "еvil.example",  # a Cyrillic letter
        "https://bücher.example",
        "https://BÜCHER.example/",
        "xn--bcher-kva.example",
        "shop.xn--bcher-kva.example",
        "bit.ly/3xyz",
        "<https://bit.ly/3xyz>",
        "mail me@evil.example",
    ],
)
def test_a_listed_domain_is_found(text: str) -> None:
    assert INDEX.find_rules(find_hosts(text), {0}) == {0}


@pytest.mark.parametrize(
    "text",
    [
        "notevil.example",
        "evil.example.org",
        "example",
        "orbit.ly",
        "bit.lyon",
        "evil example",
        "3.14",
        "...",
        "ha... bit... ly",
        "",
    ],
)
def test_another_is_not(text: str) -> None:
    assert INDEX.find_rules(find_hosts(text), {0}) == set()


def test_only_the_asked_rules_answer() -> None:
    assert INDEX.find_rules({"evil.example"}, {1}) == set()


def test_links_are_what_is_written_as_such() -> None:
    text = "see https://a.example/x, www.b.example and HTTP://user@C.example:80; not d.example"
    assert find_links(text) == {"a.example", "www.b.example", "c.example"}
    assert find_links("no link. at all") == set()


@pytest.mark.parametrize(
    "name",
    ["", "example", "https://a.example", "xn--99999999.example", "a b.example", "a.example/x", "x" * 300 + ".com"],
)
def test_what_is_no_domain_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a domain is a name"):
        check_domain(name)


def test_names_are_taken_as_they_are_looked_up() -> None:
    assert check_domain(" *.Bücher.example. ") == "xn--bcher-kva.example"


@settings(max_examples=200)
@given(st.text(st.characters(codec=None), max_size=200))
def test_no_text_breaks_the_search(text: str) -> None:
    for name in (*find_hosts(text), *find_links(text)):
        INDEX.find_rules({name}, {0})
    find_hosts(text.replace("a", "."))


def test_a_listed_name_is_found_behind_any_number_of_others() -> None:
    others = " ".join(f"é{number}.xn--{number}" for number in range(1500))
    assert INDEX.find_rules(find_hosts(f"{others} evil.example"), {0}) == {0}


def test_look_alikes_in_punycode_are_found() -> None:
    disguised = "еvil".encode("punycode").decode()  # a Cyrillic letter
    assert INDEX.find_rules(find_hosts(f"xn--{disguised}.example"), {0}) == {0}
