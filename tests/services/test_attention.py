"""What asks for the caller's attention."""

from __future__ import annotations

from typing import Any

import pytest

from chat.domain.conversations import dm_key, room_key
from chat.domain.ids import new_id, rfc3339
from chat.domain.models import Message
from chat.domain.records import Deleted, Reacted
from tests.support.rest import Rest, User, open_rest

pytestmark = pytest.mark.anyio


async def say(rest: Rest, key: str, user: User, seq: int, **fields: Any) -> None:
    message = Message(
        conversation=key,
        seq=seq,
        sender=user.id,
        sender_name=user.name,
        text=f"text {seq}",
        ts=rest.clock(),
        client_id=new_id(),
        **fields,
    )
    await rest.services.history.apply_batch([message], [])
    rest.clock.now += 1000


async def kinds(user: User, query: str = "") -> list[tuple[str, str]]:
    page = (await user("GET", f"/api/attention{query}")).json()
    return [(item["kind"], item["message"]["text"]) for item in page["items"]]


async def test_a_user_sees_what_others_did_and_until_when_it_was_seen() -> None:
    async with open_rest() as rest:
        ann, ben, cid = await rest.user(), await rest.user(), await rest.user()
        room, other = await ann.room(), await ben.room("attic")
        for user in (ben, cid):
            await user("POST", f"/api/rooms/{room}/join")
        await ann("POST", f"/api/rooms/{other}/join")
        key = room_key(room)
        await say(rest, key, ann, 1)
        await say(rest, key, ben, 2, mentions=(ann.id,))
        await say(rest, key, cid, 3, reply_to=1)
        await say(rest, room_key(other), ben, 1, mentions=(ann.id,))
        await say(rest, dm_key(ann.id, ben.id), ann, 1)
        reacted = Reacted(conversation=dm_key(ann.id, ben.id), actor=ben.id, ts=rest.clock(), seq=1, emoji="👍")
        await rest.services.history.apply_batch([], [reacted])
        page = (await ann("GET", "/api/attention")).json()
        assert (page["more"], page["next"], page["seen"], page["unseen"]) == (False, None, None, 4)
        reaction, mention, reply, first = page["items"]
        assert (reaction["kind"], reaction["emoji"], reaction["by"]["id"]) == ("reaction", "👍", ben.id)
        assert reaction["at"] == rfc3339(rest.clock())
        assert (mention["kind"], mention["message"]["room"], mention["by"]["id"]) == ("mention", other, ben.id)
        assert (reply["kind"], reply["replied"]["text"], reply["by"]["name"]) == ("reply", "text 1", cid.name)
        assert (first["kind"], "replied" in first, "emoji" in first) == ("mention", False, False)
        answer = await ann("PUT", "/api/attention/seen", {"until": reply["at"]})
        assert (answer.status_code, answer.json()) == (200, {"until": reply["at"]})
        page = (await ann("GET", "/api/attention?limit=2")).json()
        assert (len(page["items"]), page["unseen"], page["seen"]) == (2, 2, reply["at"])
        page = (await ann("GET", f"/api/attention?limit=5&cursor={page['next']}")).json()
        assert (len(page["items"]), page["more"], page["unseen"]) == (2, False, None)
        assert await kinds(ben) == []


async def test_only_what_the_user_may_read_and_what_still_stands() -> None:
    async with open_rest() as rest:
        ann, ben, cid = await rest.user(), await rest.user(), await rest.user()
        room, other = await ben.room(), await ben.room("attic", "private")
        await ann("POST", f"/api/rooms/{room}/join")
        await say(rest, room_key(other), ben, 1, mentions=(ann.id,))
        for seq in (1, 2):
            await say(rest, room_key(room), ben, seq, mentions=(ann.id,))
        await say(rest, room_key(room), cid, 3, mentions=(ann.id,))
        assert [text for _, text in await kinds(ann)] == ["text 3", "text 2", "text 1"]
        deleted = Deleted(conversation=room_key(room), actor=ben.id, ts=rest.clock(), seq=1)
        await rest.services.history.apply_batch([], [deleted])
        await ann("PUT", f"/api/privacy/blocks/{cid.id}")
        assert await kinds(ann) == [("mention", "text 2")]
        await ann("POST", f"/api/rooms/{room}/leave")
        page = (await ann("GET", "/api/attention")).json()
        assert (page["items"], page["unseen"]) == ([], 0)


async def test_a_mark_in_the_future_counts_as_now() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        answer = await ann("PUT", "/api/attention/seen", {"until": "2100-01-01T00:00:00Z"})
        assert answer.json() == {"until": rfc3339(rest.clock())}
        for body, query in (({"until": "soon"}, ""), ({}, "")):
            assert (await ann("PUT", f"/api/attention/seen{query}", body)).status_code == 422
        assert (await ann("GET", "/api/attention?cursor=bm90IG9uZQ")).status_code == 422
        assert (await ann("GET", "/api/attention?limit=51")).status_code == 422
