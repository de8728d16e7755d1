"""Request bodies: bounded, and strict JSON."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from chat.errors import Overloaded, TooLong
from services.common.bodies import DEPTH, MOST_VALUES, BadJson, BodyLimit, ByteBudget, check_json
from tests.support.clocks import virtual_time
from tests.support.rest import Rest, open_rest

pytestmark = pytest.mark.anyio
REGISTER = "/api/auth/register"
JSON = {"Content-Type": "application/json"}


async def post(rest: Rest, content: bytes, path: str = REGISTER, **headers: str) -> tuple[int, dict[str, Any]]:
    answer = await rest.http.post(path, content=content, headers={**JSON, **headers})
    rest.checker.check("POST", answer)
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", None),
        (b"{", "not JSON"),
        (b"nonsense", "not JSON"),
        (b'{"name": "ann", "name": "bob"}', "'name' stands twice"),
        (b'{"name": {"a": 1, "a": 2}}', "'a' stands twice"),
        (b'{"name": NaN}', "not JSON"),
        (b'{"name": Infinity}', "not JSON"),
        (b'{"name": "\\ud800"}', "not JSON"),
        (b'{"\\udc00": 1}', "not JSON"),
        (b'{"name": "\xff"}', "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not JSON"),
        (b'{"name": "ann"} {}', "not JSON"),
        (b'{"name": "a\x00b"}', "not JSON"),
        (b"[" * 4000 + b"]" * 4000, "JSON"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, f"more than {DEPTH} levels deep"),
        (b'{"name": 1' + b"0" * 5000 + b"}", "not JSON"),
    ],
)
async def test_what_is_no_strict_json_is_refused(body: bytes, says: str | None) -> None:
    async with open_rest() as rest:
        status, problem = await post(rest, body)
        if says is None:
            assert (status, problem["code"]) == (422, "invalid")
        else:
            assert (status, problem["code"]) == (400, "bad_json")
            assert says in problem["detail"]


@given(
    st.binary()
    | st.text().map(str.encode)
    | st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_any_bytes_are_json_or_bad_json(body: bytes) -> None:
    try:
        check_json(body)
    except BadJson:
        return
    json.loads(body)


def test_nesting_is_allowed_to_its_limit() -> None:
    check_json(b"[" * DEPTH + b"]" * DEPTH)
    with pytest.raises(BadJson):
        check_json(b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1))


async def test_another_type_than_json_is_415() -> None:
    async with open_rest() as rest:
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            status, problem = await post(rest, b'{"name": "ann"}', **{"Content-Type": content_type})
            assert (status, problem["code"]) == (415, "unsupported_media_type")
        answer = await rest.http.post(
            REGISTER,
            content=b'{"name": "ann", "password": "a long password"}',
            headers={"Content-Type": "Application/JSON; charset=utf-8"},
        )
        assert answer.status_code == 201


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd", "identity, gzip", "nonsense"])
async def test_a_compressed_body_is_415_and_stays_compressed(coding: str) -> None:
    async with open_rest() as rest:
        bomb = gzip.compress(b'{"name": "' + b"a" * 10_000_000 + b'"}')
        status, problem = await post(rest, bomb, **{"Content-Encoding": coding})
        assert (status, problem["code"]) == (415, "unsupported_media_type")
        assert "Content-Encoding" in problem["detail"]
        status, problem = await post(rest, b'{"name": "ann"}', **{"Content-Encoding": "Identity"})
        assert (status, problem["field"]) == (422, "password")


async def test_a_body_of_20_mb_is_413_by_its_length_alone() -> None:
    async with open_rest() as rest:
        status, problem = await post(rest, b"x" * 20_000_000)
        assert (status, problem["code"]) == (413, "too_long")


class Source:
    """A client that sends pieces of 64 KiB without an end and without telling a length."""

    def __init__(self) -> None:
        self.pieces = 0

    async def __call__(self) -> Message:
        await anyio.lowlevel.checkpoint()
        self.pieces += 1
        return {"type": "http.request", "body": b"x" * 65_536, "more_body": True}


class Sink:
    """What came back."""

    def __init__(self) -> None:
        self.status = 0

    async def __call__(self, message: Message) -> None:
        self.status = message.get("status", self.status)


async def never(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("the application was reached")


def scope(**headers: str) -> Scope:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "path": "/", "headers": pairs}


async def test_an_endless_body_is_read_to_the_limit_and_no_further() -> None:
    source, sink = Source(), Sink()
    await BodyLimit(never, limit=1_048_576)(scope(content_type="application/json"), source, sink)
    assert (sink.status, source.pieces) == (413, 17)


async def test_a_length_that_is_over_is_refused_before_anything_is_read() -> None:
    for length in ("1048577", "9" * 5000):
        source, sink = Source(), Sink()
        await BodyLimit(never, limit=1_048_576)(scope(content_length=length), source, sink)
        assert (sink.status, source.pieces) == (413, 0)


@pytest.mark.parametrize("headers", [{"content_type": "text/plain"}, {"content_encoding": "gzip"}, {}])
async def test_a_client_that_asks_before_it_sends_is_refused_before_anything_is_read(headers: dict[str, str]) -> None:
    source, sink = Source(), Sink()
    await BodyLimit(never, limit=1_048_576)(scope(expect="100-continue", **headers), source, sink)
    assert (sink.status, source.pieces) == (415, 0)


@pytest.mark.parametrize(
    ("headers", "status", "pieces"),
    [
        ({}, 413, 5),
        ({"content_length": "262145"}, 413, 0),
        ({"expect": "100-continue", "content_type": "image/svg+xml"}, 415, 0),
        ({"expect": "100-continue", "content_type": "application/json"}, 415, 0),
    ],
)
async def test_a_picture_has_a_limit_and_types_of_its_own(headers: dict[str, str], status: int, pieces: int) -> None:
    source, sink = Source(), Sink()
    asked = {**scope(**{"content_type": "image/png", **headers}), "method": "PUT", "path": "/api/instance/logo"}
    await BodyLimit(never, limit=1_048_576)(asked, source, sink)
    assert (sink.status, source.pieces) == (status, pieces)


@virtual_time
async def test_a_body_that_does_not_come_is_408() -> None:
    sink = Sink()

    async def silent() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    await BodyLimit(never, limit=100)(scope(), silent, sink)
    assert sink.status == 408


@virtual_time
@pytest.mark.parametrize(("bytes_a_second", "status"), [(100, 408), (600, 408), (1200, 0), (40_000, 0)])
async def test_a_body_has_a_least_rate(bytes_a_second: int, status: int) -> None:
    body = b"[" + b" " * 24_000 + b"]"
    begun = anyio.current_time()
    sent = 0
    arrived = []

    async def drip() -> Message:
        nonlocal sent
        await anyio.sleep(0.5)
        piece = body[sent : sent + bytes_a_second // 2]
        sent += len(piece)
        return {"type": "http.request", "body": piece, "more_body": sent < len(body)}

    async def note(_scope: Scope, receive: Receive, _send: Send) -> None:
        arrived.append((await receive())["body"])

    sink = Sink()
    await BodyLimit(note, limit=100_000)(scope(content_type="application/json"), drip, sink)
    assert sink.status == status
    assert arrived == ([body] if status == 0 else [])
    assert anyio.current_time() - begun <= 30


async def test_all_bodies_together_are_bounded() -> None:
    release, waiting = anyio.Event(), anyio.Event()
    sinks = [Sink(), Sink()]

    async def hold(_scope: Scope, _receive: Receive, _send: Send) -> None:
        waiting.set()
        await release.wait()

    async def body() -> Message:
        await anyio.lowlevel.checkpoint()
        return {"type": "http.request", "body": b"[" + b" " * 700 + b"]", "more_body": False}

    limit = BodyLimit(hold, limit=1000, held_bytes=1000)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(limit, scope(content_type="application/json"), body, sinks[0])
        await waiting.wait()
        await limit(scope(content_type="application/json"), body, sinks[1])
        assert sinks[1].status == 503
        release.set()
    sink = Sink()
    await limit(scope(content_type="application/json"), body, sink)
    assert sink.status == 0  # there is room again


def test_one_address_holds_a_part_of_all() -> None:
    budget = ByteBudget(100, 40)
    budget.take_bytes("a", 40)
    with pytest.raises(Overloaded):
        budget.take_bytes("a", 1)
    budget.take_bytes("b", 40)
    with pytest.raises(Overloaded):
        budget.take_bytes("c", 21)
    budget.give_back("a", 40)
    budget.take_bytes("c", 40)


async def test_a_client_that_leaves_gets_nothing() -> None:
    sink = Sink()

    async def gone() -> Message:
        await anyio.lowlevel.checkpoint()
        return {"type": "http.disconnect"}

    await BodyLimit(never, limit=100)(scope(), gone, sink)
    assert sink.status == 0


async def test_a_body_in_pieces_is_put_together() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in b'{"name": "ann", "password": "a long password"}':
            yield bytes([byte])

    async with open_rest() as rest:
        answer = await rest.http.post(REGISTER, content=pieces(), headers=JSON)
        assert answer.status_code == 201


def test_a_body_full_of_keys_is_read_a_fixed_number_of_times() -> None:
    keys = ",".join(f'"{number:x}":0' for number in range(MOST_VALUES - 1)).encode()
    check_json(b"{" + keys + b"}")
    for repeated in (b"0", b"1386"):
        with pytest.raises(BadJson, match=f"the key '{repeated.decode()}' stands twice"):
            check_json(b"{" + keys + b',"' + repeated + b'":0}')


COSTLY = {
    "empty lists": b"[" + b"[]," * 340_000 + b"[]]",
    "empty objects": b"[" + b"{}," * 340_000 + b"{}]",
    "numbers": b"[" + b"0," * 510_000 + b"0]",
    "keys": b"{" + b'"a":0,' * 170_000 + b'"b":0}',
    "nested objects": b"[" + (b'{"a":' * 30 + b"0" + b"}" * 30 + b",") * 4000 + b"0]",
    "brackets without an end": b"[" * 1_000_000,
    "commas that are no JSON": b"," * 1_000_000,
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_body_of_many_values_is_refused_before_it_is_parsed(name: str) -> None:
    # Each is no JSON at all, so only a body that is not parsed is too long.
    with pytest.raises(TooLong, match=f"more than {MOST_VALUES} commas and brackets"):
        check_json(COSTLY[name] + b"!")


def test_the_largest_body_that_a_call_takes_has_few_values() -> None:
    ids = [str(uuid.UUID(int=number)) for number in range(1000)]
    check_json(json.dumps({"users": ids}, indent=4).encode())
