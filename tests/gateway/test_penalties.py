"""Pings, frames that are no commands and bombs take from a budget of the connection; who uses it up gets 1008."""

from __future__ import annotations

import anyio
import pytest

from gateway.penalties import BAD_COMMAND_COST, PENALTIES_PER_SECOND, PENALTY_BURST
from gateway.websocket.encode import deflate_payload
from gateway.websocket.frames import PING, TEXT
from tests.support.backends import virtual_time
from tests.support.websocket_frames import client_frame
from tests.support.world import Client, World, world

pytestmark = pytest.mark.anyio

PINGS = b"".join(client_frame(PING, b"%d" % number) for number in range(50))
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: edge.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
    b"Authorization: Bearer %b\r\n\r\n"
)


async def received(client: Client, count: int) -> bytes:
    """At least so many raw bytes of the server."""
    data = b""
    with anyio.fail_after(10):
        while len(data) < count:
            await anyio.wait_readable(client.sock)
            data += client.sock.recv(65536)
    return data


async def live(here: World) -> Client:
    return await here.login(await here.user("ada"))


async def test_pings_are_answered_each_in_order_and_before_the_answer_to_what_follows() -> None:
    async with world() as here:
        client = await live(here)
        command = b'{"type":"status","id":99,"state":"away"}'
        pings = b"".join(client_frame(PING, b"%d" % number) for number in range(10))
        client.write(pings + client_frame(TEXT, command) + client_frame(PING, b"last"))
        pongs = b"".join(b"\x8a\x01%d" % number for number in range(10)) + b"\x8a\x04last"
        answer = b'{"type":"ok","id":99}'
        data = await received(client, len(pongs) + 2 + len(answer))
        assert data == pongs + bytes((0x81, len(answer))) + answer


@virtual_time
async def test_a_flood_of_pings_ends_with_1008() -> None:
    async with world() as here:
        client = await live(here)
        for _ in range(PENALTY_BURST // 50):
            client.write(PINGS)
            await anyio.sleep(0.001)
            await client.pump()
        assert client.closed is None
        client.write(PINGS)
        assert (await client.ended())[0] == 1008


@virtual_time
async def test_pings_at_a_human_pace_cost_nothing() -> None:
    async with world() as here:
        client = await live(here)
        for _ in range(30):
            client.write(PINGS)
            await client.pump()
            await anyio.sleep(50 / PENALTIES_PER_SECOND)
        assert (await client.ask("status", state="away"))["type"] == "ok"


@virtual_time
@pytest.mark.parametrize("text", ["{", "[]", '{"type":"nothing","id":1}', '{"type":"read","id":1}', '{"id":1}'])
async def test_frames_that_are_no_commands_end_with_1008(text: str) -> None:
    async with world() as here:
        client = await live(here)
        for _ in range(PENALTY_BURST // BAD_COMMAND_COST):
            client.text(text)
            await client.until(lambda frame: frame["type"] == "error")
        assert client.closed is None
        client.text(text)
        assert (await client.ended())[0] == 1008


@virtual_time
async def test_a_client_that_errs_now_and_then_stays() -> None:
    async with world() as here:
        client = await live(here)
        for _ in range(300):
            client.text("{")
            assert (await client.until(lambda frame: frame["type"] == "error"))["code"] == "bad_json"
            await anyio.sleep(BAD_COMMAND_COST / PENALTIES_PER_SECOND)


@virtual_time
async def test_bombs_end_with_1008() -> None:
    async with world() as here:
        client = here.client()
        token = here.token(await here.user("ada"))
        client.write(HANDSHAKE % token.encode())
        assert b"permessage-deflate" in await received(client, 100)
        bomb = client_frame(TEXT, deflate_payload(b" " * 60_000 + b"{}"), rsv=4)
        for _ in range(20):
            client.write(bomb)
            await anyio.sleep(0.01)
        data = b""
        while b"\x03\xf0too many" not in data:  # 1008, and the reason
            data += await received(client, 1)


@virtual_time
async def test_without_rate_limits_nothing_is_charged() -> None:
    async with world(rate_limits=False) as here:
        client = await live(here)
        for _ in range(PENALTY_BURST // 50 + 5):
            client.write(PINGS)
            await client.pump()
        assert (await client.ask("status", state="away"))["type"] == "ok"
