"""The laws of a room's channel, under any interleaving: in order, nothing twice, nothing lost without a `gap`."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

import anyio
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat.ports.relay import Delivery
from chat.wire.relay import pack_event
from gateway.counters import Counters
from gateway.fanout import FanOut
from gateway.hub import SLICE, Channel, Hub
from gateway.websocket.encode import JoinedFrames, TextFrame
from tests.support.fanout import CHANNEL, Between, Controls, Member, frames_in, message, play

WATCHERS = 4
Op = tuple[Any, ...]
whos = st.integers(0, WATCHERS - 1)
quick: st.SearchStrategy[Op] = st.one_of(
    st.tuples(st.just("say")),
    st.tuples(st.sampled_from(["store", "publish", "vanish", "event"])),
    st.tuples(st.just("repeat"), st.integers(0, 20)),
    st.tuples(st.just("interrupt"), st.integers(0, 2)),
    st.tuples(st.sampled_from(["begin", "read", "finish", "finish", "finish_live", "leave"]), whos),
)
turn: st.SearchStrategy[Op] = st.tuples(st.just("deliver"), st.booleans(), st.lists(quick, max_size=3))
BEHIND: list[Op] = [("begin", 1), ("finish", 1), ("begin", 0)]  # the channel knows a seq when 0 is answered
ops = st.lists(st.one_of(quick, quick, quick, turn), max_size=40)


class Watch:
    """One subscriber over time: what it got after each answer must follow from that answer."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.begun_at = 0
        self.read: int | None = None
        self.answered: tuple[int, int] | None = None  # where in the bytes, and the seq that the answer went up to

    def begin(self) -> None:
        self.end()
        self.begun_at, self.read = len(self.member.data), None

    def answer(self, after: int) -> None:
        assert len(self.member.data) == self.begun_at, "a frame came before the answer"
        self.answered = self.begun_at, after

    def end(self) -> None:
        """Its subscription ends."""
        self.check()
        self.answered = None

    def check(self, newest: int | None = None) -> None:
        """Check what came since the answer; with `newest`, up to which it must know of everything."""
        if self.answered is None:
            return
        start, last = self.answered
        gap = False
        for frame in frames_in(self.member.data[start:]):
            if frame["type"] == "gap":
                assert gap or frame["from_seq"] <= last + 1, "the gap begins after something that is missing"
                gap = True
            elif frame["type"] == "message":
                assert frame["seq"] > last, "a message came twice, or late"
                assert gap or frame["seq"] == last + 1, "a message was lost without a gap"
                last, gap = frame["seq"], False
        assert newest is None or gap or last == newest, "the last messages were lost without a gap"


