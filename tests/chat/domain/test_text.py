"""How names and addresses are compared."""

from __future__ import annotations

import string

import pytest

from chat.domain.text import fold_email, fold_name


def test_a_users_name_is_folded_to_lower_case() -> None:
    name = string.ascii_letters + string.digits + "_.-"
    assert fold_name(name) == name.lower()


@pytest.mark.parametrize(("one", "other"), [("Äther", "äTHER"), ("Straße", "STRASSE"), ("ΛΌΓΟΣ", "λόγος")])
def test_rooms_are_found_whatever_the_case(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other)


def test_addresses_that_differ_in_more_than_case_are_two() -> None:
    assert fold_email("Ann@Example.org") == "ann@example.org"
    assert fold_email("strauß@example.org") != fold_email("strauss@example.org")
