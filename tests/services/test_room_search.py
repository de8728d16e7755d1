"""Public rooms are searched for by words of their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat.domain.cursors import RoomPlace
from chat.domain.ids import new_id
from chat.domain.room_names import read_name_search
from services.chat.room_search import search_public_rooms
from tests.support.builders import ANN, make_room, make_user
from tests.support.engines import sqlite_memory
from tests.support.rest import open_rest, read_all

pytestmark = pytest.mark.anyio


async def test_public_rooms_are_found_by_words_of_their_names() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        for name in ("Zoo planning", "Planning of café X", "Planets", "The explanation", "Attic"):
            await ann.room(name)
        hidden = (await ann("POST", "/api/rooms", {"name": "Planning in secret", "visibility": "private"})).json()["id"]
        found = await read_all(bob, "/api/rooms?public=1&q=PLAN&limit=1", "rooms")
        assert found == ["Planets", "Planning of café X", "Zoo planning"]
        assert await read_all(bob, "/api/rooms?public=1&q=cafe%20plan", "rooms") == ["Planning of café X"]
        assert len(await read_all(bob, "/api/rooms?public=1&q=%20&limit=2", "rooms")) == 5
        assert await read_all(ann, "/api/rooms?public=1&q=secret", "rooms") == [], hidden
        long = await bob("GET", "/api/rooms", params={"public": "1", "q": "x" * 81})
        assert (long.status_code, long.json()["field"]) == (422, "q")


async def test_a_search_among_many_rooms_goes_on_where_it_ended(tmp_path: Path) -> None:
    async with sqlite_memory(tmp_path) as stores:
        await stores.accounts.create_user(make_user(ANN), None)
        for name in ("a hay", "b hay", "c hay", "d hay", "e needle", "f hay", "g needle", "h needle"):
            await stores.rooms.create_room(make_room(new_id(), name), ANN)
        search, after, pages = read_name_search("needle"), None, []
        while True:
            found, after = await search_public_rooms(stores.rooms, search, 1, after, searched=4, at_once=2)
            pages.append([room.name for room in found])
            if after is None:
                break
            assert isinstance(after, RoomPlace)
        assert pages == [[], ["e needle"], ["g needle"], ["h needle"]]
