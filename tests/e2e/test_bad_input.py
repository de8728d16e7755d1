"""Bad input over real sockets: each gets its named error or close code, costs bounded memory, and disturbs nobody.

Every test has a bystander: two sessions that talk before, during and after. The process is one for the whole module,
so that it has to live through all of it.
"""

from __future__ import annotations

import json
import resource
import socket
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import anyio
import anyio.to_thread
import httpx
import pytest

from tests.support.people import Chat, Person, new_id, register
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
    request,
)

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

HANDSHAKE_SECONDS = 2
MEMORY = 64 * 1024 * 1024
ANY_ID = "00000000-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with short deadlines."""
    settings = {"handshake_seconds": str(HANDSHAKE_SECONDS), "register_per_minute": "100000", "close_seconds": "1"}
    with ServerProcess("test_bad_input", tmp_path_factory.mktemp("data"), **settings) as process:
        yield process
        assert process.alive, process.errors()[-5000:]
        process.check()


class Bystander:
    """Two sessions in one room."""

    def __init__(self, server: ServerProcess, room: str, one: Chat, other: Chat) -> None:
        self.server = server
        self._room = room
        self._one = one
        self._other = other
        self._said = 0

    async def notices_nothing(self) -> None:
        """A message goes through, on the sessions that were there before, in order and without a hole."""
        self._said += 1
        await self._one.ok("send", room=self._room, text=f"{self._said}", client_id=new_id())
        event = await self._other.event("message")
        assert (event["seq"], event["text"]) == (self._said, f"{self._said}")


@pytest.fixture(autouse=True)
async def bystander(server: ServerProcess, ada: Person, bob: Person) -> AsyncIterator[Bystander]:
    """Who must not notice; checked once more after each test, together with the memory of the process."""
    room = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{room}/join")
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(ada.chat())
        other = await stack.enter_async_context(bob.chat())
        await other.ok("subscribe", room=room)
        found = Bystander(server, room, one, other)
        await found.notices_nothing()
        before = server.rss()
        yield found
        await found.notices_nothing()
        assert server.alive
        assert server.rss() - before < MEMORY


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
        for text in ("x" * 16 * 1024, "\U0001f600" * 4096, "\u0001" * 8000):
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


# Handshakes.

