"""The supervisor, with processes that a test ends as it likes."""

from __future__ import annotations

import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from chat.settings import Address, SettingsError
from rookery.cli.processes.restarts import MOST_DEATHS, decide_restart
from rookery.cli.processes.supervisor import PlaceState, Supervisor
from tests.support.backends import virtual_time
from tests.support.stepping import until

pytestmark = pytest.mark.anyio
GRACE = 3.0
STARTING = 5.0


class FakeChild:
    """A process that serves when a test says so, or at once, and ends as it says."""

    def __init__(self, number: int, listener: socket.socket, *, serves: bool, obeys: bool) -> None:
        self.number = number
        self.listener = listener
        self.ready = anyio.Event()
        self.address: Address | None = None
        self.signals: list[int] = []
        self.released = False
        self.gone = False
        self.killed = False
        self._serves = serves
        self._obeys = obeys
        self._code = 0
        self._end = anyio.Event()

    async def run(self) -> int:
        if self._serves:
            self.serve()
        try:
            await self._end.wait()
        except BaseException:
            self.killed = True
            raise
        finally:
            self.gone = True
        return self._code

    def serve(self) -> None:
        self.address = Address("127.0.0.1", 1)
        self.ready.set()

    def end(self, code: int) -> None:
        self._code = code
        self._end.set()

    def send_signal(self, signum: int) -> None:
        self.signals.append(signum)
        if signum == signal.SIGKILL:
            self.end(-9)
        elif self._obeys:
            self.end(0)

    async def release_socket(self) -> None:
        self.released = True
        if self._obeys:
            self.end(0)


class Office:
    """A supervisor, and all processes that it has started, in order."""

    def __init__(self, count: int, *, serve: bool = True, obey: bool = True) -> None:
        self.children: list[FakeChild] = []
        self.serve = serve
        self.obey = obey
        self.taken = False
        self.code: int | None = None
        self.served = 0
        self.supervisor = Supervisor(
            [socket.socket() for _ in range(count)],
            bind=self._bind,
            make_child=self._make_child,
            grace_seconds=GRACE,
            start_seconds=STARTING,
        )

    def _bind(self) -> socket.socket:
        if self.taken:
            raise SettingsError("ws=127.0.0.1:1: cannot listen there")
        return socket.socket()

    def _make_child(self, number: int, listener: socket.socket) -> FakeChild:
        child = FakeChild(number, listener, serves=self.serve, obeys=self.obey)
        self.children.append(child)
        return child

    def _note_served(self) -> None:
        self.served += 1

    async def run(self) -> None:
        self.code = await self.supervisor.run(on_served=self._note_served)

    @property
    def states(self) -> list[PlaceState]:
        return [place.state for place in self.supervisor.places]

    @property
    def over(self) -> bool:
        return self.code is not None


@asynccontextmanager
async def office(count: int = 2, *, serve: bool = True, obey: bool = True) -> AsyncIterator[Office]:
    here = Office(count, serve=serve, obey=obey)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(here.run)
        await until(lambda: len(here.children) == count)
        yield here
        tasks.cancel_scope.cancel()
    assert all(child.gone for child in here.children)
    assert all(place.listener is None for place in here.supervisor.places)


async def test_it_serves_when_all_of_them_do() -> None:
    async with office(serve=False) as here:
        here.children[0].serve()
        assert here.states == [PlaceState.READY, PlaceState.STARTING]
        assert here.served == 0
        here.children[1].serve()
        await until(lambda: here.served == 1)
        assert here.states == [PlaceState.READY, PlaceState.READY]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_goes_to_all_and_the_worst_code_counts(signum: int) -> None:
    async with office(3, obey=False) as here:
        await until(lambda: here.served == 1)
        here.supervisor.drain_processes(signum)
        await until(lambda: all(child.signals == [signum] for child in here.children))
        assert here.supervisor.draining
        for child, code in zip(here.children, (0, 3, 1), strict=True):
            child.end(code)
        await until(lambda: here.over)
        assert here.code == 3


async def test_a_socket_is_closed_when_its_process_has_drained_before_the_others() -> None:
    async with office(obey=False) as here:
        await until(lambda: here.served == 1)
        here.supervisor.drain_processes()
        here.children[0].end(0)
        await until(lambda: here.supervisor.places[0].listener is None)
        assert here.supervisor.places[1].listener is not None
        here.children[1].end(0)
        await until(lambda: here.over)


async def test_a_second_signal_is_passed_on() -> None:
    async with office(obey=False) as here:
        await until(lambda: here.served == 1)
        here.supervisor.drain_processes()
        await until(lambda: bool(here.children[1].signals))
        here.supervisor.drain_processes(signal.SIGINT)
        assert here.children[0].signals == here.children[1].signals == [signal.SIGTERM, signal.SIGINT]


