"""Users, presence, and the configuration that clients read."""

from __future__ import annotations

import anyio
import pytest

from chat.domain.ids import new_id, rfc3339
from chat.domain.models import PresenceState
from chat.settings import Address
from tests.support.clocks import virtual_time
from tests.support.rest import open_rest, read_all
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio


async def test_people_are_found_by_the_start_of_their_name() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user("Ann"), await rest.user("bob")
        assert (await bob("GET", "/api/users?name=an")).json() == {
            "users": [{"id": ann.id, "name": "Ann"}],
            "more": False,
            "next": None,
        }
        assert len((await bob("GET", "/api/users")).json()["users"]) == 2
        assert len((await bob("GET", "/api/users?limit=1")).json()["users"]) == 1
        assert (await bob("GET", f"/api/users/{ann.id}")).json() == {"id": ann.id, "name": "Ann"}
        assert (await bob("GET", f"/api/users/{new_id()}")).status_code == 404
        assert (await bob("GET", "/api/users/ann")).status_code == 422
        assert (await bob("GET", "/api/users?name=%00")).status_code == 422


async def test_users_come_in_pages() -> None:
    async with open_rest() as rest:
        for number in range(7):
            ann = await rest.user(f"user-{number}")
        assert await read_all(ann, "/api/users?name=USER&limit=3", "users") == [f"user-{number}" for number in range(7)]


async def test_presence_of_many_is_asked_in_a_body() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        await rest.services.presence.enter_session(bob.id, "session", PresenceState.AWAY)
        users = [bob.id.upper(), *(new_id() for _ in range(999))]
        states = (await ann("POST", "/api/presence", {"users": users})).json()["states"]
        assert len(states) == 1000
        assert states[bob.id] == {"state": "away", "last_seen": None}
        for body in ({"users": [*users, new_id()]}, {"users": ["ann"]}, {}):
            answer = await ann("POST", "/api/presence", body)
            assert (answer.status_code, answer.json()["field"].partition(".")[0]) == (422, "users")
        await rest.services.presence.leave_session(bob.id, "session")


async def test_presence_of_several() -> None:
    async with open_rest() as rest:
        ann, bob, stranger = await rest.user(), await rest.user(), new_id()
        await rest.services.presence.enter_session(bob.id, "session", PresenceState.AWAY)
        expected = {
            bob.id: {"state": "away", "last_seen": None},
            stranger: {"state": "offline", "last_seen": None},
        }
        for query in (
            f"users={bob.id},{stranger}",
            f"users={bob.id}&users={stranger.upper()}",
            f"users={bob.id},,{stranger},",
        ):
            assert (await ann("GET", f"/api/presence?{query}")).json() == {"states": expected}
        assert (await ann("GET", "/api/presence?users=")).json() == {"states": {}}
        await rest.services.presence.leave_session(bob.id, "session")


@pytest.mark.parametrize(
    "query", ["", "users=ann", "users=" + ",".join(["x"] * 1001), "users=" + "&users=".join(["x"] * 1001)]
)
async def test_a_bad_question_for_presence_is_refused(query: str) -> None:
    async with open_rest() as rest:
        answer = await (await rest.user())("GET", f"/api/presence?{query}")
        assert (answer.status_code, answer.json()["field"]) == (422, "users")


async def test_config_is_for_everyone() -> None:
    async with open_rest(settings=make_settings(ws=Address("127.0.0.1", 4001))) as rest:
        answer = await rest("GET", "/api/config")
        body = answer.json()
        assert (body["ws_url"], body["push_key"], body["voice"]) == ("ws://chat.test:4001/ws", None, False)
        assert body["registration"] == "open"
        assert body["limits"]["text_bytes"] == 16 * 1024
        assert "connect-src 'self' ws://chat.test:4001;" in answer.headers["content-security-policy"]
    async with open_rest(settings=make_settings(ws_url="wss://edge.example/ws")) as rest:
        answer = await rest("GET", "/api/config")
        assert answer.json()["ws_url"] == "wss://edge.example/ws"
        assert "connect-src 'self' wss://edge.example;" in answer.headers["content-security-policy"]


@virtual_time
async def test_a_last_visit_is_told() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        await rest.services.presence.enter_session(bob.id, "session")
        await rest.services.presence.leave_session(bob.id, "session")
        await anyio.sleep(5)  # leaving is damped
        states = (await ann("GET", f"/api/presence?users={bob.id}")).json()["states"]
        assert states == {bob.id: {"state": "offline", "last_seen": rfc3339(rest.clock())}}