BAD_HANDSHAKES = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100 + b"\r\n\r\n", {400, 0}),
    "HTTP/1.0": (b"GET /ws HTTP/1.0\r\nHost: x\r\n\r\n", {400, 426, 505}),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 405, 505}),
    "no Host": (b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", {400, 426}),
    "no key": (b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", {400, 426}),
    "a NUL in a header": (request("x", "X-Thing: a\0b"), {400}),
    "a header without a colon": (request("x", "nonsense"), {400}),
    "a folded header": (request("x", "X-Thing: a", " b"), {400, 101}),
    "a bare newline": (b"GET /ws HTTP/1.1\nHost: x\n\n", {400, 426}),
    "an endless request line": (b"GET /" + b"a" * 100_000, {400, 414, 431}),
    "a header over 16 KiB": (request("x", "X-Thing: " + "a" * 17_000), {431}),
    "too many headers": (request("x", *(f"X-{number}: a" for number in range(5000))), {431}),
    "version 8": (request("x").replace(b"Version: 13", b"Version: 8"), {400, 426}),
}


@pytest.mark.parametrize("name", BAD_HANDSHAKES)
async def test_a_bad_handshake(server: ServerProcess, name: str) -> None:
    data, statuses = BAD_HANDSHAKES[name]
    async with RawSocket(server.ws_address) as raw:
        await raw.send(data)
        status, head = await raw.head()
        assert status in statuses, head
        if status not in (0, 101):
            assert "application/problem+json" in head.lower()
            await raw.eof()


async def test_a_handshake_of_one_byte_a_second(server: ServerProcess, bystander: Bystander) -> None:
    """The deadline is for the whole handshake: bytes that drip in do not move it."""
    sent = 0
    async with RawSocket(server.ws_address) as raw, anyio.create_task_group() as group:

        async def drip() -> None:
            nonlocal sent
            for byte in request(server.ws_address):
                if not await raw.send(bytes([byte])):
                    return
                sent += 1
                await anyio.sleep(1)

        group.start_soon(drip)
        await bystander.notices_nothing()
        status, _ = await raw.head()
        assert status in (0, 408)
        group.cancel_scope.cancel()
    assert sent <= HANDSHAKE_SECONDS + 3


async def test_ten_thousand_half_open_handshakes(server: ServerProcess, ada: Person, bystander: Bystander) -> None:
    """As many as this machine lets us have. Who shakes hands properly meanwhile gets in."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wanted = min(10_000, hard - 500)
    host, _, port = server.ws_address.rpartition(":")

    def open_many(count: int) -> list[socket.socket]:
        found = []
        for _ in range(count):
            try:
                one = socket.create_connection((host, int(port)), timeout=5)
            except OSError:
                break
            found.append(one)
            try:
                one.send(b"GET /ws HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            except OSError:
                continue
        return found

    sockets: list[socket.socket] = []
    try:
        while len(sockets) < wanted:
            more = await anyio.to_thread.run_sync(open_many, min(1000, wanted - len(sockets)))
            if not more:
                break
            sockets += more
            await bystander.notices_nothing()
            async with ada.chat() as chat:
                await chat.ok("status", state="online")
        assert len(sockets) > wanted // 2
        # All of them are given up: the last one reads the end.
        sockets[-1].settimeout(HANDSHAKE_SECONDS + 10)
        await anyio.to_thread.run_sync(_read_to_end, sockets[-1])
    finally:
        for one in sockets:
            one.close()


def _read_to_end(one: socket.socket) -> None:
    try:
        while one.recv(4096):
            pass
    except ConnectionResetError:
        return


# REST.


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
async def test_a_rest_body_of_20_mb(ada: Person, bystander: Bystander, *, chunked: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"name":"'
        for _ in range(20):
            yield b"x" * MEGABYTE
        yield b'"}'

    content: object = chunks() if chunked else b'{"name":"' + b"x" * 20 * MEGABYTE + b'"}'
    headers = {"Authorization": f"Bearer {ada.token}", "Content-Type": "application/json"}
    try:
        response = await ada.http.post(f"{ada.server.http}/api/rooms", content=content, headers=headers)  # type: ignore[arg-type]
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        # The server answers before the end and closes; the answer may be lost to the reset.
        await bystander.notices_nothing()
        return
    assert response.status_code == 413
    assert response.json()["code"] == "too_long"


BAD_BODIES = {
    "nested": b'{"name":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "a key twice": b'{"name":"some-name-1","name":"some-name-2","password":"long enough"}',
    "a NUL in a name": b'{"name":"nul\\u0000name","password":"long enough"}',
    "a lone surrogate in a name": b'{"name":"sur\\ud800name","password":"long enough"}',
    "invalid UTF-8": b'{"name":"\xff\xfe\xfa","password":"long enough"}',
    "a wrong type": b'{"name":5,"password":"long enough"}',
    "no object": b"[]",
    "no JSON": b"{",
    "nothing": b"",
    "a huge number": b'{"name":1e999999,"password":"long enough"}',
    "digits": b'{"name":' + b"9" * 100_000 + b',"password":"long enough"}',
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_a_bad_rest_body(server: ServerProcess, http: httpx.AsyncClient, name: str) -> None:
    headers = {"Content-Type": "application/json"}
    url = f"{server.http}/api/auth/register"
    response = await http.post(url, content=BAD_BODIES[name], headers=headers)
    assert response.status_code in (400, 422), response.text
    problem = response.json()
    assert response.headers["content-type"].startswith("application/problem+json")
    assert problem["code"] in ("invalid", "bad_json", "bad_request")
    assert len(problem["detail"]) < 1000


@pytest.mark.parametrize("name", ["nul\0room", "sur\ud800room", "line\nroom", "x" * 81, "", "   "])
async def test_a_bad_room_name(ada: Person, name: str) -> None:
    headers = {"Authorization": f"Bearer {ada.token}", "Content-Type": "application/json"}
    content = json.dumps({"name": name, "visibility": "public"})
    response = await ada.http.post(f"{ada.server.http}/api/rooms", content=content, headers=headers)
    assert response.status_code in (400, 422), response.text
    assert response.json()["code"] in ("invalid", "bad_json")


@pytest.mark.parametrize("query", ["q=%00", "q=%ff", "q=" + "x" * 20_000, "q=%22%22", "q=*", "q=a%27%3B--", "q=AND"])
async def test_a_bad_search(ada: Person, query: str) -> None:
    response = await ada.http.get(
        f"{ada.server.http}/api/search?{query}", headers={"Authorization": f"Bearer {ada.token}"}
    )
    assert response.status_code in (200, 400, 414, 422, 431), response.text


BAD_REQUESTS = {
    "no HTTP": b"\0\x01\x02\r\n\r\n",
    "an upgrade with a byte behind it": request("x", "Sec-WebSocket-Protocol: x") + b"\0",
    "two lengths": b"POST /api/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a length and chunks": b"POST /api/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a negative length": b"POST /api/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "a header of 1 MB": b"GET / HTTP/1.1\r\nHost: x\r\nX-Thing: " + b"a" * MEGABYTE + b"\r\n\r\n",
    "HTTP/2 that says nothing": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_a_bad_http_request(server: ServerProcess, name: str) -> None:
    """The server of REST lives on, whatever comes."""
    async with RawSocket(server.http_address) as raw:
        await raw.send(BAD_REQUESTS[name])
        with anyio.move_on_after(2):
            await raw.eof()
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{server.http}/healthz")).status_code == 200


async def test_registrations_with_bad_names_leave_nothing(server: ServerProcess, http: httpx.AsyncClient) -> None:
    person = await register(server, http)
    found = (await person.call("GET", "/api/users?name=some-name"))["users"]
    assert found == []