@virtual_time
async def test_a_process_that_does_not_end_in_time_is_killed() -> None:
    async with office(obey=False) as here:
        await until(lambda: here.served == 1)
        here.supervisor.drain_processes()
        here.children[0].end(0)
        await until(lambda: here.over)
        assert here.children[1].signals == [signal.SIGTERM, signal.SIGKILL]
        assert here.code == 137


async def test_one_that_dies_is_started_again_on_its_socket_and_the_others_go_on() -> None:
    async with office() as here:
        await until(lambda: here.served == 1)
        here.children[0].end(-9)
        await until(lambda: len(here.children) == 3)
        assert here.children[2].number == 0
        assert here.children[2].listener is here.children[0].listener
        assert not here.children[1].gone
        assert [place.restarts for place in here.supervisor.places] == [1, 0]
        here.supervisor.drain_processes()
        await until(lambda: here.over)
        assert here.code == 0  # what was healed does not count


@virtual_time
async def test_a_process_that_dies_again_gives_its_part_of_the_port_to_the_others_meanwhile() -> None:
    async with office() as here:
        await until(lambda: here.served == 1)
        here.children[0].end(1)
        await until(lambda: len(here.children) == 3)
        here.children[2].end(1)
        await until(lambda: here.states == [PlaceState.WAITING, PlaceState.READY])
        assert here.supervisor.places[0].listener is None
        await until(lambda: here.states == [PlaceState.READY, PlaceState.READY])
        assert here.children[3].listener is not here.children[0].listener


@virtual_time
async def test_one_that_dies_too_often_ends_the_others_with_a_drain() -> None:
    async with office() as here:
        await until(lambda: here.served == 1)
        dying = here.children[0]
        for healed in range(MOST_DEATHS):
            dying.end(0)  # also without an error it was not told to end
            await anyio.sleep(0.1 + (decide_restart([0.0] * (healed + 1), 0.0) or 0))
            assert len(here.children) == healed + 3
            dying = here.children[-1]
        dying.end(0)
        await until(lambda: here.over)
        assert here.code == 1
        assert here.children[1].signals == [signal.SIGTERM]


async def test_a_port_that_was_taken_meanwhile_ends_it() -> None:
    async with office() as here:
        await until(lambda: here.served == 1)
        here.supervisor.places[0].close_listener()
        here.taken = True
        here.children[0].end(1)
        await until(lambda: here.over)
        assert here.code == 1


@pytest.mark.parametrize(("code", "exits"), [(2, 2), (0, 1), (-9, 137)])
async def test_one_that_ends_before_all_serve_ends_it(code: int, exits: int) -> None:
    async with office(serve=False) as here:
        here.children[0].serve()
        here.children[1].end(code)
        await until(lambda: here.over)
        assert here.code == exits
        assert (here.served, here.children[0].signals) == (0, [signal.SIGTERM])


@virtual_time
async def test_one_that_does_not_serve_in_time_is_killed() -> None:
    async with office(1, serve=False) as here:
        await until(lambda: here.over)
        assert here.children[0].signals == [signal.SIGKILL]
        assert here.code == 137


async def test_processes_are_replaced_one_after_the_other_by_those_that_serve() -> None:
    async with office(obey=False) as here:
        await until(lambda: here.served == 1)
        here.serve = False
        here.supervisor.replace_processes()
        await until(lambda: len(here.children) == 3)
        first, second, third = here.children
        assert not first.released
        assert third.listener is first.listener
        assert here.supervisor.places[0].state is PlaceState.READY  # by the one that is there
        third.serve()
        await until(lambda: first.released)
        await anyio.wait_all_tasks_blocked()
        assert len(here.children) == 3  # the first drains yet
        first.end(0)
        await until(lambda: len(here.children) == 4)
        here.children[3].serve()
        await until(lambda: second.released)
        second.end(0)
        await anyio.wait_all_tasks_blocked()
        assert [place.restarts for place in here.supervisor.places] == [0, 0]
        assert not any(child.signals for child in here.children)


async def test_a_replacement_that_ends_leaves_everything_as_it_is() -> None:
    async with office() as here:
        await until(lambda: here.served == 1)
        here.serve = False
        here.supervisor.replace_processes()
        await until(lambda: len(here.children) == 3)
        here.children[2].end(1)
        await anyio.wait_all_tasks_blocked()
        assert len(here.children) == 3
        assert here.states == [PlaceState.READY, PlaceState.READY]
        assert not here.children[0].released


async def test_one_that_is_being_replaced_gets_no_signal_that_would_end_its_drain() -> None:
    async with office(obey=False) as here:
        await until(lambda: here.served == 1)
        here.supervisor.replace_processes()
        await until(lambda: here.children[0].released)
        here.supervisor.drain_processes()
        await until(lambda: bool(here.children[2].signals))
        assert here.children[0].signals == []


async def test_when_it_is_cancelled_none_of_them_stays() -> None:
    async with office(obey=False) as here:
        await until(lambda: here.served == 1)
    assert all(child.killed for child in here.children)
