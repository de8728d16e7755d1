"""A relay in the edge's process: what is published is fanned out in the same call, and nothing overtakes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from chat.engines.relay import MemoryRelay
from chat.ports.relay import Publication
from chat.wire.relay import Revoked, pack_control, pack_event
from gateway.counters import Counters
from gateway.fanout import FanOut
from gateway.hub import SLICE, Hub
from gateway.publisher import Publisher
from tests.support.fanout import CHANNEL, Between, Controls, Member, message
from tests.support.stepping import settle

pytestmark = pytest.mark.anyio
USER, OTHER = "user:one", "user:other"
HELLO = Publication(USER, pack_event(b'{"type":"dm","text":"hello"}'))
REVOKED = Publication(USER, pack_control(Revoked("one", None, 4001, "for a test")))


def publication(seq: int) -> Publication:
    """A message of the room."""
    channel, payload = message(seq)
    assert payload is not None
    return Publication(channel, payload)


class Prompt:
    """An edge's fan-out that listens to a relay, and members of some channels."""

    def __init__(self, relay: MemoryRelay) -> None:
        self.relay = relay
        self.hub, self.mux, self.controls, self.counters = Hub(), Between(), Controls(), Counters()
        self.fan_out = FanOut(self.hub, self.mux, self.counters, self.controls)
        self.publisher = Publisher(relay)
        self.members = 0

    def join(self, name: str) -> Member:
        self.members += 1
        member = Member(self.hub, self.members)
        self.hub.open_channel(name).add_member(member)
        return member


@asynccontextmanager
async def prompt() -> AsyncIterator[Prompt]:
    here = Prompt(MemoryRelay())
    async with here.relay.open_listener() as listener, anyio.create_task_group() as tasks:
        await listener.subscribe([USER, OTHER, CHANNEL])
        tasks.start_soon(here.fan_out.run, listener)
        await settle()
        yield here
        tasks.cancel_scope.cancel()
    here.mux.close()


async def test_an_event_is_written_before_publish_returns() -> None:
    async with prompt() as here:
        one, other = here.join(USER), here.join(OTHER)
        here.publisher.publish(HELLO, HELLO._replace(channel=OTHER))
        assert one.frames() == other.frames() == [{"type": "dm", "text": "hello"}]
        assert here.counters.deliveries == 2


async def test_in_a_turn_it_leaves_at_the_end_of_the_turn() -> None:
    async with prompt() as here:
        here.join(USER)
        flushes = 0

        def count() -> None:
            nonlocal flushes
            flushes += 1

        here.mux.act = count
        here.mux.in_turn = True
        here.publisher.publish(HELLO)
        assert flushes == 0
        here.mux.in_turn = False
        here.publisher.publish(HELLO)
        assert flushes == 1


async def test_what_is_for_the_edge_itself_and_what_comes_behind_it_keep_their_order() -> None:
    async with prompt() as here:
        member = here.join(USER)
        await here.relay.publish([REVOKED, HELLO])
        here.publisher.publish(HELLO._replace(payload=pack_event(b'{"type":"dm","text":"later"}')))
        assert not member.data, "an event overtook what is for the edge"
        await settle()
        assert len(here.controls.controls) == 1
        assert [frame["text"] for frame in member.frames()] == ["hello", "later"]
        here.publisher.publish(HELLO)
        assert len(member.frames()) == 3, "the fan-out does not take at once any more"


async def test_a_room_larger_than_a_slice_is_left_to_the_task() -> None:
    async with prompt() as here:
        members = [here.join(CHANNEL) for _ in range(SLICE)]
        here.relay.publish_nowait([publication(1)])
        assert all(each.seqs() == [1] for each in members)
        members.append(here.join(CHANNEL))
        here.relay.publish_nowait([publication(2)])
        assert not any(each.seqs()[1:] for each in members)
        await settle()
        assert all(each.seqs()[-1] == 2 for each in members)


async def test_what_an_event_leads_to_follows_it() -> None:
    async with prompt() as here:
        member = here.join(USER)
        answer = HELLO._replace(payload=pack_event(b'{"type":"dm","text":"answer"}'))
        take = member.gather_frame

        def take_and_answer(frame: object) -> None:
            member.gather_frame = take  # type: ignore[method-assign]
            here.publisher.publish(answer)
            take(frame)  # type: ignore[arg-type]

        member.gather_frame = take_and_answer  # type: ignore[method-assign]
        here.publisher.publish(HELLO)
        await settle()
        assert [frame["text"] for frame in member.frames()] == ["hello", "answer"]
