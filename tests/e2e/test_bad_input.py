"""Bad commands and frames over real sockets: each has its error or close code, a bounded cost, and disturbs nobody.

Every test has a bystander: two sessions that talk before, during and after. The process is one for the whole module,
so that it has to live through all of it.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import anyio
import anyio.to_thread
import pytest

from tests.support.bystander import Bystander, standing_by
from tests.support.people import Person, new_id
from tests.support.process import ServerProcess
from tests.support.raw_socket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    TEXT,
    RawSocket,
    body,
    frame,
)

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ANY_ID = "00000000-0000-4000-8000-000000000001"


@pytest.fixture(autouse=True)
async def bystander(server: ServerProcess, ada: Person, bob: Person) -> AsyncIterator[Bystander]:
    """Who must not notice."""
    async with standing_by(server, ada, bob) as found:
        yield found


# Commands.

BAD_COMMANDS = [
    ("unknown_command", '{"type":"fly","id":1}', 1, "fly"),
    ("unknown_command", '{"type":"' + "x" * 60_000 + '","id":1}', 1, "unknown"),
    ("invalid", '{"type":"send","id":1}', 1, "room"),
    ("invalid", '{"type":"subscribe","id":1,"room":5}', 1, "room"),
    ("invalid", '{"type":"subscribe","id":1,"room":"not-an-id"}', 1, "room"),
    ("invalid", '{"type":"subscribe","id":1,"room":"ROOM","since":-1}', 1, "since"),
    ("invalid", '{"type":"subscribe","id":1,"room":"ROOM","since":1e400}', 1, ""),
    ("invalid", '{"type":"subscribe","id":"one","room":"ROOM"}', None, "id"),
    ("invalid", '{"type":"subscribe","room":"ROOM"}', None, "id"),
    ("invalid", '{"type":"edit","id":1,"room":"ROOM","seq":0,"text":"x"}', 1, "seq"),
    ("invalid", '{"type":"typing","id":1}', 1, "room"),
    ("invalid", '{"type":"typing","id":1,"room":"ROOM","with":"ROOM"}', 1, "room"),
    ("invalid", '{"type":"status","id":1,"state":"asleep"}', 1, "state"),
    ("invalid", '{"type":5,"id":1}', None, "type"),
    ("invalid", '{"id":1}', 1, "type"),
    ("bad_json", "[]", None, "object"),
    ("bad_json", "7", None, "object"),
    ("invalid", '{"type":"presence","id":1,"users":[' + '"ROOM",' * 1000 + '"ROOM"]}', 1, "users"),
    ("bad_json", "", None, "JSON"),
    ("bad_json", "{", None, "JSON"),
    ("bad_json", '{"type":"status","id":1,"state":"away"} x', None, "JSON"),
    ("bad_json", "[" * 10_000, None, "JSON"),
    ("bad_json", "[" * 10_000 + "]" * 10_000, None, ""),
    ("bad_json", '{"type":"status","id":1,"state":"away","x":' + "[" * 10_000 + "]" * 10_000 + "}", None, ""),
    ("bad_json", '{"type":"status","id":1,"x":' + '{"a":' * 10_000 + "1" + "}" * 10_001, None, ""),
    ("bad_json", '{"type":"status","id":1,"state":"away","state":"online"}', 1, "state"),
    ("bad_json", '{"type":"send","type":"status","id":1,"state":"away"}', 1, "type"),
    ("bad_json", '{"type":"status","id":1,"id":2,"state":"away"}', 2, "id"),
    ("bad_json", '{"type":"status","id":1,"state":"away","x":{"a":1,"a":2}}', 1, "a"),
]


@pytest.mark.parametrize(("code", "text", "number", "named"), BAD_COMMANDS, ids=range(len(BAD_COMMANDS)))
async def test_a_bad_command(ada: Person, code: str, text: str, number: int | None, named: str) -> None:
    """It gets an error that names the fault; the session goes on."""
    async with ada.chat(compression=None) as chat:
        error = await chat.raw(text.replace("ROOM", ANY_ID))
        assert (error["code"], error["id"]) in ((code, number), (code, None)), error
        assert named in error["message"]
        assert len(error["message"]) < 1000
        await chat.ok("status", state="online")


BAD_TEXTS = [
    ("too_long", "x" * (16 * 1024 + 1)),
    ("too_long", "é" * (8 * 1024 + 1)),
    ("invalid", ""),
    ("invalid", " \n\t"),
    ("invalid", "a\0b"),
]


@pytest.mark.parametrize(("code", "text"), BAD_TEXTS, ids=range(len(BAD_TEXTS)))
async def test_a_bad_text(ada: Person, bob: Person, code: str, text: str) -> None:
    room = await ada.new_room()
    async with ada.chat() as chat:
        for error in (
            await chat.refused("send", room=room, text=text, client_id=new_id()),
            await chat.refused("dm", to=bob.id, text=text, client_id=new_id()),
            await chat.refused("edit", room=room, seq=1, text=text),
        ):
            assert (error["code"], error["field"]) == (code, "text")
    assert await ada.history(f"/api/rooms/{room}/messages") == []


async def test_a_text_of_the_greatest_length_goes_through(ada: Person) -> None:
    room = await ada.new_room()
    async with ada.chat() as chat:
        await chat.ok("subscribe", room=room)
        for text in ("x" * 16 * 1024, "\U0001f600" * 4096, "x" + "\u0001" * 8000):
            await chat.ok("send", room=room, text=text, client_id=new_id())
            assert (await chat.event("message"))["text"] == text


async def test_a_lone_surrogate(ada: Person) -> None:
    """JSON can write half of a surrogate pair; UTF-8 cannot carry it, so it is no text."""
    room = await ada.new_room()
    async with ada.chat() as chat:
        for escape in ("\\ud800", "\\udc00", "\\udc00\\ud800"):
            command = f'{{"type":"send","id":77,"room":"{room}","text":"{escape}","client_id":"{new_id()}"}}'
            assert (await chat.raw(command))["code"] in ("bad_json", "invalid")
    assert await ada.history(f"/api/rooms/{room}/messages") == []


# Frames.

MEGABYTE = 1 << 20
BAD_FRAMES = {
    "invalid UTF-8": (1007, frame(TEXT, b"\xc3\x28")),
    "invalid UTF-8 in a JSON string": (1007, frame(TEXT, b'{"type":"\xff"}')),
    "UTF-8 that breaks off": (1007, frame(TEXT, b"\xe2\x82")),
    "a surrogate in UTF-8": (1007, frame(TEXT, b"\xed\xa0\x80")),
    "invalid UTF-8 in a fragment": (1007, frame(TEXT, b"\xff", fin=False)),
    "binary": (1003, frame(BINARY, b"{}")),
    "unmasked": (1002, frame(TEXT, b"{}", masked=False)),
    "a fragmented ping": (1002, frame(PING, b"x", fin=False)),
    "a ping of 126 bytes": (1002, frame(PING, b"x" * 126)),
    "a continuation of nothing": (1002, frame(CONTINUATION, b"x")),
    "a message inside another": (1002, frame(TEXT, b"x", fin=False) + frame(TEXT, b"x")),
    "RSV1": (1002, frame(TEXT, b"{}", rsv=4)),
    "RSV2": (1002, frame(TEXT, b"{}", rsv=2)),
    "RSV3": (1002, frame(TEXT, b"{}", rsv=1)),
    "opcode 3": (1002, frame(0x3, b"x")),
    "opcode 11": (1002, frame(0xB, b"x")),
    "a close of one byte": (1002, frame(CLOSE, b"\x03")),
    "a close with code 1005": (1002, frame(CLOSE, (1005).to_bytes(2, "big"))),
    "a close with a broken reason": (1007, frame(CLOSE, b"\x03\xe8\xff")),
    "a frame over 64 KiB": (1009, frame(TEXT, b"x" * (64 * 1024 + 1))),
    "a frame that says 1 GB": (1009, b"\x81\xff" + (1 << 30).to_bytes(8, "big") + b"abcd"),
    "a length of 2^63": ({1002, 1009}, b"\x81\xff" + (1 << 63).to_bytes(8, "big") + b"abcd"),
    "a length in a form that is too long": (1002, b"\x81\xfe" + (5).to_bytes(2, "big") + body(b"hello")),
    "a message over 64 KiB in fragments": (1009, frame(TEXT, b"x" * 40_000, fin=False) * 1 + frame(0, b"x" * 40_000)),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_a_bad_frame(server: ServerProcess, ada: Person, name: str) -> None:
    code, data = BAD_FRAMES[name]
    async with RawSocket(server.ws_address) as raw:
        await raw.authenticate(ada.token)
        await raw.send(data)
        assert await raw.close_code() in (code if isinstance(code, set) else {code})
        await raw.eof()


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_a_bad_first_frame(server: ServerProcess, name: str) -> None:
    code, data = BAD_FRAMES[name]
    async with RawSocket(server.ws_address) as raw:
        await raw.upgrade()
        await raw.send(data)
        assert await raw.close_code() in (code if isinstance(code, set) else {code})
        await raw.eof()


async def test_a_bad_frame_a_byte_at_a_time(server: ServerProcess, ada: Person) -> None:
    async with RawSocket(server.ws_address) as raw:
        await raw.authenticate(ada.token)
        for byte in frame(PING, b"ok") + frame(TEXT, b"\xc3\x28"):
            await raw.send(bytes([byte]))
        assert await raw.close_code() == 1007


@pytest.mark.parametrize("fragment", [b"", b"x"], ids=["empty", "one byte"])
async def test_endless_fragments(server: ServerProcess, ada: Person, bystander: Bystander, fragment: bytes) -> None:
    async with RawSocket(server.ws_address) as raw:
        await raw.authenticate(ada.token)
        await raw.send(frame(TEXT, b"[", fin=False))
        some = frame(CONTINUATION, fragment, fin=False) * 1000
        for _ in range(500):
            if not await raw.send(some):
                break
        await bystander.notices_nothing()
        # Those who still send when they are closed may get a reset in place of the code.
        assert await raw.close_code() in (1008, 1009, 1006)


async def test_too_many_fragments_have_their_code(server: ServerProcess, ada: Person) -> None:
    async with RawSocket(server.ws_address) as raw:
        await raw.authenticate(ada.token)
        await raw.send(frame(TEXT, b"[", fin=False) + frame(CONTINUATION, b"", fin=False) * 1100)
        assert await raw.close_code() in (1008, 1009)


async def test_a_compressed_message_that_inflates_without_end(server: ServerProcess, ada: Person) -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = (squeeze.compress(b" " * 30 * MEGABYTE) + squeeze.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert len(bomb) < 64 * 1024
    async with RawSocket(server.ws_address) as raw:
        head = await raw.upgrade("Sec-WebSocket-Extensions: permessage-deflate")
        assert "permessage-deflate" in head
        await raw.send(frame(TEXT, bomb, rsv=4))
        assert await raw.close_code() == 1009
    async with RawSocket(server.ws_address) as raw:
        await raw.upgrade("Sec-WebSocket-Extensions: permessage-deflate")
        await raw.send(frame(TEXT, b"\xff\xff\xff no deflate", rsv=4))
        assert await raw.close_code() in (1002, 1007)


async def test_a_flood_of_pings(server: ServerProcess, ada: Person, bystander: Bystander) -> None:
    """Pings whose pongs nobody reads cost bounded memory."""
    async with RawSocket(server.ws_address) as raw:
        await raw.authenticate(ada.token)
        some = frame(PING, b"x" * 125) * 1000
        with anyio.move_on_after(3):
            for _ in range(300):
                if not await raw.send(some):
                    break
        await bystander.notices_nothing()
