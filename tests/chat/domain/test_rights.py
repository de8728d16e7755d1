"""Who finds a room, who may join it, and who moderates the instance."""

from __future__ import annotations

import pytest

from chat.domain.models import Role, Room, Visibility
from chat.domain.rights import is_instance_moderator, require_joinable, require_visible
from chat.errors import Forbidden

PUBLIC = Room(id="1", name="hall", visibility=Visibility.PUBLIC)
PRIVATE = Room(id="2", name="den", visibility=Visibility.PRIVATE)


@pytest.mark.parametrize(("room", "role"), [(PUBLIC, None), *((PRIVATE, role) for role in Role)])
def test_a_room_is_found_by_its_members_and_a_public_one_by_everybody(room: Room, role: Role | None) -> None:
    require_visible(room, role)


def test_a_private_room_is_neither_found_nor_joined_without_an_invitation() -> None:
    with pytest.raises(Forbidden, match="ask for an invitation"):
        require_visible(PRIVATE, None)
    with pytest.raises(Forbidden, match="ask for an invitation"):
        require_joinable(PRIVATE)
    require_joinable(PUBLIC)


def test_moderators_of_the_instance_are_named_without_case() -> None:
    assert is_instance_moderator("Ann", ("ben", "ANN"))
    assert not is_instance_moderator("Ann", ("anna",))
    assert not is_instance_moderator("Ann", ())
