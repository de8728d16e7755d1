"""The edge's part of a trace: what it announces on the relay, and what comes of an announcement."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chat.ports.relay import Publication
from chat.wire.relay import Traced, pack_control, room_channel
from tests.support.spans import keep_spans
from tests.support.stepping import until
from tests.support.world import world

pytestmark = pytest.mark.anyio
PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """Traces are on, and all are sampled."""
    with keep_spans() as kept:
        yield kept


async def test_a_message_is_one_trace(exporter: InMemorySpanExporter) -> None:
    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        await client.ask("subscribe", room=room)
        await client.ask("send", room=room, text="x", client_id=str(uuid4()))
        event = await client.event("message")
        assert "trace" not in event
        await until(lambda: any(span.name == "deliver room" for span in exporter.get_finished_spans()))
        spans = {span.name: span for span in exporter.get_finished_spans()}
        way = [spans["command send"], spans["handle persistence"], spans["deliver room"]]
        assert len({span.context.trace_id for span in way}) == 1
        assert [span.parent and span.parent.span_id for span in way[1:]] == [span.context.span_id for span in way[:-1]]


async def test_a_refused_command_says_its_code(exporter: InMemorySpanExporter) -> None:
    async with world() as here:
        client = await here.login(await here.user("ada"))
        await client.ask("send", room=str(uuid4()), text="x", client_id=str(uuid4()))
        span = next(span for span in exporter.get_finished_spans() if span.name == "command send")
        assert span.attributes == {"error.type": "forbidden"}


async def test_announcements_whose_message_does_not_come_are_bounded(exporter: InMemorySpanExporter) -> None:
    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        await client.ask("subscribe", room=room)
        for _ in range(50):
            await here.relay.publish([Publication(room_channel(room), pack_control(Traced(PARENT)))])
        await until(lambda: bool(here.edge.fan_out._spans))
        assert len(here.edge.fan_out._spans) == 1


async def test_an_announcement_means_nothing_while_traces_are_off() -> None:
    async with world() as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        await client.ask("subscribe", room=room)
        await here.relay.publish([Publication(room_channel(room), pack_control(Traced(PARENT)))])
        await client.ask("send", room=room, text="x", client_id=str(uuid4()))
        assert (await client.event("message"))["text"] == "x"
        assert here.edge.fan_out._spans == {}
