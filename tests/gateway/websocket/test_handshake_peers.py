"""The opening handshake with clients of other libraries: what they offer is negotiated, and they read the answers."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.protocol import OPEN
from websockets.uri import parse_uri
from wsproto import WSConnection
from wsproto.connection import ConnectionType
from wsproto.events import AcceptConnection, BytesMessage, RejectConnection, TextMessage
from wsproto.events import Request as ClientRequest
from wsproto.extensions import PerMessageDeflate

from gateway.websocket.frames import TEXT, FrameParser, TextFrame
from gateway.websocket.handshake import (
    SUBPROTOCOL,
    AcceptedHandshake,
)
from tests.support.handshakes import parse, request


def wsproto_client(*, subprotocols: Iterable[str] = (), offer: bool = True) -> tuple[WSConnection, AcceptedHandshake]:
    """wsproto's client, connected."""
    client = WSConnection(ConnectionType.CLIENT)
    extensions = [PerMessageDeflate()] if offer else []
    opening = ClientRequest("example.com", "/ws", extensions=extensions, subprotocols=list(subprotocols))
    handshake, _ = parse(client.send(opening))
    accepted = handshake.accept(deflate=True)
    client.receive_data(accepted.response)
    return client, accepted


def test_the_subprotocol_is_chosen_if_offered() -> None:
    for offered, chosen in ((["other", SUBPROTOCOL], SUBPROTOCOL), (["other"], None), ([], None)):
        client, _ = wsproto_client(subprotocols=offered)
        (event,) = client.events()
        assert isinstance(event, AcceptConnection)
        assert event.subprotocol == chosen


def test_wsprotos_client_understands_a_refusal() -> None:
    client = WSConnection(ConnectionType.CLIENT)
    handshake, _ = parse(client.send(ClientRequest("example.com", "/ws")))
    client.receive_data(handshake.reject(403, "forbidden", "this origin is not allowed"))
    event = next(client.events())
    assert isinstance(event, RejectConnection)
    assert event.status_code == 403


@given(st.lists(st.text(max_size=2000), min_size=1, max_size=5))
@settings(max_examples=50)
def test_deflate_with_wsprotos_client_in_both_directions(texts: list[str]) -> None:
    client, accepted = wsproto_client()
    assert accepted.deflate
    parser = FrameParser(1 << 20, deflate=True)
    sent = b"".join(client.send(TextMessage(data=text)) for text in texts)
    sent += client.send(TextMessage(data=texts[0], message_finished=False)) + client.send(TextMessage(data="end"))
    sent += client.send(BytesMessage(data=b"\xff" * 300))
    expected = [*texts, texts[0] + "end"]
    events = parser.receive(sent)
    assert [payload.decode() for _, payload in events[:-1]] == expected
    assert events[-1][1] == b"\xff" * 300
    next(client.events())
    client.receive_data(b"".join(TextFrame(text.encode()).deflated for text in expected))
    pieces = [event for event in client.events() if isinstance(event, TextMessage)]
    assert "".join(piece.data for piece in pieces) == "".join(expected)


def test_without_an_offer_nothing_is_compressed() -> None:
    assert not wsproto_client(offer=False)[1].deflate


@pytest.mark.parametrize(
    ("offers", "answer"),
    [
        (["permessage-deflate"], True),
        (["x-webkit-deflate-frame", "permessage-deflate; client_max_window_bits"], True),
        (["permessage-deflate; server_max_window_bits=9", "permessage-deflate"], True),
        (["permessage-deflate; server_max_window_bits=9"], False),
        (["permessage-deflate; server_max_window_bits=nine"], False),
        (["permessage-deflate; mystery, ,;,="], False),
    ],
)
def test_an_offer_that_cannot_be_met_is_declined(offers: list[str], answer: bool) -> None:
    handshake, _ = parse(request(*(("Sec-WebSocket-Extensions", offer) for offer in offers)))
    accepted = handshake.accept(deflate=True)
    assert accepted.deflate is answer
    assert accepted.response.count(b"permessage-deflate") == answer


def test_deflate_that_is_switched_off_is_not_negotiated() -> None:
    handshake, _ = parse(request(("Sec-WebSocket-Extensions", "permessage-deflate")))
    accepted = handshake.accept(deflate=False)
    assert not accepted.deflate
    assert b"Extensions" not in accepted.response


def test_deflate_with_the_default_offer_of_the_websockets_library() -> None:
    offer = ClientPerMessageDeflateFactory(server_max_window_bits=12, client_max_window_bits=12)
    client = ClientProtocol(parse_uri("ws://example.com/ws"), extensions=[offer], subprotocols=None)
    client.send_request(client.connect())
    handshake, _ = parse(b"".join(client.data_to_send()))
    accepted = handshake.accept(deflate=True)
    assert accepted.deflate
    client.receive_data(accepted.response)
    client.events_received()
    assert client.state is OPEN
    client.send_text(b"hello " * 100)
    assert FrameParser(1 << 20, deflate=True).receive(b"".join(client.data_to_send())) == [(TEXT, b"hello " * 100)]
