"""Names that nobody can register."""

from __future__ import annotations

import pytest

from chat.domain.reserved_names import check_display_name_not_reserved, check_not_reserved
from chat.domain.text import check_display_name, check_name
from chat.errors import Invalid


@pytest.mark.parametrize("name", ["admin", "system", "everyone", "here", "moderation", "rookery", "you"])
def test_reserved_names_are_refused_however_they_are_drawn(name: str) -> None:
    drawn = [name, name.upper(), name.capitalize(), f"_{name}", f"{name}.", "-".join(name), name.replace("m", "rn")]
    drawn += [name.replace("o", "0"), name.replace("i", "1"), name.replace("i", "l"), name.replace("e", "3")]
    for each in drawn:
        with pytest.raises(Invalid, match="reserved") as refused:
            check_not_reserved(each)
        assert refused.value.field == "name"
        assert check_name(each) == each  # who has the name keeps it


@pytest.mark.parametrize(
    "name", ["bo", "ada", "O.K", "adam", "administer", "sherehan", "you2", "evelyn", "modest", "x-1"]
)
def test_other_names_are_taken(name: str) -> None:
    check_not_reserved(name)
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "b", "x" * 33, "zoë", "a b", "ada\u200b", "аdmin"])
def test_names_have_their_rules_still(name: str) -> None:
    with pytest.raises(Invalid, match="2 to 32"):
        check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Admin",
            "аdmin",
            "АDМIN",
            "R o o k e r y",
            "𝐫𝐨𝐨𝐤𝐞𝐫𝐲",
            "ｅｖｅｒｙｏｎｅ",
            "y0u",
            "Hére",
            "sy\u200bstem",
            "«admin»",
        ),
        *("System Support", "The Rookery Team", "Moderation-Bot", "deleted user", "Deleted  User", "Room 0fficial"),
    ],
)
def test_reserved_display_names_are_refused_however_they_are_drawn(name: str) -> None:
    with pytest.raises(Invalid, match="reserved") as refused:
        check_display_name_not_reserved(check_display_name(name))
    assert refused.value.field == "display_name"


PEOPLE = [
    "Bo",
    "Zoë",
    "Łukasz",
    "王芳",
    "Оля",
    "O'Brien",
    "Joe Root",
    "Zoë Müller-Øst",
    "ليلى",
    "ഒരു ആൾ",
    "👩‍🚀 Sam",
    "7",
    "You Li",
]


@pytest.mark.parametrize("name", PEOPLE)
def test_people_may_have_their_names(name: str) -> None:
    assert check_display_name(name) == name
    check_display_name_not_reserved(name)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("  Zoe\u0308 ", "Zoë"),
        ("Zo\u200bë", "Zoë"),
        ("\u202eeoZ", "eoZ"),
        ("\u2067ada\u2069", "ada"),
        ("Jo  Ann", "Jo Ann"),
        ("x" * 64, "x" * 64),
    ],
)
def test_display_names_are_stored_without_what_nobody_sees(given: str, stored: str) -> None:
    assert check_display_name(given) == stored


@pytest.mark.parametrize(
    "name",
    ["", " ", "\u200b", "\u3164", "\u0301", "a\nb", "a\x00", "a\x1b[2J", "x" * 65, "\ue000", "a" + "\u0301" * 40],
)
def test_display_names_that_show_nothing_or_too_much_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_display_name(name)
    assert refused.value.field == "display_name"
