"""Bad handshakes and REST calls over real sockets: each has its error, a bounded cost, and disturbs nobody."""

from __future__ import annotations

import json
import resource
import socket
import uuid
from collections.abc import AsyncIterator, Iterator

import anyio
import anyio.to_thread
import httpx
import pytest

from tests.support.bystander import Bystander, standing_by
from tests.support.patience import patient
from tests.support.people import Person, register
from tests.support.process import ServerProcess
from tests.support.raw_socket import RawSocket, request

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

HANDSHAKE_SECONDS = 2
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with short deadlines."""
    settings = {"handshake_seconds": str(HANDSHAKE_SECONDS), "register_per_minute": "100000", "close_seconds": "1"}
    with ServerProcess("test_bad_requests", tmp_path_factory.mktemp("data"), **settings) as process:
        yield process
        assert process.alive, process.errors()[-5000:]
        process.check()


@pytest.fixture(autouse=True)
async def bystander(server: ServerProcess, ada: Person, bob: Person) -> AsyncIterator[Bystander]:
    """Who must not notice."""
    async with standing_by(server, ada, bob) as found:
        yield found


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
                one = socket.create_connection((host, int(port)), timeout=patient(5))
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
    "nested": b'{"name":' + b"[" * 4_000 + b"]" * 4_000 + b"}",
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


async def ask_presence(ada: Person, count: int, separator: str) -> httpx.Response:
    ids = separator.join(str(uuid.UUID(int=number)) for number in range(count))
    headers = {"Authorization": f"Bearer {ada.token}"}
    return await ada.http.get(f"{ada.server.http}/api/presence?users={ids}", headers=headers)


@pytest.mark.parametrize("separator", [",", "%2C", "&users="])
async def test_300_ids_fit_into_the_head_of_a_request(ada: Person, separator: str) -> None:
    for count in (300, 301):  # 300 are promised, more are served while they fit
        answer = await ask_presence(ada, count, separator)
        assert (answer.status_code, len(answer.json()["states"])) == (200, count)


async def test_more_ids_than_a_head_takes_get_a_named_error(ada: Person) -> None:
    for count, status, code in [(430, 431, "headers_too_large"), (1000, 414, "uri_too_long")]:
        answer = await ask_presence(ada, count, ",")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    found = await ada.call("POST", "/api/presence", {"users": [str(uuid.UUID(int=number)) for number in range(1000)]})
    assert len(found["states"]) == 1000


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
