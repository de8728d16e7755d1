"""The edge's figures: each is there, and says what is so."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from chat.domain.ids import from_rfc3339
from chat.ports.relay import Publication
from chat.wire.error_codes import ERROR_CODES
from chat.wire.relay import pack_message, room_channel
from gateway.counters import HANDSHAKE_RESULTS
from gateway.edge import Edge
from gateway.fanout import read_sent_ms
from gateway.metrics import EdgeCollector
from tests.support.stepping import until
from tests.support.world import sessions_of, world

pytestmark = pytest.mark.anyio


def figures(edge: Edge) -> dict[str, float]:
    """What Prometheus would read, without the prefix."""
    registry = CollectorRegistry()
    registry.register(EdgeCollector(edge.node))
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    pairs = [line.rsplit(" ", 1) for line in lines]
    return {name.removeprefix("rookery_edge_"): float(value) for name, value in pairs if "_created" not in name}


async def test_every_figure_says_what_is_so() -> None:
    async with world(rate_limits=False, limits={"outbox_bytes": 50_000}) as here:
        before = figures(here.edge)
        assert {name for name, value in before.items() if value} <= {"turns_total"}
        ada = await here.user("ada")
        room = await here.room(ada)
        reader, slow = await here.login(ada), await here.login(ada)
        here.client()
        assert (await here.client().open(target="/other")).rejected == 404
        for client in (reader, slow):
            await client.ask("subscribe", room=room)
        await reader.ask("send", room=room, text="x", client_id=str(uuid4()))
        await reader.event("message")
        found = figures(here.edge)
        assert found["sessions"] == 2
        assert found["handshakes"] == 2  # the one that was refused lingers until the peer has read the answer
        assert found["users"] == 1
        assert found["topics"] == 2
        assert found["subscriptions"] == 4
        assert found['handshakes_ended_total{result="not_found"}'] == 1
        assert found['handshakes_ended_total{result="accepted"}'] == 2
        assert found['present{state="online"}'] == 2
        assert found["commands_total"] == 5
        assert found["accepted_total"] == 1
        assert found["deliveries_total"] >= 2
        assert found["turns_total"] > before["turns_total"]
        assert found["outbox_bytes"] == 0

        seq = 1
        while not figures(here.edge)["outbox_bytes"]:
            seq += 1
            body = json.dumps({"type": "message", "room": room, "seq": seq, "text": "x" * 8000}).encode()
            await here.relay.publish([Publication(room_channel(room), pack_message(seq, body))])
            await reader.event("message")
        slow.sock.close()
        reader.text("{")
        client = await here.client().open()
        client.text("{}")
        assert (await client.ended())[0] == 4000
        client.sock.close()
        await until(lambda: len(sessions_of(here.edge)) == 1)
        found = figures(here.edge)
        assert found["outbox_bytes"] == 0
        assert found['closed_total{code="4000"}'] == 1


async def test_every_counter_has_its_figure() -> None:
    """One that is counted and not shown would be of no use."""
    async with world() as here:
        counters = here.edge.node.counters
        expected: dict[str, float] = {}
        names = [name for name in counters.__slots__ if isinstance(getattr(counters, name), int)]
        for number, name in enumerate(names, start=1000):
            setattr(counters, name, number)
            expected[f"{name}_total"] = number
        counters.closed = {4029: 7, 1012: 8}
        counters.count_handshake("origin")
        counters.count_error("overloaded")
        found = figures(here.edge)
        assert found.items() >= expected.items()
        assert (found['closed_total{code="4029"}'], found['closed_total{code="1012"}']) == (7, 8)
        assert (found['handshakes_ended_total{result="origin"}'], found['errors_total{code="overloaded"}']) == (1, 1)


async def test_times_are_counted_by_command_topic_and_kind() -> None:
    async with world(limits={"text_bytes": 100}) as here:
        ada, ben = await here.user("ada"), await here.user("ben")
        room = await here.room(ada)
        client, other = await here.login(ada), await here.login(ben)
        await client.ask("subscribe", room=room)
        for text in ("x", '"ts":"2020-01-01T00:00:00.000Z"', "y" * 200):  # the last is refused
            await client.ask("send", room=room, text=text, client_id=str(uuid4()))
        await client.ask("dm", to=ben.id, text="z", client_id=str(uuid4()))
        await client.ask("subscribe", room=str(uuid4()))
        await other.event("stored")
        await until(lambda: figures(here.edge).get('delivery_seconds_count{kind="room"}') == 2)
        await until(lambda: figures(here.edge).get('delivery_seconds_count{kind="direct"}') == 2)
        found = figures(here.edge)
        counts = {name: value for name, value in found.items() if "_seconds_count" in name}
        assert counts == {
            'command_seconds_count{command="auth"}': 2,
            'command_seconds_count{command="subscribe"}': 2,
            'command_seconds_count{command="send"}': 3,
            'command_seconds_count{command="dm"}': 1,
            'produce_seconds_count{topic="room-messages"}': 2,
            'produce_seconds_count{topic="dm-messages"}': 1,
            'delivery_seconds_count{kind="room"}': 2,
            'delivery_seconds_count{kind="direct"}': 2,
        }
        assert found['delivery_seconds_bucket{kind="room",le="10.0"}'] == 2  # not from the year in the text
        assert (found['errors_total{code="too_long"}'], found['errors_total{code="forbidden"}']) == (1, 1)


def test_the_time_of_a_message_is_read_from_its_frame() -> None:
    message = b'{"type":"message","text":"\\"ts\\":\\"no","ts":"2026-01-02T03:04:05.678Z","client_id":"a"}'
    assert read_sent_ms(message) == from_rfc3339("2026-01-02T03:04:05.678Z")
    assert read_sent_ms(b'{"type":"typing","room":"a","user":"b"}') == 0
    for other in (
        b'"ts":"',
        b'"ts":"2026"',
        b'"ts":"2026-01-02T03:04:05Z","a":1',
        b'"ts":"' + b"x" * 40,
        b'"ts":"\xff',
    ):
        assert read_sent_ms(other) == 0


async def test_every_result_of_a_handshake_and_every_code_has_a_figure_from_the_start() -> None:
    async with world() as here:
        found = figures(here.edge)
        for result in HANDSHAKE_RESULTS:
            assert found[f'handshakes_ended_total{{result="{result}"}}'] == 0
        for code in ERROR_CODES:
            assert found[f'errors_total{{code="{code}"}}'] == 0


async def test_each_handshake_ends_with_one_result() -> None:
    async with world(max_handshakes=1, handshake_seconds=0.5) as here:
        counted = here.edge.node.counters.handshakes
        for request, result in (
            (b"\n", "bad_request"),
            (b"POST /ws HTTP/1.1\r\nHost: a\r\n\r\n", "method_not_allowed"),
            (b"GET /ws HTTP/1.1\r\nHost: a\r\n\r\n", "upgrade_required"),
            (b"GET /" + b"x" * 20_000, "headers_too_large"),
            (b"GET", "timeout"),
        ):
            before = counted[result]
            client = here.client()
            client.write(request)
            await until(lambda: counted[result] == before + 1)  # noqa: B023 - awaited in the same turn of the loop
            client.sock.close()
            await until(lambda: not here.edge.node.registry.openings)
        left = here.client()
        left.write(b"GET")
        left.sock.close()
        await until(lambda: counted["lost"] == 1)
        here.client()
        here.client()
        assert counted["displaced"] == 1
        assert sum(counted.values()) == 7
