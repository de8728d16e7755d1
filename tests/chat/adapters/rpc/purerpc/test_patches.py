"""When the patches of h2 and purerpc can go: each of these fails once the installed versions do without one."""

from __future__ import annotations

import subprocess
import sys

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import pytest

from chat.adapters.rpc.purerpc.patches import survive_goaway

AWAY = "chat/adapters/rpc/purerpc/patches.py"


def test_purerpc_still_needs_the_old_name_of_an_event() -> None:
    alone = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import purerpc.grpclib.connection"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert alone.returncode, f"purerpc imports on h2 as it is: take `PingAcknowledged` out of {AWAY}"
    assert "PingAcknowledged" in alone.stderr, f"purerpc fails for another reason now: {alone.stderr[-500:]}"


def _interrupted_call(*, patched: bool) -> tuple[h2.connection.H2Connection, bytes]:
    """A client with one open call, and the bytes of a server that stops: GOAWAY, and then the answer to that call."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    if patched:
        survive_goaway(client)
    client.initiate_connection()
    server.initiate_connection()
    request = [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "rookery")]
    client.send_headers(1, request, end_stream=True)
    server.receive_data(client.data_to_send())
    server.send_headers(1, [(":status", "200")], end_stream=True)
    answer = server.data_to_send()
    server.close_connection(last_stream_id=1)
    return client, server.data_to_send() + answer[_length_of_settings(answer) :]


def _length_of_settings(data: bytes) -> int:
    """How many bytes of a server's first data are SETTINGS and their acknowledgement (RFC 9113, section 4.1)."""
    end = 0
    while data[end + 3] == 4:
        end += 9 + int.from_bytes(data[end : end + 3], "big")
    return end


def test_h2_still_ends_a_connection_at_goaway() -> None:
    client, data = _interrupted_call(patched=False)
    try:
        client.receive_data(data)
    except h2.exceptions.ProtocolError:
        return
    pytest.fail(f"h2 reads on after GOAWAY by itself: take `survive_goaway` out of {AWAY}")


def test_an_answer_after_goaway_is_read() -> None:
    client, data = _interrupted_call(patched=True)
    kinds = [type(event) for event in client.receive_data(data)]
    assert kinds == [h2.events.ConnectionTerminated, h2.events.ResponseReceived, h2.events.StreamEnded]
