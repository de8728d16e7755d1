"""HTTP/2 in clear text, where it is switched on: hypercorn's protocol with bounds on what a client may make it do.

A frame that asks for nothing costs the server more than the client: a request that is reset at once starts and ends an
application, and a frame of 14 bytes may reorder a tree of streams. All of it runs on the loop that serves others.

Rule 1: bytes are parsed in slices, and each takes a turn at the loop (see `loop_turns`), so that no read can hold it.
Rule 2: control frames (resets, pings, settings, priorities, empty data) take from a budget of the connection and from
    one of the process. A client that has used up either gets GOAWAY with ENHANCE_YOUR_CALM (RFC 9113, section 7).
Rule 2a: a window update is free for each KiB that was sent, as for a client that reads; beyond that, and
    beyond `UPDATES_KEPT` that were earned and not used, it takes from the same budgets.
Rule 2b: the names and values of a request's headers have `HEADER_BYTES` at most, before and after the client has seen
    the settings.
Rule 3: streams are served in turn. The priorities of RFC 7540 are read and ignored, as RFC 9113, section 5.3, allows.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any

import anyio
import hypercorn.protocol.h2 as hypercorn_h2
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.events import Body
from hypercorn.protocol.h2 import H2Protocol

HEADER_BYTES = 16 * 1024
SLICE_BYTES = 2048
CONNECTION_BURST, CONNECTION_RATE = 200.0, 20.0
PROCESS_BURST, PROCESS_RATE = 2000.0, 500.0
UPDATES_KEPT = 2000.0
_ENHANCE_YOUR_CALM = 0xB

# The libraries under hypercorn, by the names that it has for them: only hypercorn decides which versions these are.
_library: Any = hypercorn_h2
_events: Any = _library.h2.events
_priority: Any = _library.priority
NothingToSend: Any = _priority.DeadlockError
_CONTROL = (_events.StreamReset, _events.PingReceived, _events.RemoteSettingsChanged, _events.PriorityUpdated)


class FrameBudget:
    """A token bucket: `burst` frames at once, and `rate` a second in the long run."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left = burst
        self._at = anyio.current_time()

    def take_frames(self, count: int) -> bool:
        """Whether there were so many left; then they are used."""
        now = anyio.current_time()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if count > self._left:
            return False
        self._left -= count
        return True


class StreamTurns:
    """Takes the place of hypercorn's priority tree: streams that have something to send, in turn (rule 3)."""

    def __init__(self) -> None:
        self._ready: OrderedDict[int, None] = OrderedDict()
        self._known: set[int] = set()

    def __next__(self) -> int:
        """The stream whose turn it is. Raises `NothingToSend`, as hypercorn expects it."""
        if not self._ready:
            raise NothingToSend
        stream, _ = self._ready.popitem(last=False)
        self._ready[stream] = None
        return stream

    def insert_stream(self, stream_id: int, *_: Any, **__: Any) -> None:
        """A new stream."""
        self._known.add(stream_id)
        self._ready[stream_id] = None

    def reprioritize(self, *_: Any, **__: Any) -> None:
        """Priorities are ignored."""

    def block(self, stream_id: int) -> None:
        """It has nothing to send now."""
        self._ready.pop(stream_id, None)

    def unblock(self, stream_id: int) -> None:
        """It has something to send again."""
        if stream_id in self._known:
            self._ready[stream_id] = None

    def remove_stream(self, stream_id: int) -> None:
        """The stream has ended."""
        self._known.discard(stream_id)
        self._ready.pop(stream_id, None)


class BoundedHttp2(H2Protocol):
    """Hypercorn's protocol by the rules above. `process_budget` is that of all connections."""

    def __init__(
        self,
        *args: Any,
        process_budget: FrameBudget,
        take_turn: Callable[[], Awaitable[None]],
        hold_answer: Callable[[int], AbstractContextManager[None]],
    ) -> None:
        super().__init__(*args)
        self._hold_answer = hold_answer
        self._updates_left = 0.0
        self.connection.decoder.max_header_list_size = HEADER_BYTES  # rule 2b
        turns: Any = StreamTurns()
        self.priority = turns
        self._take_turn = take_turn
        self._budgets = (FrameBudget(CONNECTION_BURST, CONNECTION_RATE), process_budget)
        self._ended = False

    async def handle(self, event: Event) -> None:
        if not isinstance(event, RawData):
            await super().handle(event)
            return
        for begin in range(0, len(event.data), SLICE_BYTES):  # rule 1
            if self._ended:
                return
            await super().handle(RawData(event.data[begin : begin + SLICE_BYTES]))
            await self._take_turn()

    async def _handle_events(self, events: list[Any]) -> None:
        count = sum(isinstance(event, _CONTROL) or _is_empty_data(event) for event in events)
        count += self._charge_updates(sum(isinstance(event, _events.WindowUpdated) for event in events))
        if all(budget.take_frames(count) for budget in self._budgets):
            await super()._handle_events(events)
            return
        self._ended = True
        self.connection.close_connection(error_code=_ENHANCE_YOUR_CALM)  # rule 2
        await self._flush()
        await self.send(Closed())

    def _charge_updates(self, count: int) -> int:
        """How many of so many window updates were not earned by what was sent (rule 2a)."""
        self._updates_left -= count
        excess = max(0, math.ceil(-self._updates_left))
        self._updates_left = max(0.0, self._updates_left)
        return excess

    async def _flush(self) -> None:
        data = self.connection.data_to_send()
        if data:
            self._updates_left = min(UPDATES_KEPT, self._updates_left + len(data) / 1024)
            await self.send(RawData(data=data))

    async def stream_send(self, event: Any) -> None:
        """Hand on what an application sends. A body waits here until the client has opened its window for it."""
        if isinstance(event, Body):
            with self._hold_answer(len(event.data)):
                await super().stream_send(event)
        else:
            await super().stream_send(event)


def _is_empty_data(event: Any) -> bool:
    return isinstance(event, _events.DataReceived) and not event.data and event.stream_ended is None