class Story:
    """A room: what is stored is published later, or is lost on the way; sessions come and go meanwhile.

    `prompt`: what can be fanned out at once is, as by a relay in the same process.
    """

    def __init__(self, crowd: int, patience: int | None, *, prompt: bool = False) -> None:
        self.prompt = prompt
        self.hub, self.mux = Hub(), Between()
        self.fan_out = FanOut(self.hub, self.mux, Counters(), Controls())
        self.stored = self.published = 0
        self.buffer: list[Delivery] = []
        self.silent = False  # what was stored last was lost, and nobody knows it yet
        # The watchers' places among the others are spread over the slices.
        self.watches = [
            Watch(Member(self.hub, 7 + place * 520, deflate=place % 2 == 1, patience=patience if place == 0 else None))
            for place in range(WATCHERS)
        ]
        self.others = [Watch(Member(self.hub, 1 + number)) for number in range(crowd)]
        for watch in self.others:
            self.begin(watch)
            self.finish(watch)

    def begin(self, watch: Watch) -> None:
        if not watch.member.closed:
            watch.begin()
            self.hub.open_channel(CHANNEL).begin_joining(watch.member)

    def finish(self, watch: Watch, live: bool = False) -> None:
        channel = self.hub.get_channel(CHANNEL)
        joining = None if channel is None else channel.joining.get(watch.member)
        if channel is None or joining is None or joining.frames is None:
            return
        known = channel.seq if live else None
        read = self.stored if watch.read is None else watch.read
        after = read if known is None else known
        watch.answer(after)
        channel.finish_joining(watch.member, after)

    def apply(self, name: str, value: int = 0) -> None:
        if name in ("begin", "read", "finish", "finish_live", "leave"):
            self.move(name, self.watches[value])
            return
        match name:
            case "store" | "say":
                self.stored += 1
            case "vanish":
                self.silent |= self.published < self.stored
                self.published = min(self.published + 1, self.stored)
            case "interrupt":
                self.silent = False
                self.published = min(self.published + value, self.stored)
                self.buffer.append(Delivery(CHANNEL, None))
            case "event":
                self.buffer.append(Delivery(CHANNEL, pack_event(json.dumps({"type": "edited"}).encode())))
        if name == "repeat" and self.published:
            self.buffer.append(message(1 + value % self.published))
        elif name in ("say", "publish"):
            self.publish()

    def move(self, name: str, watch: Watch) -> None:
        match name:
            case "begin":
                self.begin(watch)
            case "read":
                watch.read = self.stored
            case "leave":
                watch.end()
                watch.member.leave()
            case _:
                self.finish(watch, live=name == "finish_live")

    def publish(self) -> None:
        if self.published < self.stored:
            self.published, self.silent = self.published + 1, False
            self.buffer.append(message(self.published, "x" * 300))

    async def deliver(self, alone: bool, meanwhile: Sequence[Op]) -> None:
        left = list(meanwhile)
        self.mux.act = lambda: self.apply(*left.pop(0)) if left else None
        batch, self.buffer = self.buffer, []
        if batch and not (self.prompt and self.fan_out.take_now(batch)):
            await play(self.fan_out, batch if alone else [*batch, Delivery("room:another", b"e{}")])
        self.mux.act = lambda: None
        for each in left:
            self.apply(*each)

    async def tell(self, script: Sequence[Op]) -> None:
        for name, *arguments in script:
            if name == "deliver":
                await self.deliver(*arguments)
            else:
                self.apply(name, *arguments)
        await self.end()

    async def end(self) -> None:
        """Publish what is left, and one message more: then everyone must know of everything."""
        for watch in self.watches:
            self.finish(watch)
        for more in (0, 1):
            self.stored += more
            while self.published < self.stored:
                self.publish()
            await self.deliver(True, [])
            self.check()
        self.mux.close()

    def check(self) -> None:
        channel = self.hub.get_channel(CHANNEL)
        listening = set() if channel is None else {*channel.members, *channel.joining}
        for watch in (*self.watches, *self.others):
            assert not (watch.member.closed and watch.member in listening)
            watch.check(self.stored if watch.member in listening and not self.silent else None)


@settings(max_examples=300)
@given(ops, st.none() | st.integers(1, 6))
@example([("begin", 0), ("read", 0), ("say",), ("deliver", True, []), ("finish", 0)], 1)
@example([*BEHIND, ("store",), ("finish", 0), ("vanish",), ("say",)], 2)
@example([("begin", 0), ("begin", 1), ("read", 1), ("say",)], None)
@example([("begin", 0), ("read", 0), ("store",), ("interrupt", 1), ("deliver", True, []), ("finish", 0)], None)
@example([("begin", 0), ("finish", 0), ("say",), ("interrupt", 0), ("repeat", 0)], None)
@example([("begin", 0), ("read", 0), ("store",), ("vanish",), ("say",), ("deliver", True, []), ("finish", 0)], None)
def test_any_interleaving(script: list[Op], patience: int | None) -> None:
    anyio.run(Story(0, patience).tell, script, backend="trio")


@settings(max_examples=200)
@given(ops, st.none() | st.integers(1, 6), st.sampled_from([0, 30]))
@example([("begin", 0), ("read", 0), ("say",), ("deliver", True, []), ("finish", 0)], 1, 0)
def test_any_interleaving_with_a_relay_in_this_process(script: list[Op], patience: int | None, crowd: int) -> None:
    anyio.run(Story(crowd, patience, prompt=True).tell, script, backend="trio")


@settings(max_examples=40)
@given(ops, st.sampled_from([SLICE - 1, SLICE + 30, 3 * SLICE]))
def test_any_interleaving_in_a_large_room(script: list[Op], crowd: int) -> None:
    anyio.run(Story(crowd, None).tell, script, backend="trio")


@given(st.lists(st.binary(max_size=700), min_size=1, max_size=8))
def test_joined_frames_are_the_frames_in_a_row(payloads: list[bytes]) -> None:
    frames = [TextFrame(json.dumps(payload.hex()).encode()) for payload in payloads]
    joined = JoinedFrames(frames)
    assert joined.plain == b"".join(frame.plain for frame in frames)
    assert joined.deflated == b"".join(frame.deflated for frame in frames)
    wanted = [payload.hex() for payload in payloads]
    assert list(frames_in(joined.plain)) == list(frames_in(joined.deflated)) == wanted


def test_what_is_compressed_is_compressed_once() -> None:
    frame = TextFrame(b'"' + b"x" * 4000 + b'"')
    assert frame.deflated is frame.deflated
    assert len(frame.deflated) < 200
    assert len(zlib.compress(frame.plain)) < len(frame.plain)


