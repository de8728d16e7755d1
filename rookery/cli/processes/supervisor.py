"""Keeps N processes running that share a port, replaces them one after the other, and ends them together.

A *place* is one of the N: a listening socket, and the process that accepts from it. The kernel divides new connections
among the sockets (SO_REUSEPORT), and those that wait in the queue of one are reset when it is closed by all its owners.

Rule 1: the supervisor owns the sockets, so a process that ends leaves its queue to the one that follows.
Rule 2: a socket without a process is closed, so that the kernel gives connections to the others; but for the moment in
        which the next process starts.
Rule 3: a process is replaced by one that serves already, and is told to leave only then.
Rule 4: a process that ends unasked is started again (see `restarts`); one that ends before all have served once ends
        the supervisor: most often a setting or a server is wrong.
Rule 5: every process has a time to start and a time to drain; then it is killed. None outlives `run`.
"""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import anyio
from anyio.abc import TaskGroup

from chat.concurrency import Broadcast
from chat.settings import Address, SettingsError
from rookery.cli.processes.children import Child
from rookery.cli.processes.restarts import MOST_DEATHS, decide_restart, find_exit_code

logger = logging.getLogger("rookery.processes")
START_SECONDS = 120.0


class PlaceState(StrEnum):
    """What a place is doing. `waiting`: its process ended, and is started again later."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"


@dataclass(eq=False)
class Run:
    """A process from its start to its end. `leaving`: it was told to end."""

    child: Child
    ended: anyio.Event = field(default_factory=anyio.Event)
    code: int = 0
    leaving: bool = False


@dataclass(eq=False)
class ProcessPlace:
    """See the module. `run` is the process that serves, or is to serve; `restarts` counts deaths that were healed."""

    number: int
    listener: socket.socket | None
    run: Run | None = None
    deaths: list[float] = field(default_factory=list)
    restarts: int = 0
    wants_replacement: bool = False
    replaced: anyio.Event = field(default_factory=anyio.Event)
    changed: anyio.Event = field(default_factory=anyio.Event)

    @property
    def state(self) -> PlaceState:
        """What the place is doing."""
        if self.run is None or self.run.ended.is_set():
            return PlaceState.STARTING if self.listener is not None else PlaceState.WAITING
        return PlaceState.READY if self.run.child.ready.is_set() else PlaceState.STARTING

    @property
    def address(self) -> Address | None:
        """Where HTTP of its process is, if that serves."""
        return self.run.child.address if self.run is not None and self.state is PlaceState.READY else None

    def close_listener(self) -> None:
        """Leave the port to the others (rule 2)."""
        if self.listener is not None:
            self.listener.close()
            self.listener = None


class Supervisor:
    """See the module. `bind` makes a listening socket on the shared port, or raises `SettingsError`; `make_child`
    makes a process that accepts from it."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        *,
        bind: Callable[[], socket.socket],
        make_child: Callable[[int, socket.socket], Child],
        grace_seconds: float,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self.places = [ProcessPlace(number, listener) for number, listener in enumerate(listeners)]
        self._bind = bind
        self._make_child = make_child
        self._grace_seconds = grace_seconds
        self._start_seconds = start_seconds
        self._running: dict[Run, ProcessPlace] = {}
        self._codes: list[int] = []
        self._progress = Broadcast()
        self._stopping = anyio.Event()
        self._signum: int = signal.SIGTERM
        self._replacement = anyio.Event()
        self._served = False

    @property
    def draining(self) -> bool:
        """Whether the processes are being ended."""
        return self._stopping.is_set()

    def drain_processes(self, signum: int = signal.SIGTERM) -> None:
        """Pass the signal on to all processes, which drain; `run` returns when they have ended. A second call passes
        another signal on, which ends their drains."""
        if self._stopping.is_set():
            for run in self._running:
                run.child.send_signal(signum)
        self._signum = signum
        self._stopping.set()

    def replace_processes(self) -> None:
        """Replace the processes, one after the other (rule 3)."""
        self._replacement.set()

    async def run(self, *, on_served: Callable[[], object] = bool) -> int:
        """Run until `drain_processes`, or until it gives up: the worst exit code of the processes.

        Calls `on_served` once, when all serve. When cancelled, kills them all.
        """
        try:
            async with anyio.create_task_group() as children:
                async with anyio.create_task_group() as keepers:
                    for place in self.places:
                        self._start_child(children, place)
                        keepers.start_soon(self._keep_running, children, place)
                    keepers.start_soon(self._run_replacements)
                    keepers.start_soon(self._report_start, on_served)
                    await self._stopping.wait()
                    keepers.cancel_scope.cancel()
                await self._end_children()
        finally:
            for place in self.places:
                place.close_listener()
        return find_exit_code(self._codes)

    async def _report_start(self, on_served: Callable[[], object]) -> None:
        for place in self.places:
            if place.run is not None:
                await place.run.child.ready.wait()
        self._served = True
        on_served()

    def _start_child(self, children: TaskGroup, place: ProcessPlace, *, instead: bool = False) -> Run:
        """Start a process; with `instead`, beside the one that has the place so far."""
        if place.listener is None:
            place.listener = self._bind()
        run = Run(self._make_child(place.number, place.listener))
        self._running[run] = place
        if not instead:
            place.run = run
        children.start_soon(self._run_child, run, place)
        return run

    async def _run_child(self, run: Run, place: ProcessPlace) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._bound_start, run, place)
            try:
                run.code = await run.child.run()
            except OSError as error:
                logger.error("process %d could not be started: %s", place.number, error.strerror)  # noqa: TRY400
                run.code = 1
            tasks.cancel_scope.cancel()
        del self._running[run]
        if self._stopping.is_set():
            # One that did not serve yet had no drain to do: the signal itself has ended it.
            self._codes.append(run.code if run.child.ready.is_set() else 0)
            if place not in self._running.values():
                place.close_listener()  # rule 2
        run.ended.set()
        place.changed.set()
        self._progress.notify_all()

    async def _bound_start(self, run: Run, place: ProcessPlace) -> None:
        with anyio.move_on_after(self._start_seconds):
            await run.child.ready.wait()
            return
        logger.error("process %d did not serve within %.0f s", place.number, self._start_seconds)
        run.child.send_signal(signal.SIGKILL)  # rule 5

    async def _keep_running(self, children: TaskGroup, place: ProcessPlace) -> None:
        while not self._stopping.is_set():
            await place.changed.wait()
            place.changed = anyio.Event()
            run = place.run
            if run is not None and run.ended.is_set():
                await self._restart_child(children, place, run.code)
            elif run is not None and place.wants_replacement:
                await self._replace_child(children, place, run)

    async def _restart_child(self, children: TaskGroup, place: ProcessPlace, code: int) -> None:
        now = anyio.current_time()
        place.deaths = [*place.deaths[-MOST_DEATHS:], now]
        seconds = decide_restart(place.deaths, now) if self._served else None  # rule 4
        if seconds is None:
            logger.error("process %d ended with %d; the edge ends, too", place.number, code)
            self._give_up(code)
            return
        logger.warning("process %d ended with %d; the next one starts in %.0f s", place.number, code, seconds)
        if seconds:
            place.close_listener()  # rule 2
            await anyio.sleep(seconds)
        try:
            self._start_child(children, place)
        except SettingsError as error:
            logger.error("process %d: %s", place.number, error)  # noqa: TRY400 - it says all there is to say
            self._give_up(1)
            return
        place.restarts += 1

    def _give_up(self, code: int) -> None:
        self._codes.append(code or 1)
        self._stopping.set()

    async def _run_replacements(self) -> None:
        while True:
            await self._replacement.wait()
            self._replacement = anyio.Event()
            for place in self.places:
                before = place.run
                place.replaced, place.wants_replacement = anyio.Event(), True
                place.changed.set()
                await place.replaced.wait()
                if place.run is before or before is None:
                    logger.error("process %d could not be replaced; it stays, and so do the next ones", place.number)
                    break
                await before.ended.wait()  # so that few clients at a time look for another edge
                logger.info("process %d was replaced", place.number)

    async def _replace_child(self, children: TaskGroup, place: ProcessPlace, before: Run) -> None:
        run = self._start_child(children, place, instead=True)
        while not run.child.ready.is_set() and not run.ended.is_set():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_cancel_when_set, run.child.ready, tasks.cancel_scope)
                tasks.start_soon(_cancel_when_set, run.ended, tasks.cancel_scope)
        if not run.ended.is_set():
            place.run = run
            before.leaving = True
            children.start_soon(self._retire_child, before)
        place.wants_replacement = False
        place.replaced.set()

    async def _retire_child(self, run: Run) -> None:
        with anyio.move_on_after(self._grace_seconds):
            await run.child.release_socket()
            await run.ended.wait()
            return
        run.child.send_signal(signal.SIGKILL)  # rule 5

    async def _end_children(self) -> None:
        for run in self._running:
            if not run.leaving:  # to one that drains already, a signal would mean: end the drain
                run.child.send_signal(self._signum)
        for place in self.places:
            if place not in self._running.values():
                place.close_listener()  # rule 2
        with anyio.move_on_after(self._grace_seconds):
            while self._running:
                await self._progress.wait()
        for run in self._running:
            logger.error("process %d did not end in time", self._running[run].number)
            run.child.send_signal(signal.SIGKILL)  # rule 5


async def _cancel_when_set(event: anyio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
