"""The log of a server into whose every input somebody put a secret: it is not there, in either format, at any level."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import httpx
import pytest

from tests.support.people import PASSWORD, Person, Server, register
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
SECRET = "sEcReT42"


async def call_with_secrets(server: Server, http: httpx.AsyncClient, ada: Person, room: str) -> list[httpx.Response]:
    """REST: bodies, queries, paths, headers, well-formed and not."""
    bearer = {"Authorization": f"Bearer {ada.token}"}
    made: list[httpx.Response] = []
    for method, path, body in (
        ("POST", "/api/auth/register", {"name": f"n-{SECRET}", "password": f"a good {SECRET}"}),
        ("POST", "/api/auth/login", {"name": f"n-{SECRET}", "password": SECRET}),
        ("POST", "/api/auth/login", {"name": ada.name, "password": SECRET}),
        ("POST", "/api/auth/refresh", {"refresh_token": SECRET}),
        ("POST", "/api/auth/register", {"name": SECRET * 40, "password": SECRET, SECRET: SECRET}),
        ("POST", "/api/rooms", {"name": f"room {SECRET}", "visibility": SECRET}),
        ("POST", "/api/rooms", {"name": f"room {SECRET}", "visibility": "public"}),
        ("POST", "/api/reports", {"room": room, "seq": 1, "reason": SECRET}),
        ("GET", f"/api/search?q={SECRET}&room={SECRET}", None),
        ("GET", f"/api/rooms/{room}/messages?before={SECRET}", None),
        ("GET", f"/api/users?name={SECRET}", None),
        ("POST", f"/api/invites/{SECRET}", None),
        ("GET", f"/api/invites/{SECRET}", None),
        ("GET", f"/{SECRET}", None),
        (SECRET, "/api/rooms", None),
    ):
        made.append(await http.request(method, f"{server.http}{path}", json=body, headers=bearer))
    broken = {"Content-Type": "application/json"} | bearer
    made.append(await http.post(f"{server.http}/api/rooms", content=f'{{"name": "{SECRET}"', headers=broken))
    bad = {"Authorization": f"Bearer {SECRET}", "Cookie": SECRET, "X-Request-Id": SECRET, "User-Agent": SECRET}
    made.append(await http.get(f"{server.http}/api/auth/me", headers=bad))
    made.append(await http.get(f"{server.http}/api/auth/me?access_token={SECRET}"))
    assert all(answer.status_code < 500 for answer in made)
    return made


async def talk_with_secrets(ada: Person, ben: Person, room: str) -> None:
    """The WebSocket: texts, ids, tokens, and what is no command."""
    async with ada.chat() as chat, ben.chat() as other:
        await chat.ok("subscribe", room=room)
        await chat.ok("send", room=room, text=SECRET, client_id=str(uuid.uuid4()))
        seq = (await chat.event("message"))["seq"]
        await chat.ok("edit", room=room, seq=seq, text=f"more {SECRET}")
        await chat.ok("dm", to=ben.id, text=SECRET, client_id=str(uuid.uuid4()))
        await other.event("dm")
        await chat.refused("send", room=SECRET, text=SECRET, client_id=SECRET)
        await chat.refused(SECRET, field=SECRET)
        await chat.refused("refresh", token=SECRET)
        await chat.raw(f'{{"type": "{SECRET}')
    async with ada.chat(auth=False) as stranger:
        await stranger.say("auth", token=SECRET)
        await stranger.closed()


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_no_secret_is_in_the_log(log_format: str, http: httpx.AsyncClient, tmp_path: Path) -> None:
    environment = {"log_format": log_format, "log_level": "debug", "moderation": "on", "notifications": "on"}
    server = ServerProcess(f"logs-{log_format}", tmp_path, rate_limits="off", **environment)
    with server:
        ada, ben = await register(server, http), await register(server, http)
        room = await ada.new_room()
        answers = await call_with_secrets(server, http, ada, room)
        await talk_with_secrets(ada, ben, room)
        server.terminate()
        assert server.wait() == 0
    written = server.errors()
    assert written
    for secret in (SECRET, PASSWORD, ada.token, ada.refresh_token):
        assert secret not in written
    if log_format == "json":
        lines = [json.loads(line) for line in written.splitlines()]
        assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
        requests = {line.get("request") for line in lines if line["logger"] == "rookery.access"}
        assert {answer.headers["X-Request-Id"] for answer in answers} <= requests
