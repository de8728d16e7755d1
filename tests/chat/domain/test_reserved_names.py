"""Names that nobody can register."""

from __future__ import annotations

import pytest

from chat.domain.reserved_names import check_not_reserved
from chat.domain.text import check_name
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