def test_a_session_that_waits_too_long_gets_a_gap_before_what_follows() -> None:
    hub, mux = Hub(), Between()
    fan_out = FanOut(hub, mux, Counters(), Controls())
    member = Member(hub, 1)
    channel = hub.open_channel(CHANNEL)
    channel.begin_joining(member)
    anyio.run(play, fan_out, [message(seq) for seq in range(1, 10_102)], backend="trio")
    assert not channel.finish_joining(member, 50)
    first, *rest = member.frames()
    assert first == {"type": "gap", "room": CHANNEL.partition(":")[2], "from_seq": 51}
    assert [frame["seq"] for frame in rest] == list(range(51, 10_001))
    anyio.run(play, fan_out, [message(10_102)], backend="trio")
    assert member.seqs()[-1] == 10_102
    mux.close()


def test_answering_a_subscriber_that_left_does_nothing() -> None:
    hub = Hub()
    channel, member = hub.open_channel(CHANNEL), Member(hub, 1)
    channel.begin_joining(member)
    assert not channel.empty
    member.leave()
    assert channel.finish_joining(member, 5)
    assert channel.finish_joining(Member(hub, 2), 5)
    assert (member.data, channel.empty, hub.channels) == (b"", True, {})


@given(st.lists(st.tuples(st.sampled_from(["add", "begin", "leave"]), st.integers(0, 3), st.integers(0, 3))))
def test_channels_exist_while_a_session_listens(script: list[tuple[str, int, int]]) -> None:
    hub = Hub()
    members = [Member(hub, number) for number in range(4)]
    model: dict[str, dict[int, str]] = {}
    for what, which, who in script:
        name = f"room:{which}"
        if what == "leave":
            inside = model.get(name, {})
            was_last = set(inside) == {who}
            inside.pop(who, None)
            if not inside:
                model.pop(name, None)
            assert hub.leave_channel(name, members[who]) == was_last
            continue
        channel = hub.open_channel(name)
        assert hub.open_channel(name) is channel
        if what == "add" and model.get(name, {}).get(who) != "begin":
            channel.add_member(members[who])
            model.setdefault(name, {})[who] = "add"
        elif what == "begin":
            channel.begin_joining(members[who])
            model.setdefault(name, {})[who] = "begin"
        elif channel.empty:
            hub.leave_channel(name, members[who])
    assert set(hub.channels) == set(model)
    statistics = hub.statistics()
    assert statistics.channels == len(model)
    assert statistics.members == sum(list(inside.values()).count("add") for inside in model.values())
    for name, inside in model.items():
        channel = hub.channels[name]
        parts: list[int] = [
            each.number for part in channel.slice_members() for each in part if isinstance(each, Member)
        ]
        assert sorted(parts) == sorted(who for who, what in inside.items() if what == "add")


def test_a_part_knows_how_to_write_to_its_members_until_they_change() -> None:
    hub = Hub()
    channel = hub.open_channel(CHANNEL)
    members = [Member(hub, number, deflate=number % 2 == 0) for number in range(SLICE + 3)]
    for each in members:
        channel.add_member(each)
    first, second = channel.slice_members()
    assert [first, second] == list(channel.slice_members())
    assert {*first.deflating, *second.deflating} == {each.connection for each in members if each.deflate}
    assert {*first.plain, *second.plain} == {each.connection for each in members if not each.deflate}
    for part in (first, second):
        assert list(part.plain_fds) == [each.fd for each in part.plain]
        assert list(part.deflating_fds) == [each.fd for each in part.deflating]
    gone = next(each for each in members if each in second)
    gone.leave()
    parts = list(channel.slice_members())
    assert gone.connection not in [each for part in parts for each in (*part.plain, *part.deflating)]
    assert sum(len(part.plain_fds) + len(part.deflating_fds) for part in parts) == len(members) - 1


def test_a_member_that_leaves_between_two_slices_is_left_out() -> None:
    hub = Hub()
    channel = hub.open_channel(CHANNEL)
    members = [Member(hub, number) for number in range(2 * SLICE + 10)]
    for each in members:
        channel.add_member(each)
    slices = channel.slice_members()
    seen = list(next(slices))
    gone = next(each for each in members if each not in seen)
    gone.leave()
    late = Member(hub, 100_000)
    channel.add_member(late)
    for part in slices:
        assert len(part) <= SLICE
        seen.extend(part)
    assert gone not in seen
    assert late not in seen
    assert len(seen) == len(members) - 1
    again: list[object] = [each for part in Channel.slice_members(channel) for each in part]
    assert late in again
    assert len(again) == len(members)
