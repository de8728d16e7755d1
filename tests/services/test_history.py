"""Pages, read marks, earlier texts, conversations, search."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chat.domain.conversations import dm_key, room_key
from chat.domain.ids import new_id, rfc3339
from chat.domain.records import Deleted, Edited, Pinned, Reacted, Read
from chat.wire.events import HistoryDirectMessage, HistoryMessage
from chat.wire.pages import PAGE_BYTES
from services.app import make_openapi
from tests.support.rest import Rest, User, open_rest

pytestmark = pytest.mark.anyio


async def seqs(user: User, path: str) -> tuple[list[int], bool]:
    page = (await user("GET", path)).json()
    return [message["seq"] for message in page["messages"]], page["more"]


async def test_a_room_is_paged_both_ways() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        room = await ann.room()
        await rest.say(room_key(room), ann, *(f"text {n}" for n in range(1, 8)))
        path = f"/api/rooms/{room}/messages"
        assert await seqs(ann, path) == ([7, 6, 5, 4, 3, 2, 1], False)
        assert await seqs(ann, f"{path}?limit=3") == ([7, 6, 5], True)
        assert await seqs(ann, f"{path}?before=5&limit=3") == ([4, 3, 2], True)
        assert await seqs(ann, f"{path}?after=5") == ([6, 7], False)
        assert await seqs(ann, f"{path}?after=2&limit=2") == ([3, 4], True)
        assert await seqs(ann, f"{path}?before=1") == ([], False)


@pytest.mark.parametrize("char", ["x", "\x01"])
async def test_a_page_is_bounded_by_what_it_weighs(char: str) -> None:
    async with open_rest() as rest:
        ann, ben = await rest.user(), await rest.user()
        room = await ann.room()
        texts = [char * 16_000] * 100
        for key, path in (
            (room_key(room), f"/api/rooms/{room}/messages"),
            (dm_key(ann.id, ben.id), f"/api/dms/{ben.id}/messages"),
        ):
            await rest.say(key, ann, *texts)
            answer = await ann("GET", f"{path}?limit=200")
            assert len(answer.content) < 1.1 * PAGE_BYTES
            assert answer.json()["more"] is True
            found: list[int] = []
            more = True
            while more:
                got, more = await seqs(ann, f"{path}?limit=200&after={max(found, default=0)}")
                found += got
            assert found == list(range(1, 101))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("before=0", "before"),
        ("before=x", "before"),
        ("after=99999999999999999999", "after"),
        ("before=2&after=1", "before"),
    ],
)
async def test_a_bad_page_is_refused(query: str, field: str) -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        answer = await ann("GET", f"/api/rooms/{await ann.room()}/messages?{query}")
        assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_a_message_comes_with_what_became_of_it() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        room = await ann.room()
        key = room_key(room)
        await rest.say(key, ann, "first", "second")
        rest.clock.now += 1000
        at: dict[str, Any] = {"conversation": key, "actor": ann.id, "ts": rest.clock()}
        await rest.services.history.apply_batch(
            [],
            [
                Edited(**at, seq=1, text="first, better"),
                Reacted(**at, seq=1, emoji="👍"),
                Deleted(**at, seq=2),
                Read(**at, seq=2),
            ],
        )
        second, first = (await ann("GET", f"/api/rooms/{room}/messages")).json()["messages"]
        assert (first["text"], first["edited"], first["reactions"]) == ("first, better", True, {"👍": [ann.id]})
        assert (second["text"], second["deleted"]) == (None, True)
        assert first["sender"] == {"id": ann.id, "name": ann.name}
        assert "reply_to" not in first
        assert (await ann("GET", f"/api/rooms/{room}/reads")).json() == {"reads": {ann.id: 2}}
        for seq, text in ((1, "first"), (2, "second")):
            originals = (await ann("GET", f"/api/rooms/{room}/messages/{seq}/originals")).json()["originals"]
            assert originals == [{"text": text, "until": rfc3339(rest.clock())}]
        assert (await ann("GET", f"/api/rooms/{room}/messages/3/originals")).status_code == 404


async def test_pinned_messages_are_listed_for_members() -> None:
    async with open_rest() as rest:
        ann, ben = await rest.user(), await rest.user()
        room = await ann.room()
        key = room_key(room)
        await rest.say(key, ann, "first", "second")
        assert (await ann("GET", f"/api/rooms/{room}/pins")).json() == {"pins": []}
        changes = [Pinned(conversation=key, actor=ann.id, ts=rest.clock() + seq, seq=seq) for seq in (1, 2)]
        await rest.services.history.apply_batch([], changes)
        second, first = (await ann("GET", f"/api/rooms/{room}/pins")).json()["pins"]
        assert (second["message"]["text"], first["message"]["text"]) == ("second", "first")
        assert first["by"] == {"id": ann.id, "name": ann.name}
        assert first["at"] == rfc3339(rest.clock() + 1)
        assert first["message"] == (await ann("GET", f"/api/rooms/{room}/messages?before=2")).json()["messages"][0]
        assert first["message"]["pinned"] is True
        assert (await ben("GET", f"/api/rooms/{room}/pins")).status_code == 403
        assert (await ann("GET", f"/api/rooms/{new_id()}/pins")).status_code == 404


async def test_direct_conversations() -> None:
    async with open_rest() as rest:
        ann, bob, cid = await rest.user("ann"), await rest.user("bob"), await rest.user("cid")
        assert (await ann("GET", "/api/dms")).json() == {"conversations": []}
        await rest.say(dm_key(ann.id, bob.id), bob, "one", "two")
        rest.clock.now += 1
        await rest.say(dm_key(ann.id, cid.id), ann, "three")
        found = (await ann("GET", "/api/dms")).json()["conversations"]
        assert [each.pop("mentions") for each in found] == [0, 0]
        assert [each.pop("last")["text"] for each in found] == ["three", "two"]
        assert found == [
            {"with": {"id": cid.id, "name": "cid"}, "seq": 1, "unread": 0, "read": 0},
            {"with": {"id": bob.id, "name": "bob"}, "seq": 2, "unread": 2, "read": 0},
        ]
        page = (await ann("GET", f"/api/dms/{bob.id}/messages")).json()
        assert [message["text"] for message in page["messages"]] == ["two", "one"]
        assert (page["messages"][0]["from"], page["messages"][0]["to"]) == ({"id": bob.id, "name": "bob"}, ann.id)
        assert await seqs(bob, f"/api/dms/{ann.id}/messages?after=1") == ([2], False)
        assert await seqs(cid, f"/api/dms/{bob.id}/messages") == ([], False)
        mark = Read(conversation=dm_key(ann.id, bob.id), actor=ann.id, ts=rest.clock(), seq=1)
        await rest.services.history.apply_batch([], [mark])
        assert (await bob("GET", f"/api/dms/{ann.id}/reads")).json() == {"reads": {ann.id: 1}}


async def test_a_search_is_paged_by_its_cursor() -> None:
    """Messages of one moment, in several places: by their time alone most of them could not be reached."""
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        places = [room_key(await ann.room(name)) for name in ("den", "attic")] + [dm_key(ann.id, bob.id)]
        for place in places:
            await rest.say(place, ann, *(f"fox {number}" for number in range(30)))
        seen, cursor = [], None
        while True:
            params = {"q": "fox", "limit": 7} | ({"cursor": cursor} if cursor else {})
            page = (await ann("GET", "/api/search", params=params)).json()
            seen += [(message.get("room"), message["seq"]) for message in page["messages"]]
            assert page["more"] is (page["next"] is not None)
            if page["next"] is None:
                break
            cursor = page["next"]
        assert (len(seen), len({*seen})) == (90, 90)
        elsewhere = await bob("GET", "/api/search", params={"q": "fox", "cursor": cursor})
        assert all("room" not in message for message in elsewhere.json()["messages"])


@pytest.mark.parametrize("what", ["messages", "reads"])
async def test_a_conversation_needs_another_user(what: str) -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        assert (await ann("GET", f"/api/dms/{ann.id}/{what}")).status_code == 422
        assert (await ann("GET", f"/api/dms/{new_id()}/{what}")).status_code == 404
        assert (await ann("GET", f"/api/dms/ann/{what}")).json()["field"] == "user"


async def library(rest: Rest) -> tuple[User, User, str, str]:
    """Ann is in one room with Bob; another room is Bob's own. Both wrote about foxes."""
    ann, bob = await rest.user("ann"), await rest.user("bob")
    shared, secret = await ann.room("shared"), await bob.room("secret", "private")
    await bob("POST", f"/api/rooms/{shared}/join")
    await rest.say(room_key(shared), ann, "The quick brown fox", "a lazy dog")
    rest.clock.now += 10_000
    await rest.say(room_key(shared), bob, "another FOX, quick")
    await rest.say(room_key(secret), bob, "a secret fox")
    await rest.say(dm_key(ann.id, bob.id), bob, "a fox between us")
    return ann, bob, shared, secret


