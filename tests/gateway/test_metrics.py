"""The edge's figures: each is there, and says what is so."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from chat.ports.relay import Publication
from chat.wire.relay import pack_message, room_channel
from gateway.edge import Edge
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
        assert set(before.values()) == {0.0} or set(before) - {
            name for name, value in before.items() if value == 0
        } <= {"turns_total"}
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
        assert found["handshakes_refused_total"] == 1
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
        for number, name in enumerate(counters.__slots__, start=1000):
            if name != "closed":
                setattr(counters, name, number)
        counters.closed = {4029: 7, 1012: 8}
        values = list(figures(here.edge).values())
        for number, name in enumerate(counters.__slots__, start=1000):
            assert name == "closed" or values.count(float(number)) == 1, name
        found = figures(here.edge)
        assert (found['closed_total{code="4029"}'], found['closed_total{code="1012"}']) == (7, 8)
