"""An edge on engines that stop at a chosen wait: the moment at which a test lets something happen."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel

from chat.ports.log import Ack
from chat.tracing import Headers
from chat.wire.relay import INSTANCE
from gateway.command_session import CommandSession
from gateway.edge import Edge
from tests.support.patience import patient
from tests.support.world import Client, World, another_edge, sessions_of


class Stepper:
    """Lets calls pass, but stops at the n-th wait after `arm`: each call of a port is two, one before and one after it
    takes effect; an acknowledgement of the log is one."""

    def __init__(self) -> None:
        self.place = ""
        self.stopped = anyio.Event()
        self._only = ""
        self._left = 0
        self._go = anyio.Event()
        self._error: Exception | None = None
        self._held: Ack | None = None

    def arm(self, wait: int, only: str = "") -> None:
        """Stop at this wait from now on, of all or of `only` this call."""
        self._left, self._only, self._error, self.place = wait, only, None, ""
        self.stopped, self._go, self._held = anyio.Event(), anyio.Event(), None

    def disarm(self) -> None:
        """Stop at no further wait."""
        self._left = 0

    def release(self, error: Exception | None = None) -> None:
        """Let what was stopped go on, or fail."""
        self._left, self._error = 0, error
        self._go.set()
        if self._held is not None:
            held, self._held = self._held, None
            held(error)

    async def wait(self, call: str, place: str) -> None:
        """What the engines call at each wait."""
        if self._is_here(call, place):
            await self._go.wait()
            if self._error is not None:
                raise self._error

    def acknowledge(self, ack: Ack, error: Exception | None) -> None:
        """What the log calls at each acknowledgement."""
        if self._is_here("produce", "acknowledged"):
            self._held = ack
        else:
            ack(error)

    def _is_here(self, call: str, place: str) -> bool:
        if not self._left or self._only not in ("", call):
            return False
        self._left -= 1
        if self._left:
            return False
        self.place = f"{call} {place}"
        self.stopped.set()
        return True


class Stepped:
    """A port, with a stop before and after each of its calls."""

    def __init__(self, port: Any, stepper: Stepper) -> None:
        self._port = port
        self._stepper = stepper

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._port, name)
        if not inspect.iscoroutinefunction(inner) or name == "receive":
            return inner

        async def call(*arguments: Any, **named: Any) -> Any:
            await self._stepper.wait(name, "begun")
            found = await inner(*arguments, **named)
            await self._stepper.wait(name, "done")
            return found

        return call


class SteppedLog(Stepped):
    """A log whose acknowledgements stop."""

    def produce(self, topic: str, key: str, value: bytes, ack: Ack, headers: Headers = ()) -> None:
        self._port.produce(topic, key, value, partial(self._stepper.acknowledge, ack), headers)


class SteppedRelay(Stepped):
    """A relay whose listeners stop too."""

    @asynccontextmanager
    async def open_listener(self) -> AsyncIterator[Any]:
        async with self._port.open_listener() as listener:
            yield Stepped(listener, self._stepper)


@asynccontextmanager
async def stepped_edge(here: World, stepper: Stepper) -> AsyncIterator[Edge]:
    """One more edge of this world, on stepped engines. With the context, it is cancelled. Clients connect to it."""
    ports: dict[str, Any] = {
        name: Stepped(getattr(here, name), stepper) for name in ("presence", "accounts", "rooms", "history")
    }
    ports["log"] = SteppedLog(here.log, stepper)
    ports["relay"] = SteppedRelay(here.relay, stepper)
    async with another_edge(here, **ports) as edge:
        yield edge


async def until(condition: Callable[[], object]) -> None:
    """Wait for what nothing announces."""
    with anyio.fail_after(patient(10)):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await anyio.sleep(0.001)


async def settle(rounds: int = 40) -> None:
    """Let all that can go on without time passing do so."""
    for _ in range(rounds):
        await anyio.lowlevel.checkpoint()


def leftovers(here: World, edge: Edge, kept: dict[CommandSession, Client]) -> dict[str, object]:
    """What the edge holds besides these sessions, by kind; empty when it is nothing."""
    users = {session.user for session in kept}
    wanted = {f"user:{user}" for user in users} | {f"room:{room}" for each in kept for room in each.rooms}
    listening = {each for channel in edge.node.hub.channels.values() for each in (*channel.members, *channel.joining)}
    found: dict[str, object] = {
        "sessions": sessions_of(edge) - set(kept),
        "openings": list(edge.node.registry.openings),
        "people": {each for user in edge.node.users.users.values() for each in user.sessions} - set(kept),
        "users": set(edge.node.users.users) - users,
        "rights": set(edge.node.access._roles) - users,
        "channels": set(edge.node.hub.channels) ^ wanted,
        "listening": listening - set(kept),
        "unanswered": sum(channel.unanswered for channel in edge.node.hub.channels.values()),
        "subscriptions": set(here.relay._channels) ^ (wanted | {INSTANCE}),  # that one is the edge's own
        "timers": {each for slot in edge.node.wheel._slots for each in slot} - set(kept),
        "present": here.presence.statistics().sessions - len(kept),
        "descriptors": edge.node.mux.statistics().descriptors - len(kept),
        "gathered": [*edge.node.mux.dirty, *edge.node.mux.shared],
        "departed": list(edge.node.departures.queue),
        "unpublished": edge.node.publisher._mailbox._items,
        "unsubscribing": edge.node.subscriptions._unsubscribing,
        "busy": [each for each in kept if each.busy],
    }
    return {name: value for name, value in found.items() if value}


async def nothing_left(here: World, edge: Edge, kept: dict[CommandSession, Client], *gone: CommandSession) -> None:
    """Wait until the edge holds these sessions and nothing else."""
    left = leftovers(here, edge, kept)
    with anyio.move_on_after(10):
        while left or any(each.busy for each in gone):
            await anyio.sleep(0.001)
            left = leftovers(here, edge, kept)
    assert not left, f"left behind: {left}"
    for each in gone:
        assert (each._under_way, each._queue, each._scope, each.slot) == (0, None, None, -1)
        assert (each.rooms, each.watching) == ((), ())