async def found(user: User, **params: str) -> set[str]:
    answer = await user("GET", "/api/search", params=params)
    assert answer.status_code == 200, answer.text
    return {message["text"] for message in answer.json()["messages"]}


async def test_search_finds_what_the_asker_may_read() -> None:
    async with open_rest() as rest:
        ann, bob, shared, secret = await library(rest)
        first, second, direct = "The quick brown fox", "another FOX, quick", "a fox between us"
        assert await found(ann, q="fox") == {first, second, direct}
        assert await found(bob, q="fox") == {first, second, direct, "a secret fox"}
        assert await found(ann, q="Quick fox!") == {first, second}
        assert await found(ann, q="fox", room=shared) == {first, second}
        assert await found(ann, q="fox", **{"from": "ANN"}) == {first}
        assert await found(ann, q="fox", **{"from": bob.id}) == {second, direct}
        assert await found(ann, q="fox", **{"from": "nobody"}) == set()
        now = rest.clock()
        assert await found(ann, q="fox", before=rfc3339(now)) == {first}
        assert await found(ann, q="fox", before=str(now)) == {first}
        assert await found(ann, q="fox", before="2100-01-01T00:00:00+01:00") == {first, second, direct}
        answer = await ann("GET", "/api/search", params={"q": "fox", "room": secret})
        assert answer.status_code == 403
        limited = (await ann("GET", "/api/search", params={"q": "fox", "limit": "1"})).json()
        assert (len(limited["messages"]), limited["more"]) == (1, True)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "q"),
        ({"q": "!?"}, "q"),
        ({"q": "x" * 513}, "q"),
        ({"q": "nul\0"}, "q"),
        ({"q": "e" + "\u0301\u0316" * 16}, "q"),
        ({"q": "fox", "room": "den"}, "room"),
        ({"q": "fox", "cursor": "bm90IG9uZQ"}, "cursor"),
        ({"q": "fox", "before": "yesterday"}, "before"),
        ({"q": "fox", "before": "2026-01-01"}, "before"),
        ({"q": "fox", "limit": "1000"}, "limit"),
    ],
)
async def test_a_bad_search_is_refused(params: dict[str, str], field: str) -> None:
    async with open_rest() as rest:
        answer = await (await rest.user())("GET", "/api/search", params=params)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_the_document_takes_the_shape_of_a_message_from_its_struct() -> None:
    schemas = make_openapi()["components"]["schemas"]
    for struct in (HistoryMessage, HistoryDirectMessage):
        names = {field.encode_name for field in msgspec.structs.fields(struct)}
        assert schemas[struct.__name__]["properties"].keys() == names | {"type"}
    of_messages = {name for name, schema in schemas.items() if "reactions" in schema.get("properties", {})}
    assert of_messages == {"HistoryMessage", "HistoryDirectMessage"}


