"""The contract of `Accounts` and `Rooms` about display names."""

from __future__ import annotations

import pytest

from chat.domain.models import Role, Room, Visibility
from chat.domain.text import fold_display_name
from chat.errors import NotFound
from tests.support.builders import ANN, BEN, CAT, DAN, NOW, OTHER_ROOM, ROOM, make_user
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio
SHOWN = {ANN: "Zoë Ott", BEN: "", CAT: "zoe", DAN: "王芳"}


@pytest.fixture
async def stores(stores: Stores) -> Stores:
    """Four users, of whom all but Dan are in a room, and Dan in another."""
    for user, display_name in SHOWN.items():
        await stores.accounts.create_user(make_user(user, display_name=display_name), None)
    for room in (ROOM, OTHER_ROOM):
        await stores.rooms.create_room(Room(id=room, name="Hall", visibility=Visibility.PUBLIC), ANN)
    await stores.rooms.add_members(ROOM, [BEN, CAT], Role.MEMBER, NOW)
    await stores.rooms.add_members(OTHER_ROOM, [DAN], Role.MEMBER, NOW)
    return stores


async def test_a_display_name_is_kept_and_changed(stores: Stores) -> None:
    accounts = stores.accounts
    assert await accounts.get_user(ANN) == make_user(ANN, display_name="Zoë Ott")
    assert await accounts.get_user(BEN) == make_user(BEN)
    assert await accounts.set_display_name(ANN, "Оля") == make_user(ANN, display_name="Оля")
    assert await accounts.get_users([ANN]) == {ANN: make_user(ANN, display_name="Оля")}
    assert await accounts.set_display_name(ANN, "") == make_user(ANN)
    assert await accounts.find_by_name(make_user(ANN).name) == make_user(ANN)
    with pytest.raises(NotFound):
        await accounts.set_display_name(OTHER_ROOM, "Nobody Else")


@pytest.mark.parametrize(
    ("prefix", "found"),
    [("zo", [ANN, CAT]), ("ZOË O", [ANN]), ("王", [DAN]), ("b", [BEN]), ("", [ANN, BEN, CAT, DAN]), ("ott", [])],
)
async def test_users_are_found_by_either_name(stores: Stores, prefix: str, found: list[str]) -> None:
    assert [user.id for user in await stores.accounts.search_users(prefix, 9)] == found
    in_pages, after = [], ""
    while page := await stores.accounts.search_users(prefix, 1, after=after):
        in_pages += [user.id for user in page]
        after = page[-1].name
    assert in_pages == found


@pytest.mark.parametrize(
    ("prefix", "found"), [("zo", [ANN, CAT]), ("zoë ott", [ANN]), ("王", []), ("b", [BEN]), ("", [ANN, BEN, CAT])]
)
async def test_members_are_found_by_either_name(stores: Stores, prefix: str, found: list[str]) -> None:
    members = await stores.rooms.list_members(ROOM, "", 9, prefix=prefix)
    assert [(member.user, member.display_name) for member in members] == [(user, SHOWN[user]) for user in found]
    in_pages, after = [], ""
    while page := await stores.rooms.list_members(ROOM, after, 1, prefix=prefix):
        in_pages += [member.user for member in page]
        after = page[-1].name
    assert in_pages == found


async def test_a_member_is_found_by_another_display_name_after_a_change(stores: Stores) -> None:
    await stores.accounts.set_display_name(BEN, "Łukasz")
    await stores.accounts.set_display_name(ANN, "")
    found = await stores.rooms.list_members(ROOM, "", 9, prefix=fold_display_name("ŁUK"))
    assert [(member.user, member.display_name) for member in found] == [(BEN, "Łukasz")]
    assert [member.user for member in await stores.rooms.list_members(ROOM, "", 9, prefix="zoe")] == [CAT]


async def test_only_a_display_name_of_one_member_leads_to_a_user(stores: Stores) -> None:
    find = stores.accounts.find_displayed
    assert await find(ROOM, ["zoe ott", "zoe", "王芳", "nobody"]) == {"zoe ott": ANN, "zoe": CAT}
    assert await find(OTHER_ROOM, ["王芳"]) == {"王芳": DAN}
    await stores.accounts.set_display_name(BEN, "Zoé")
    assert await find(ROOM, ["zoe"]) == {}
    assert await find(ROOM, []) == {}
