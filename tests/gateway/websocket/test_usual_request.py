"""The parser of usual requests against wsproto: what it reads, wsproto reads in the same way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.websocket.errors import HandshakeError
from gateway.websocket.handshake import read_any_request
from gateway.websocket.usual_request import read_usual_request
from tests.support.handshakes import HEADERS, request

BROWSER = request(
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("Origin", "https://chat.example.com"),
    ("Sec-WebSocket-Protocol", "rookery.v1"),
    ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
    ("Cookie", "a=b; c=d"),
    Connection="keep-alive, Upgrade",
)


def same_as_wsproto(head: bytes) -> bool:
    """Whether the request is a usual one; then both must have read the same, and answer the same."""
    usual = read_usual_request(head)
    if usual is None:
        return False
    ours, offer = usual
    theirs, _ = read_any_request(head)
    assert (ours.target, ours.host, ours._headers) == (theirs.target, theirs.host, theirs._headers)
    for deflate in (False, True):
        assert offer.accept(deflate) == read_any_request(head)[1].accept(deflate)
    return True


@pytest.mark.parametrize(
    "head",
    [
        request(),
        BROWSER,
        request(line="GET /ws?token=no&x=%20 HTTP/1.1", Host="Chat.Example.com:8001"),
        request(("Authorization", "Bearer a.b.c"), ("X-Forwarded-For", "10.0.0.1, 10.0.0.2"), Upgrade="WebSocket"),
        request(("Sec-WebSocket-Protocol", "chat, rookery.v1"), ("Sec-WebSocket-Extensions", "x, permessage-deflate")),
        request(("Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=9, permessage-deflate")),
        request(("Sec-WebSocket-Extensions", "permessage-deflate; nonsense")),
        request(("Sec-WebSocket-Extensions", "a,,; ;permessage-deflate ; client_no_context_takeover")),
    ],
)
def test_what_clients_send_is_usual(head: bytes) -> None:
    assert same_as_wsproto(head)


@pytest.mark.parametrize(
    "head",
    [
        request().replace(b"\r\n", b"\n"),
        request(line="POST /ws HTTP/1.1"),
        request(line="GET /ws HTTP/1.0"),
        request(line="GET http://example.com/ws HTTP/1.1"),
        request(Host="[::1]:8001"),
        request(Host="xn--bcher-kva.example"),
        request(Host="a..b"),
        request(Host="x" * 64),
        request(Connection="close, Upgrade"),
        request(("Origin", "http://a"), ("origin", "http://a")),
        request(("X-Twice", "1"), ("x-twice", "2")),
        request(("Content-Length", "0")),
        request(("Transfer-Encoding", "chunked")),
        request(("X-Cafe", "caf\xe9")),
        request(("X-Tab", "a\tb")),
        request(("X-Empty", "")),
        request(("X Space", "a")),
        request(("X-Folded", "a\r\n b")),
        request(("X-Return", "a\rb")),
        request(("X-Feed", "a\nb: c")),
        request(without=["Host"]),
        request(without=["Upgrade"]),
        request(Sec_WebSocket_Version="12"),
        request(Sec_WebSocket_Key="dG9vIHNob3J0"),
    ],
)
def test_what_is_unusual_is_left_to_wsproto(head: bytes) -> None:
    assert read_usual_request(head) is None


VALUES = (
    st.sampled_from(
        ["", "x", "Upgrade", "keep-alive, Upgrade", "upgrade,upgrade", "websocket", "13", "14", "0", "chunked", "a, b"]
    )
    | st.sampled_from(
        ["chat.example.com", "EXAMPLE.com:80", "a.b.", "-", "xN--a", "rookery.v1", "permessage-deflate", "\xe9", " x "]
    )
    | st.sampled_from(
        ["permessage-deflate; client_max_window_bits=9", "permessage-deflate;server_no_context_takeover", '"a, b"', "*"]
    )
    | st.sampled_from(
        [HEADERS["Sec-WebSocket-Key"], "dGhlIHNhbXBsZSBub25jZQ=", "A" * 24, "x\ty", "x\r\n y", "x\ny", "\0", "x" * 70]
    )
)
NAMES = st.sampled_from(
    [*HEADERS, "Origin", "Content-Length", "Transfer-Encoding", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"]
) | st.sampled_from(
    ["Expect", "TE", "Trailer", "Authorization", "X-Forwarded-For", "host", "UPGRADE", "X-_.~!", "X Y", "", "Ö"]
)
LINES = st.sampled_from(
    ["GET /ws HTTP/1.1", "GET / HTTP/1.1", "GET /ws?a=b#c HTTP/1.1", "GET /ä HTTP/1.1", "get /ws HTTP/1.1"]
) | st.sampled_from(
    ["GET /ws  HTTP/1.1", "GET ws HTTP/1.1", "GET //x HTTP/1.1", "GET /ws HTTP/1.1 ", "GET /a\\b HTTP/1.1"]
)


@given(
    LINES,
    st.dictionaries(st.sampled_from(list(HEADERS)), VALUES, max_size=2),
    st.sets(st.sampled_from(list(HEADERS)), max_size=1),
    st.lists(st.tuples(NAMES, VALUES), max_size=3),
)
def test_whatever_is_read_wsproto_reads_in_the_same_way(
    line: str, changed: dict[str, str], without: set[str], more: list[tuple[str, str]]
) -> None:
    fields = {name.replace("-", "_"): value for name, value in changed.items()}
    same_as_wsproto(request(*more, line=line, without=without, **fields))


@given(st.lists(st.tuples(st.integers(0, len(BROWSER)), st.integers(0, 3), st.binary(max_size=3)), max_size=3))
def test_so_it_is_with_damaged_requests(edits: list[tuple[int, int, bytes]]) -> None:
    head = BROWSER
    for at, removed, added in edits:
        head = head[:at] + added + head[at + removed :]
    end = head.find(b"\n\r\n")
    if head[:1] > b" " and end >= 0:  # what comes before is refused by `OpeningHandshake` before anything is parsed
        same_as_wsproto(head[: end + 3])


def test_a_refusal_is_wsprotos() -> None:
    head = request(Upgrade="h2c")
    assert read_usual_request(head) is None
    with pytest.raises(HandshakeError, match="Upgrade: websocket"):
        read_any_request(head)
