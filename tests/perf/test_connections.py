"""The clients of `scripts/bench connections`."""

from __future__ import annotations

import socket

import pytest

from perf.connections import Client, Plan, receive


def test_an_answer_that_comes_in_two_parts_counts_once() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client = Client(Plan("token", ["one", "two"]), ours)
        client.stage = 3
        for part in (b'{"type":"ok","id":2}{"ty', b'pe":"o'):
            theirs.send(part)
            assert client.step(b"") is None
        theirs.send(b'k","id":3}')
        assert client.step(b"") == "live"


def test_a_session_that_the_server_closes_ends_the_measurement() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.send(b"pong")
        theirs.close()
        assert receive(ours) == b"pong"
        with pytest.raises(ConnectionError, match="closed"):
            receive(ours)
