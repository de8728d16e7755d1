"""From the handshake to a live session: proofs of identity, deadlines, origins, limits."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from chat.ports.relay import Publication
from chat.wire.relay import Revoked, pack_control, user_channel
from tests.support.backends import virtual_time
from tests.support.world import sessions_of, world

pytestmark = pytest.mark.anyio


async def test_the_first_frame_authenticates() -> None:
    async with world(heartbeat_seconds=25.0) as here:
        ada = await here.user("ada")
        client = await here.client().open()
        answer = await client.ask("auth", token=here.token(ada))
        assert answer["type"] == "ok"
        assert answer["user"] == {"id": ada.id, "name": "ada"}
        assert answer["heartbeat_s"] == 25.0
        assert len(answer["session"]) == 36


async def test_the_handshake_authenticates() -> None:
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada)
        client = await here.client().open([(b"Authorization", f"Bearer {here.token(ada)}".encode())])
        assert (await client.ask("subscribe", room=room))["type"] == "ok"
        # A client that sends `auth` all the same is told who it is; another user's token is refused.
        assert (await client.ask("auth", token=here.token(ada)))["user"]["id"] == ada.id
        assert (await client.ask("auth", token=here.token(bob)))["code"] == "conflict"


@pytest.mark.parametrize("value", ["Bearer nonsense", "Basic abc", "Bearer"])
async def test_a_handshake_with_a_bad_token_is_refused(value: str) -> None:
    async with world() as here:
        client = await here.client().open([(b"Authorization", value.encode())])
        assert client.rejected == 401
        assert not sessions_of(here.edge)


@pytest.mark.parametrize(
    ("origin", "allowed", "status"),
    [
        (None, (), None),
        ("https://edge.test", (), None),
        ("http://edge.test:3000", (), None),
        ("https://evil.test", (), 403),
        ("null", (), 403),
        ("https://[broken", (), 403),
        ("https://evil.test", ("https://app.test",), 403),
        ("https://app.test", ("https://app.test",), None),
        ("https://any.test", ("*",), None),
    ],
)
async def test_origins(origin: str | None, allowed: tuple[str, ...], status: int | None) -> None:
    async with world(origins=allowed) as here:
        headers = [] if origin is None else [(b"Origin", origin.encode())]
        client = await here.client().open(headers)
        assert client.rejected == status


@pytest.mark.parametrize("target", ["/other", "/ws/", "//[", "//edge.test/ws", "/other?/ws"])
async def test_another_path_is_not_found(target: str) -> None:
    async with world() as here:
        assert (await here.client().open(target=target)).rejected == 404


async def test_a_full_edge_refuses() -> None:
    async with world(max_connections=1) as here:
        await here.client().open()
        assert (await here.client().open()).rejected == 503


async def test_of_too_many_half_open_handshakes_the_oldest_goes() -> None:
    async with world(max_handshakes=2) as here:
        first, second, third = here.client(), here.client(), here.client()
        await first.pump()
        assert first.eof
        assert (await second.open()).accepted
        assert (await third.open()).accepted


@virtual_time
async def test_a_slow_handshake_ends() -> None:
    async with world(handshake_seconds=1.0) as here:
        client = here.client()
        client.write(b"GET /ws HTTP/1.1\r\n")
        while not client.eof:
            await client.pump()
        assert here.edge.node.counters.handshakes["timeout"] == 1


@pytest.mark.parametrize(
    "frame", ['{"type":"subscribe","id":1}', '{"type":"send"', "[]", '{"type":"nothing","id":3}', '{"id":1}']
)
async def test_another_first_frame_ends_with_4000(frame: str) -> None:
    async with world() as here:
        client = await here.client().open()
        client.text(frame)
        assert (await client.ended())[0] == 4000


async def test_a_bad_token_ends_with_4001() -> None:
    async with world() as here:
        client = await here.client().open()
        number = client.post("auth", token="nonsense")
        assert (await client.answer(number))["code"] == "unauthorized"
        assert (await client.ended())[0] == 4001


@virtual_time
async def test_no_auth_in_time_ends_with_4408() -> None:
    async with world(auth_seconds=1.0) as here:
        client = await here.client().open()
        assert (await client.ended())[0] == 4408
        assert not here.edge.node.users.users


@virtual_time
async def test_an_account_that_is_gone_or_blocked_gets_no_session() -> None:
    async with world() as here:
        ada = await here.user("ada")
        await here.accounts.set_blocked(ada.id, True)
        client = await here.client().open()
        client.post("auth", token=here.token(ada))
        assert (await client.ended())[0] == 4003
        from chat.domain.models import User

        client = await here.client().open()
        client.post("auth", token=here.token(User(id="5d1ae4b5-5d1b-4d3b-8d56-3f1d1d0d7f00", name="nobody")))
        assert (await client.ended())[0] == 4001
        await _empty(here)


@virtual_time
async def test_a_token_that_expires_ends_the_session_unless_refreshed() -> None:
    async with world() as here:
        ada = await here.user("ada")
        kept = await here.login(ada, seconds=2)
        assert (await kept.ask("refresh", token=here.token(ada, seconds=600)))["type"] == "ok"
        assert (await kept.ask("refresh", token="nonsense"))["code"] == "unauthorized"
        lost = await here.login(ada, seconds=2)
        assert (await lost.ended())[0] == 4001
        assert (await kept.ask("status", state="online"))["type"] == "ok"


async def test_a_log_in_that_has_ended_gets_no_session_and_no_refresh() -> None:
    async with world() as here:
        ada = await here.user("ada")
        kept = await here.login(ada, family="two")
        ended, other = here.token(ada, family="one"), here.token(ada, family="two")
        here.keys.end_log_in("one")
        client = await here.client().open()
        number = client.post("auth", token=ended)
        assert (await client.answer(number))["code"] == "unauthorized"
        assert (await client.ended())[0] == 4001
        assert (await kept.ask("refresh", token=ended))["code"] == "unauthorized"
        assert (await kept.ask("refresh", token=other))["type"] == "ok"


async def test_a_revocation_ends_the_sessions_of_its_family() -> None:
    async with world() as here:
        ada = await here.user("ada")
        gone, kept = await here.login(ada, family="one"), await here.login(ada, family="two")
        control = Revoked(user=ada.id, family="one", code=4001, reason="logged out")
        await here.relay.publish([Publication(user_channel(ada.id), pack_control(control))])
        assert await gone.ended() == (4001, "logged out")
        assert (await kept.ask("status", state="online"))["type"] == "ok"
        everyone = Revoked(user=ada.id, family=None, code=4003, reason="blocked")
        await here.relay.publish([Publication(user_channel(ada.id), pack_control(everyone))])
        assert (await kept.ended())[0] == 4003


@virtual_time
async def test_a_silent_peer_is_pinged_and_then_given_up() -> None:
    async with world(heartbeat_seconds=1.0) as here:
        ada = await here.user("ada")
        await here.login(ada)
        answering = await here.login(ada)
        with anyio.move_on_after(5):
            while True:
                await answering.pump()
        assert here.edge.node.counters.vanished == 1
        assert len(sessions_of(here.edge)) == 1


async def test_commands_before_the_answer_to_auth_wait_for_it() -> None:
    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.client().open()
        one, two = client.post("auth", token=here.token(ada)), client.post("subscribe", room=room)
        assert (await client.answer(two))["type"] == "ok"
        assert (await client.answer(one))["type"] == "ok"


async def test_compression_is_negotiated() -> None:
    from wsproto.events import Request
    from wsproto.extensions import PerMessageDeflate

    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = here.client()
        extension = PerMessageDeflate()
        client.write(client.ws.send(Request(host="edge.test", target="/ws", extensions=[extension])))
        while not client.accepted:
            await client.pump()
        assert extension.enabled()
        assert (await client.ask("auth", token=here.token(ada)))["type"] == "ok"
        await client.ask("subscribe", room=room)
        await client.ask("send", room=room, text="x" * 4000, client_id="0c8f9d2e-1b1f-4f5b-9c52-1f7f6dbd6a01")
        assert (await client.event("message"))["text"] == "x" * 4000


async def _empty(here: Any) -> None:
    """Nothing is left of sessions that ended."""
    with anyio.fail_after(30):
        while sessions_of(here.edge) or here.edge.node.registry.openings:  # noqa: ASYNC110 - the virtual clock jumps
            await anyio.sleep(1)
    assert not here.edge.node.users.users
    assert not here.edge.node.hub.channels
    assert json.dumps(list(here.edge.node.mux.dirty)) == "[]"
