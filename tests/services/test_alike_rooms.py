"""Rooms whose names look alike in the list of public rooms."""

from __future__ import annotations

import pytest

from tests.support.rest import open_rest

pytestmark = pytest.mark.anyio


async def test_rooms_whose_names_look_alike_are_marked() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        for name in ("General", "Gene\u200bral", "G\u0435neral", "ＧＥＮＥＲＡＬ", "Generals", "Other"):
            await ann.room(name)
        rooms = (await ann("GET", "/api/rooms?public=1")).json()["rooms"]
        assert [room["name"] for room in rooms if not room["alike"]] == ["Generals", "Other"]
        assert len(rooms) == 6
