"""Every REST call of version 1 that is served, against the real process, by `httpx`."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import jwt
import pytest

from tests.e2e.conftest import EVERY_SERVER, NewServer
from tests.support.people import PASSWORD, Person, Server, log_in, new_id, register

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
SERVERS = EVERY_SERVER


async def say(person: Person, room: str, *texts: str) -> None:
    """Send, and wait until history has it."""
    async with person.chat() as chat:
        newest = (await chat.ok("subscribe", room=room))["seq"]
        for text in texts:
            await chat.ok("send", room=room, text=text, client_id=new_id())
        await chat.messages(room, newest + len(texts))


async def test_accounts(server: Server, ada: Person) -> None:
    me = await ada.call("GET", "/api/auth/me")
    assert me.items() >= {"id": ada.id, "name": ada.name, "email": None, "moderator": False}.items()
    name = {"name": ada.name.upper(), "password": PASSWORD}
    taken = await ada.call("POST", "/api/auth/register", name, status=409)
    assert taken["code"] == "name_taken"
    for body in ({"name": "x", "password": PASSWORD}, {"name": "spaced name", "password": PASSWORD}):
        assert (await ada.call("POST", "/api/auth/register", body, status=422))["field"] == "name"
    short = {"name": "short-password", "password": "seven77"}
    assert (await ada.call("POST", "/api/auth/register", short, status=422))["field"] == "password"
    with_email = {"name": "with-email", "password": PASSWORD, "email": "ada@example.org"}
    created = await ada.call("POST", "/api/auth/register", with_email, status=201)
    assert created["name"] == "with-email"
    for name_, password in ((ada.name, "wrong password"), ("nobody-has-this-name", PASSWORD)):
        wrong = await ada.call("POST", "/api/auth/login", {"name": name_, "password": password}, status=401)
        assert wrong["status"] == 401


async def test_without_a_valid_token_nothing_is_told(server: Server, ada: Person) -> None:
    stranger = Person(server, "nobody", http=ada.http)
    forged = jwt.encode({"sub": ada.id, "exp": 2**31}, "x" * 32, algorithm="HS256")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).decode().rstrip("=")
    unsigned = f"{header}.{ada.token.split('.')[1]}."
    for token in ("", "nonsense", forged, unsigned, ada.token[:-4] + "AAAA"):
        stranger.token = token
        for path in ("/api/auth/me", "/api/rooms", "/api/dms", "/api/search?q=x", f"/api/users/{ada.id}"):
            assert (await stranger.call("GET", path, status=401))["code"]


async def test_refresh_tokens_rotate_and_a_reused_one_ends_its_family(ada: Person) -> None:
    body = {"refresh_token": ada.refresh_token}
    tokens = await ada.call("POST", "/api/auth/refresh", body)
    assert tokens["refresh_token"] != ada.refresh_token
    successor = {"refresh_token": tokens["refresh_token"]}
    third = await ada.call("POST", "/api/auth/refresh", successor)
    await ada.call("POST", "/api/auth/refresh", body, status=401)
    await ada.call("POST", "/api/auth/refresh", {"refresh_token": third["refresh_token"]}, status=401)
    await log_in(ada)
    await ada.call("POST", "/api/auth/logout", {"refresh_token": ada.refresh_token})
    await ada.call("POST", "/api/auth/refresh", {"refresh_token": ada.refresh_token}, status=401)


async def test_anyone_can_verify_a_token_by_the_published_keys(ada: Person) -> None:
    keys = await ada.call("GET", "/api/auth/jwks.json")
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(ada.token)["kid"]]
    claims = jwt.decode(
        ada.token,
        key,
        algorithms=["EdDSA", "ES256"],
        audience="rookery",
        issuer="rookery",
        options={"require": ["exp", "nbf", "sub"]},
    )
    assert claims["sub"] == ada.id


async def test_rooms(ada: Person, bob: Person) -> None:
    body = {"name": "  Gardeners  ", "visibility": "public"}
    room = await ada.call("POST", "/api/rooms", body, status=201)
    wanted = {"name": "Gardeners", "visibility": "public", "role": "owner", "seq": 0, "unread": 0}
    assert wanted.items() <= room.items()
    found = [each["id"] for each in (await ada.call("GET", "/api/rooms"))["rooms"]]
    assert room["id"] in found
    public = (await bob.call("GET", "/api/rooms?public=1&name=gard"))["rooms"]
    assert room["id"] in [each["id"] for each in public]
    assert room["id"] not in [each["id"] for each in (await bob.call("GET", "/api/rooms"))["rooms"]]
    await bob.call("PATCH", f"/api/rooms/{room['id']}", {"name": "mine"}, status=403)
    await bob.call("DELETE", f"/api/rooms/{room['id']}", status=403)
    changed = await ada.call("PATCH", f"/api/rooms/{room['id']}", {"visibility": "private"})
    assert (changed["name"], changed["visibility"]) == ("Gardeners", "private")
    await bob.call("POST", f"/api/rooms/{room['id']}/join", status=403)
    await ada.call("POST", "/api/rooms", {"name": "\u0000", "visibility": "public"}, status=422)
    await ada.call("POST", "/api/rooms", {"name": "x", "visibility": "secret"}, status=422)
    await ada.call("DELETE", f"/api/rooms/{room['id']}", status=204)
    await ada.call("GET", f"/api/rooms/{room['id']}", status=404)
    await ada.call("GET", "/api/rooms/not-an-id", status=422)


async def test_members_roles_and_bans(ada: Person, bob: Person, http: httpx.AsyncClient) -> None:
    room = await ada.new_room("private")
    path = f"/api/rooms/{room}"
    await ada.call("PUT", f"{path}/members/{bob.id}", {"role": "moderator"})
    members = (await bob.call("GET", f"{path}/members"))["members"]
    assert {(member["id"], member["role"]) for member in members} == {(ada.id, "owner"), (bob.id, "moderator")}
    eve = await register(ada.server, http)
    await eve.call("GET", f"{path}/members", status=403)
    await bob.call("PUT", f"{path}/members/{eve.id}", {"role": "member"})
    await bob.call("PUT", f"{path}/members/{eve.id}", {"role": "moderator"}, status=403)
    await bob.call("DELETE", f"{path}/members/{ada.id}", status=403)
    await eve.call("PUT", f"{path}/bans/{bob.id}", status=403)
    await bob.call("DELETE", f"{path}/members/{eve.id}")
    await bob.call("PUT", f"{path}/bans/{eve.id}")
    token = (await bob.call("POST", f"{path}/invites"))["token"]
    assert (await eve.call("POST", f"/api/invites/{token}", status=403))["code"] == "banned"
    await bob.call("DELETE", f"{path}/bans/{eve.id}")
    assert (await eve.call("POST", f"/api/invites/{token}"))["role"] == "member"
    await eve.call("POST", "/api/invites/unknown", status=404)
    await eve.call("POST", f"{path}/leave")
    last = await ada.call("POST", f"{path}/leave", status=409)
    assert last["code"] == "last_owner"
    await ada.call("PUT", f"{path}/members/{new_id()}", {"role": "member"}, status=404)


async def test_history_pages_both_ways(ada: Person, bob: Person) -> None:
    room = await ada.new_room()
    await say(ada, room, *(f"text {number}" for number in range(1, 8)))
    path = f"/api/rooms/{room}/messages"

    async def page(query: str) -> tuple[list[int], bool]:
        answer = await ada.call("GET", f"{path}?{query}")
        return [item["seq"] for item in answer["messages"]], answer["more"]

    assert await page("") == ([7, 6, 5, 4, 3, 2, 1], False)
    assert await page("limit=3") == ([7, 6, 5], True)
    assert await page("limit=3&before=5") == ([4, 3, 2], True)
    assert await page("limit=3&before=2") == ([1], False)
    assert await page("limit=3&after=2") == ([3, 4, 5], True)
    assert await page("limit=3&after=0") == ([1, 2, 3], True)
    assert await page("limit=3&after=5") == ([6, 7], False)
    for query in ("limit=201", "limit=0", "before=x", "before=-1"):
        await ada.call("GET", f"{path}?{query}", status=422)
    await bob.call("GET", path, status=403)


async def test_an_item_of_history_tells_what_became_of_it(ada: Person, bob: Person) -> None:
    room = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{room}/join")
    async with ada.chat() as a, bob.chat() as b:
        await a.ok("subscribe", room=room)
        await a.ok("send", room=room, text="tset", client_id=new_id())
        await a.messages(room, 1)
        await a.ok("edit", room=room, seq=1, text="test")
        for person in (a, b):
            await person.ok("react", room=room, seq=1, emoji="👍", remove=False)
        await a.event("reaction", user=bob.id)
    (item,) = (await ada.call("GET", f"/api/rooms/{room}/messages"))["messages"]
    assert (item["text"], item["edited"], item["deleted"], item["moderated"]) == ("test", True, False, False)
    assert item["reactions"] == {"👍": [ada.id, bob.id]}
    originals = await ada.call("GET", f"/api/rooms/{room}/messages/1/originals")
    assert [each["text"] for each in originals["originals"]] == ["tset"]
    await bob.call("GET", f"/api/rooms/{room}/messages/1/originals", status=403)


async def test_direct_conversations(ada: Person, bob: Person) -> None:
    async with ada.chat() as chat:
        for text in ("one", "two"):
            client_id = new_id()
            await chat.ok("dm", to=bob.id, text=text, client_id=client_id)
            await chat.event("stored", client_id=client_id)
    (conversation,) = (await bob.call("GET", "/api/dms"))["conversations"]
    assert conversation["with"] == {"id": ada.id, "name": ada.name}
    assert (conversation["seq"], conversation["unread"]) == (2, 2)
    for person, other in ((ada, bob), (bob, ada)):
        items = (await person.call("GET", f"/api/dms/{other.id}/messages"))["messages"]
        assert [(item["seq"], item["text"], item["from"]["id"]) for item in items] == [
            (2, "two", ada.id),
            (1, "one", ada.id),
        ]


async def test_search_finds_what_the_asker_may_read(ada: Person, bob: Person) -> None:
    word = f"w{new_id()[:8]}"
    room, private = await ada.new_room(), await ada.new_room("private")
    await bob.call("POST", f"/api/rooms/{room}/join")
    await say(ada, room, f"Crème {word} brûlée", "nothing")
    await say(ada, private, f"secret {word}")
    await say(bob, room, f"{word} by Bob")

    async def search(person: Person, query: str) -> list[str]:
        return [item["text"] for item in (await person.call("GET", f"/api/search?{query}"))["messages"]]

    assert await search(bob, f"q={word}") == [f"{word} by Bob", f"Crème {word} brûlée"]
    assert len(await search(ada, f"q={word}")) == 3
    assert await search(bob, f"q=CREME+{word}") == [f"Crème {word} brûlée"]
    assert await search(ada, f"q={word}&room={private}") == [f"secret {word}"]
    assert await search(ada, f"q={word}&from={bob.id}") == [f"{word} by Bob"]
    assert await search(ada, f"q={word}&before=2020-01-01T00:00:00Z") == []
    assert await search(ada, f"q={word}+absent") == []
    await ada.call("GET", "/api/search?q=", status=422)
    await bob.call("GET", f"/api/search?q=x&room={private}", status=403)


async def test_people(ada: Person, bob: Person) -> None:
    assert await ada.call("GET", f"/api/users/{bob.id}") == {"id": bob.id, "name": bob.name}
    await ada.call("GET", f"/api/users/{new_id()}", status=404)
    users = (await ada.call("GET", f"/api/users?name={bob.name[:8].upper()}"))["users"]
    assert {"id": bob.id, "name": bob.name} in users
    async with bob.chat():
        states = (await ada.call("GET", f"/api/presence?users={ada.id},{bob.id}"))["states"]
        assert (states[ada.id]["state"], states[bob.id]["state"]) == ("offline", "online")


async def test_operations_and_the_page(server: Server, ada: Person) -> None:
    config = await ada.call("GET", "/api/config")
    assert config["ws_url"] == server.ws
    for path in ("/healthz", "/readyz"):
        assert (await ada.http.get(server.http + path)).status_code == 200
    metrics = (await ada.http.get(server.http + "/metrics")).text
    assert "rookery" in metrics
    page = await ada.http.get(server.http + "/")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe" not in policy
    document: Any = await ada.call("GET", "/api/openapi.json")
    assert "/api/rooms/{room}/messages" in document["paths"]


@pytest.mark.parametrize(
    "call",
    ["GET /api/none", "GET /none"],
)
async def test_what_is_not_served_is_not_found(ada: Person, call: str) -> None:
    method, path = call.split()
    await ada.call(method, path, status=404)


async def test_wrong_log_ins_and_registrations_are_limited(new_server: NewServer, http: httpx.AsyncClient) -> None:
    server = new_server(login_failures_per_name="3", register_per_minute="2")
    person = await register(server, http)
    other = await register(server, http)
    body = {"name": "one-too-many", "password": PASSWORD}
    limited = await person.call("POST", "/api/auth/register", body, status=429)
    assert limited["code"] == "rate_limited"
    assert limited["retry_after_ms"] > 0
    for _ in range(3):
        await person.call("POST", "/api/auth/login", {"name": person.name, "password": "wrong one"}, status=401)
    for password in ("wrong one", PASSWORD):
        refused = await person.call("POST", "/api/auth/login", {"name": person.name, "password": password}, status=429)
        assert refused["code"] == "rate_limited"
    await log_in(other)
