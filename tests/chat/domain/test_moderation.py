"""How long a block lasts when another comes."""

from __future__ import annotations

import pytest

from chat.domain.moderation import Block, choose_block, is_in_force
from tests.support.builders import ANN

NOW = 1000


def block(until: int | None, by: str = "moderation") -> Block:
    return Block(user=ANN, by=by, reason="", since=0, until=until)


@pytest.mark.parametrize(("until", "in_force"), [(None, True), (NOW + 1, True), (NOW, False), (NOW - 1, False)])
def test_a_block_is_in_force_until_its_time(until: int | None, in_force: bool) -> None:
    assert is_in_force(block(until), NOW) is in_force


@pytest.mark.parametrize(
    ("known", "new", "until"),
    [(2000, 3000, 3000), (3000, 2000, 3000), (None, 2000, None), (2000, None, None), (NOW, 1500, 1500)],
)
def test_a_block_in_force_is_never_shortened(known: int | None, new: int | None, until: int | None) -> None:
    assert choose_block(block(known, by=ANN), block(new), NOW).until == until


def test_without_a_block_the_new_one_applies() -> None:
    assert choose_block(None, block(5), NOW) == block(5)