async def test_a_search_has_filters_and_context() -> None:
    async with open_rest() as rest:
        ann, ben = await rest.user(), await rest.user()
        room = await ann.room()
        key = room_key(room)
        begun = rest.clock()
        for text in ("one", "fox https://example.org", "three", "fox `code`", "five", "six", "fox"):
            await rest.say(key, ann, text)
            rest.clock.now += 1000

        async def find(query: str) -> list[int]:
            answer = await ann("GET", f"/api/search?{query}")
            assert answer.status_code == 200, answer.text
            assert "context" not in answer.json()
            return [message["seq"] for message in answer.json()["messages"]]

        assert await find("q=fox&has=link") == [2]
        assert await find("has=code") == [4]
        assert await find("has=code&has=link") == []
        assert await find(f"q=fox&after={begun + 3000}") == [7, 4]
        assert await find(f"from={ann.name}&after={begun + 2000}&before={rfc3339(begun + 4000)}") == [4, 3]
        assert await find(f"room={room}") == [7, 6, 5, 4, 3, 2, 1]
        assert await find(f"from={ben.id}") == []
        page = (await ann("GET", "/api/search?q=fox&context=1")).json()
        assert sorted(message["seq"] for message in page["context"]) == [1, 3, 5, 6]
        assert (await ben("GET", f"/api/search?has=code&room={room}")).status_code == 403
        assert (await ben("GET", "/api/search?has=code&context=2")).json()["messages"] == []
        for query, field in (("", "q"), ("q=%3F&has=code", "q"), ("has=file", "has"), ("q=a&after=x", "after")):
            answer = await ann("GET", f"/api/search?{query}")
            assert (answer.status_code, answer.json()["field"].partition(".")[0]) == (422, field)


