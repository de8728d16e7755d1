"""The opening handshake by the clauses of RFC 6455, section 4; with clients that we did not write; with any bytes."""

from __future__ import annotations

import json
import sys

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.websocket.errors import StateError
from gateway.websocket.frames import TEXT
from gateway.websocket.handshake import (
    TRAILING_BYTES,
    HandshakeError,
    OpeningHandshake,
)
from tests.support.handshakes import HEADERS, parse, request
from tests.support.websocket_frames import client_frame


def response_of(raw: bytes) -> tuple[int, dict[str, str], dict[str, object]]:
    """Status, headers and problem document, as h11's client reads them; nothing may follow."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/ws", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(raw)
    response = client.next_event()
    assert isinstance(response, h11.Response)
    body = client.next_event()
    assert isinstance(body, h11.Data)
    assert isinstance(client.next_event(), h11.EndOfMessage)
    assert client.trailing_data == (b"", False)
    headers = {name.decode(): value.decode() for name, value in response.headers}
    return response.status_code, headers, json.loads(body.data)


def byte_by_byte(handshake: OpeningHandshake, data: bytes) -> None:
    for position in range(len(data)):
        handshake.receive(data[position : position + 1])


def refused(data: bytes, max_bytes: int = 16384) -> HandshakeError:
    """The refusal, the same in one read and byte by byte; its response must say so too."""
    with pytest.raises(HandshakeError) as caught:
        OpeningHandshake(max_bytes).receive(data)
    error = caught.value
    with pytest.raises(HandshakeError) as again:
        byte_by_byte(OpeningHandshake(max_bytes), data)
    assert again.value.response == error.response
    status, headers, problem = response_of(error.response)
    assert (status, problem["code"], problem["detail"]) == (error.status, error.code, error.message)
    assert "close" in headers["connection"]
    assert headers["content-type"] == "application/problem+json"
    return error


def test_1_3_the_example_of_the_rfc() -> None:
    handshake, got = parse(request(("Origin", "http://example.com"), ("Sec-WebSocket-Protocol", "chat, superchat")))
    assert (got.target, got.host, got.origin) == ("/ws", "chat.example.com", "http://example.com")
    accepted = handshake.accept(deflate=True)
    assert accepted.response.startswith(b"HTTP/1.1 101 ")
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in accepted.response
    assert b"Sec-WebSocket-Protocol" not in accepted.response
    assert (accepted.deflate, accepted.trailing) == (False, b"")


def test_what_a_request_tells() -> None:
    _, got = parse(
        request(
            ("Authorization", "Bearer abc"),
            ("X-Forwarded-For", "10.0.0.1"),
            ("x-forwarded-for", "10.0.0.2"),
            ("X-Cafe", "caf\xe9"),
            line="GET /ws?token=no&x=%20 HTTP/1.1",
            Host="Chat.Example.com:8001",
        )
    )
    assert got.target == "/ws?token=no&x=%20"
    assert got.host == "chat.example.com:8001"
    assert got.authorization == "Bearer abc"
    assert got.forwarded_for == "10.0.0.1, 10.0.0.2"
    assert got.get_header("X-CAFE") == "caf\xe9"
    assert (got.origin, got.get_header("cookie")) == (None, None)


@pytest.mark.parametrize("host", ["xn--bcher-kva.example", "[::1]:8001", "127.0.0.1:8001", "localhost"])
def test_a_host_is_given_as_an_origin_shows_it(host: str) -> None:
    assert parse(request(Host=host))[1].host == host


@pytest.mark.parametrize(
    ("target", "host", "path"),
    [
        ("http://other.example:81/ws?a=1", "other.example:81", "/ws?a=1"),
        ("HTTPS://Other.example", "other.example", "/"),
        ("http://other.example?a", "other.example", "/?a"),
    ],
)
def test_a_target_may_be_an_absolute_uri(target: str, host: str, path: str) -> None:
    got = parse(request(line=f"GET {target} HTTP/1.1"))[1]
    assert (got.host, got.target) == (host, path)


def test_any_split_of_the_request() -> None:
    data = request(("Origin", "http://example.com"))
    frame = client_frame(TEXT, b"first")
    for cut in range(1, len(data)):
        handshake = OpeningHandshake()
        assert handshake.receive(data[:cut]) is None
        got = handshake.receive(data[cut:] + frame[:3])
        assert got is not None
        assert handshake.receive(frame[3:]) is got
        assert handshake.accept(deflate=False).trailing == frame


def test_lines_may_end_in_a_line_feed_alone() -> None:
    assert parse(request().replace(b"\r\n", b"\n"))[1].target == "/ws"


@pytest.mark.parametrize(
    ("data", "status", "word"),
    [
        (request(line="POST /ws HTTP/1.1"), 405, "GET"),
        (request(line="HEAD /ws HTTP/1.1"), 405, "GET"),
        (request(without=["Upgrade", "Connection"]), 426, "Upgrade: websocket"),
        (request(without=["Connection"]), 426, "Connection: Upgrade"),
        (request(Connection="keep-alive"), 426, "Connection: Upgrade"),
        (request(without=["Upgrade"]), 426, "Upgrade: websocket"),
        (request(Upgrade="h2c"), 426, "Upgrade: websocket"),
        (request(without=["Host"]), 400, "`Host` is missing"),
        (request(("Host", "other")), 400, "`Host` must come once"),
        (request(Host="a..b"), 400, "ASCII"),
        (request(Host="\xe9.example"), 400, "ASCII"),
        (request(without=["Sec-WebSocket-Key"]), 400, "`Sec-WebSocket-Key` is missing"),
        (request(Sec_WebSocket_Key=""), 400, "16 bytes"),
        (request(Sec_WebSocket_Key="dG9vIHNob3J0"), 400, "16 bytes"),
        (request(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ"), 400, "16 bytes"),
        (request(Sec_WebSocket_Key="not base64 at all!!!!!!!"), 400, "16 bytes"),
        (request(Sec_WebSocket_Key="\xe9" * 24), 400, "16 bytes"),
        (request(("Sec-WebSocket-Key", HEADERS["Sec-WebSocket-Key"])), 400, "`Sec-WebSocket-Key` must come once"),
        (request(without=["Sec-WebSocket-Version"]), 400, "`Sec-WebSocket-Version` is missing"),
        (request(Sec_WebSocket_Version="8"), 426, "must be 13"),
        (request(("Sec-WebSocket-Version", "13")), 400, "`Sec-WebSocket-Version` must come once"),
        (request(("Origin", "http://a"), ("origin", "http://b")), 400, "`Origin` must come once"),
        (request(("Authorization", "a"), ("Authorization", "a")), 400, "`Authorization` must come once"),
        (request(("Sec-WebSocket-Protocol", "\xe9")), 400, "ASCII"),
        (request(("Content-Length", "5")) + b"hello", 400, "no body"),
        (request(("Transfer-Encoding", "chunked")), 400, "no body"),
        (request(("Transfer-Encoding", "gzip")), 400, "not a valid HTTP/1.1 request"),
        (request(("Content-Length", "x")), 400, "not a valid HTTP/1.1 request"),
        (request(("Bad name", "x")), 400, "not a valid HTTP/1.1 request"),
        (request(("Nul", "\0")), 400, "not a valid HTTP/1.1 request"),
        (request(line="GET /ws HTTP/1.0"), 505, "HTTP/1.1"),
        (request(line="GET /ws HTTP/2.0"), 505, "HTTP/1.1"),
        (request(line="GET /ws"), 400, "not a valid HTTP/1.1 request"),
        (request(line="GET /w s HTTP/1.1"), 400, "not a valid HTTP/1.1 request"),
        (request(line="GET * HTTP/1.1"), 400, "must be a path"),
        (request(line="GET ws HTTP/1.1"), 400, "must be a path"),
        (request(line="GET http:///ws HTTP/1.1"), 400, "must be a path"),
        (b"\r\n" + request(), 400, "begins with its method"),
        (b"\x16\x03\x01\x02\x00\x01", 400, "begins with its method"),
        (b"\xff\xfe\n\n", 400, "not a valid HTTP/1.1 request"),
    ],
)
def test_4_2_1_what_is_refused(data: bytes, status: int, word: str) -> None:
    error = refused(data)
    assert error.status == status
    assert word in error.message


def test_a_body_of_nothing_is_none() -> None:
    assert parse(request(("Content-Length", "0")))


def test_4_4_the_answer_to_a_wrong_version_names_the_right_one() -> None:
    assert response_of(refused(request(Sec_WebSocket_Version="12")).response)[1]["sec-websocket-version"] == "13"


def test_a_refusal_names_what_would_do() -> None:
    headers = response_of(refused(request(without=["Upgrade"])).response)[1]
    assert (headers["upgrade"], headers["connection"]) == ("websocket", "close, Upgrade")
    assert response_of(refused(request(line="PUT / HTTP/1.1")).response)[1]["allow"] == "GET"


def test_a_head_over_the_limit_is_431() -> None:
    data = request(("X-Long", "x" * 500))
    assert parse(data, max_bytes=len(data))
    assert refused(data, max_bytes=len(data) - 1).status == 431
    assert refused(b"GET /" + b"x" * 2000, max_bytes=1000).status == 431
    assert parse(request(("X-Long", "x" * 30_000)), max_bytes=40_000)


def test_frames_before_the_response_are_bounded() -> None:
    handshake, _ = parse(request() + b"x" * TRAILING_BYTES)
    with pytest.raises(HandshakeError, match="wait for the response"):
        handshake.receive(b"x")


def test_a_handshake_in_progress_is_small() -> None:
    handshake = OpeningHandshake()
    handshake.receive(request()[:-1])
    owned = (getattr(handshake, name) for name in OpeningHandshake.__slots__)
    assert sys.getsizeof(handshake) + sum(map(sys.getsizeof, owned)) < 1000


def test_rejecting_a_request_of_our_own_accord() -> None:
    handshake, _ = parse(request())
    raw = handshake.reject(429, "rate_limited", "come back later – “é”", [("Retry-After", "7")])
    status, headers, problem = response_of(raw)
    assert (status, headers["retry-after"], headers["connection"]) == (429, "7", "close")
    assert problem == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "code": "rate_limited",
        "detail": "come back later – “é”",
    }
    with pytest.raises(StateError):
        handshake.accept(deflate=False)


def test_a_request_is_accepted_once() -> None:
    with pytest.raises(StateError):
        OpeningHandshake().accept(deflate=False)
    handshake, _ = parse(request())
    handshake.accept(deflate=False)
    with pytest.raises(StateError):
        handshake.accept(deflate=False)


_TOKENS = st.sampled_from([
    b"GET ", b"POST ", b"/ws", b" HTTP/1.1", b"\r\n", b"\n", b"\r\n\r\n", b":", b" ", b",", b";", b"=", b"\t",
    b"Host: a", b"Host: xn--", b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Extensions: permessage-deflate",
    b"Sec-WebSocket-Protocol: rookery.v1", b"Content-Length: 1", b"Transfer-Encoding: chunked", b"\x00", b"\xff",
])  # fmt: skip


def progresses(data: bytes) -> None:
    """The stated invariant: a request, or more bytes wanted, or `HandshakeError`; and a request can be accepted."""
    handshake = OpeningHandshake(max_bytes=1000)
    try:
        got = handshake.receive(data)
    except HandshakeError as error:
        response_of(error.response)
        return
    if got is not None:
        assert got.target.startswith("/")
        assert handshake.accept(deflate=True).response.startswith(b"HTTP/1.1 101 ")


@given(st.one_of(st.binary(max_size=100), st.lists(_TOKENS, max_size=30).map(b"".join)))
@settings(max_examples=150)
def test_any_bytes(data: bytes) -> None:
    progresses(data)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*HEADERS, "Origin", "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"]),
            st.one_of(
                st.text(st.characters(max_codepoint=255), max_size=30),
                st.lists(
                    st.sampled_from(["permessage-deflate", "client_max_window_bits", "=", ";", ",", "8", '"', "15"])
                ).map("".join),
            ),
        ),
        max_size=4,
    ),
    st.sampled_from(["GET /ws HTTP/1.1", "GET http://[/ws HTTP/1.1", "GET /\x7f HTTP/1.1", "get /ws HTTP/1.1"]),
)
@settings(max_examples=150)
def test_any_headers(headers: list[tuple[str, str]], line: str) -> None:
    replaced = {name.replace("-", "_"): value for name, value in headers[:2]}
    progresses(request(*headers[2:], line=line, **replaced))
