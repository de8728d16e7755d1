"""A client reads what others wrote: that is linear, bounded in memory, and raises only what is declared."""

from __future__ import annotations

import base64
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request

from rookery.client.account import _decode_problem, _decode_tokens
from rookery.client.errors import HttpError
from rookery.client.events import BadFrame, MessageEvent, Person, decode_answer, decode_frame
from rookery.client.resume import HELD, RoomCursor
from rookery.client.tokens import refresh_after
from rookery.client.transport import Ended, Url, WebSocket
from tests.support.linear import check_linear
from tests.support.memory_stream import MemoryStream, memory_pipe
from tests.support.patience import patient

pytestmark = pytest.mark.anyio

SHAPES: dict[str, Callable[[int], bytes]] = {
    "digits": lambda size: b'{"type":"message","seq":' + b"9" * size + b"}",
    "a long fraction": lambda size: b'{"type":"message","seq":0.' + b"9" * size + b"}",
    "deep lists": lambda size: b'{"type":"ok","id":1,"x":' + b"[" * (size // 2) + b"]" * (size // 2) + b"}",
    "deep objects": lambda size: (
        b'{"type":"ok","id":1,"x":' + b'{"a":' * (size // 6) + b"1" + b"}" * (size // 6) + b"}"
    ),
    "unknown keys": lambda size: b'{"type":"message",' + b",".join(b'"k%d":0' % n for n in range(size // 10)) + b"}",
    "one key again and again": lambda size: b'{"type":"message",' + b'"seq":1,' * (size // 8) + b'"seq":2}',
    "types": lambda size: b"{" + b'"type":"x",' * (size // 11) + b'"type":"message"}',
    "the type comes last": lambda size: b"{" + b'"seq":1,' * (size // 8) + b'"type":"message"}',
    "escapes": lambda size: b'{"type":"message","text":"' + b"\\u00e9" * (size // 6) + b'"}',
    "backslashes without an end": lambda size: b'{"type":"message","text":"' + b"\\\\" * (size // 2),
    "blanks without an end": lambda size: b'{"type":' + b" " * size,
    "empty messages": lambda size: b'{"type":"ok","id":1,"messages":[' + b"{}," * (size // 3) + b"{}]}",
    "states": lambda size: (
        b'{"type":"ok","id":1,"states":{' + b",".join(b'"%d":"x"' % n for n in range(size // 12)) + b"}}"
    ),
    "no UTF-8": lambda size: b'{"type":"message","text":"' + b"\xff" * size + b'"}',
}


def read_frame(data: bytes) -> None:
    with suppress(BadFrame):
        decode_frame(data)
    for command in ("auth", "subscribe", "sync", "presence", "send"):
        with suppress(BadFrame):
            decode_answer(command, data)


@pytest.mark.parametrize("shape", SHAPES)
def test_reading_a_frame_is_linear(shape: str) -> None:
    check_linear(SHAPES[shape], read_frame, 60_000)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_of_rest_is_linear_and_raises_nothing_else(shape: str) -> None:
    def read(data: bytes) -> None:
        with suppress(HttpError):
            _decode_tokens(data)
        assert _decode_problem(500, data).status == 500

    check_linear(SHAPES[shape], read, 60_000)


@given(st.binary() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(msgspec.json.encode))
def test_any_bytes_are_a_frame_or_a_bad_frame(data: bytes) -> None:
    read_frame(data)


TOKENS: dict[str, Callable[[int], str]] = {
    "dots": lambda size: "." * size,
    "letters": lambda size: "a." + "A" * size + ".b",
    "padding": lambda size: "a." + "=" * size + ".b",
    "deep lists": lambda size: "a." + base64.urlsafe_b64encode(b'{"x":' + b"[" * size).decode() + ".b",
    "digits": lambda size: "a." + base64.urlsafe_b64encode(b'{"exp":' + b"9" * size + b"}").decode() + ".b",
}


@pytest.mark.parametrize("shape", TOKENS)
def test_reading_a_token_is_linear(shape: str) -> None:
    assert refresh_after(TOKENS[shape](1000)) is None
    check_linear(TOKENS[shape], refresh_after, 60_000)


def make_messages(order: Callable[[int], list[int]], count: int) -> list[MessageEvent]:
    ann = Person("ann", "ann")
    return [
        MessageEvent(room="r", seq=seq, sender=ann, text="x", ts="", client_id="c", mentions=()) for seq in order(count)
    ]


ORDERS: dict[str, Callable[[int], list[int]]] = {
    "in order": lambda count: list(range(1, count + 1)),
    "backwards": lambda count: list(range(count, 0, -1)),
    "the first is missing": lambda count: list(range(2, count + 1)),
    "every other one": lambda count: list(range(1, count, 2)) + list(range(2, count, 2)),
    "one again and again": lambda count: [5] * count,
    "shuffled": lambda count: random.Random(1).sample(range(1, count + 1), count),
}


@pytest.mark.parametrize("name", ORDERS)
def test_following_a_room_is_linear_and_bounded(name: str) -> None:
    def follow(messages: list[MessageEvent]) -> None:
        cursor = RoomCursor("r", lambda _event: True, since=0)
        for message in messages:
            cursor.take_live(message)
        assert len(cursor._ahead) <= HELD

    check_linear(lambda count: make_messages(ORDERS[name], count), follow, 1000)


@asynccontextmanager
async def open_websocket(max_message: int = 1 << 20) -> AsyncIterator[tuple[WebSocket, MemoryStream]]:
    """A client's connection, and the server's end of it."""
    near, far = memory_pipe(chunks=10_000)

    async def dial() -> MemoryStream:
        return near

    server = WSConnection(ConnectionType.SERVER)

    async def shake_hands() -> None:
        server.receive_data(await far.receive())
        assert isinstance(next(server.events()), Request)
        await far.send(server.send(AcceptConnection()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shake_hands)
        websocket = await WebSocket.open(dial, Url("ws://chat.test"), max_message=max_message)
    yield websocket, far
    await websocket.close()
    await far.aclose()


TINY = {
    "pings": b"\x89\x00" * 20_000,
    "pongs": b"\x8a\x00" * 20_000,
    "fragments without content": b"\x01\x00" + b"\x00\x00" * 20_000,
}


@pytest.mark.parametrize("name", TINY)
async def test_many_tiny_frames_leave_nothing_in_memory(name: str) -> None:
    texts: list[str] = []
    async with open_websocket() as (websocket, server), anyio.create_task_group() as tasks:

        async def receive() -> None:
            texts.extend(await websocket.receive())

        tasks.start_soon(receive)
        with anyio.fail_after(patient(20)):
            await server.send(TINY[name])
            await anyio.wait_all_tasks_blocked()
            assert (len(websocket._parts), len(websocket._pending)) == (0, 0)
            await server.send(b"\x80\x03end" if name == "fragments without content" else b"\x81\x03end")
    assert texts == ["end"]


async def test_a_server_that_pings_and_does_not_read_is_left() -> None:
    async with open_websocket() as (websocket, server):
        for _ in range(100):
            await server.send(b"\x89\x7d" + b"x" * 125 + (b"\x89\x7d" + b"x" * 125) * 100)
        with anyio.fail_after(patient(20)), pytest.raises(Ended) as ended:
            await websocket.receive()
        assert ended.value.code == 1008


@pytest.mark.parametrize("name", ["a long text", "a long text in fragments"])
async def test_a_text_beyond_the_bound_ends_the_connection(name: str) -> None:
    async with open_websocket(max_message=10_000) as (websocket, server):
        if name == "a long text":
            await server.send(b"\x81\x7e\x4e\x20" + b"x" * 20_000)
        else:
            await server.send(b"\x01\x01x" + b"\x00\x01x" * 20_000)
        with anyio.fail_after(patient(20)), pytest.raises(Ended) as ended:
            await websocket.receive()
        assert ended.value.code == 1009