async def test_a_page_lies_around_a_message_or_a_time() -> None:
    async with open_rest() as rest:
        ann, ben = await rest.user(), await rest.user()
        room = await ann.room()
        for key, path in (
            (room_key(room), f"/api/rooms/{room}/messages"),
            (dm_key(ann.id, ben.id), f"/api/dms/{ben.id}/messages"),
        ):
            empty = (await ann("GET", f"{path}?around=3")).json()
            assert empty == {"messages": [], "more": False, "more_before": False, "seq": 0}
            begun = rest.clock()
            for text in "abcdefghi":
                await rest.say(key, ann, text)
                rest.clock.now += 1000
            page = (await ann("GET", f"{path}?around=5&limit=4")).json()
            assert [message["seq"] for message in page["messages"]] == [3, 4, 5, 6]
            assert (page["seq"], page["more"], page["more_before"]) == (5, True, True)
            assert await seqs(ann, f"{path}?around=1&limit=4") == ([1, 2, 3, 4], True)
            assert await seqs(ann, f"{path}?around=99&limit=4") == ([7, 8, 9], False)
            assert await seqs(ann, f"{path}?around=5&limit=1") == ([4, 5], True)
            for at in (begun + 3000, rfc3339(begun + 2001)):
                page = (await ann("GET", f"{path}?at={at}&limit=2")).json()
                assert (page["seq"], [message["seq"] for message in page["messages"]]) == (4, [3, 4])


@pytest.mark.parametrize("query", ["around=0", "at=yesterday", "around=1&at=5", "before=2&around=1"])
async def test_a_bad_place_is_refused(query: str) -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        answer = await ann("GET", f"/api/rooms/{await ann.room()}/messages?{query}")
        assert (answer.status_code, answer.json()["field"]) == (422, query.partition("=")[0])


async def test_lists_have_the_newest_message() -> None:
    async with open_rest() as rest:
        ann, ben = await rest.user(), await rest.user()
        room, other = await ann.room(), await ann.room("attic")
        await rest.say(room_key(room), ann, "first", "x" * 200)
        await rest.say(room_key(other), ann, "secret")
        withdrawn = Deleted(conversation=room_key(other), actor=ann.id, ts=rest.clock(), seq=1)
        await rest.services.history.apply_batch([], [withdrawn])
        await rest.say(dm_key(ann.id, ben.id), ben, "hello")
        attic, den = (await ann("GET", "/api/rooms")).json()["rooms"]
        sender = {"id": ann.id, "name": ann.name}
        assert den["last"] == {"sender": sender, "text": "x" * 120, "ts": rfc3339(rest.clock())}
        assert attic["last"]["text"] is None
        (direct,) = (await ann("GET", "/api/dms")).json()["conversations"]
        assert (direct["last"]["text"], direct["last"]["sender"]["id"], direct["mentions"]) == ("hello", ben.id, 0)
        for seen in (await ben("GET", "/api/rooms?public=1")).json()["rooms"]:
            assert (seen["last"], seen["mentions"]) == (None, 0)
