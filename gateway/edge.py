"""The edge: assembles a node, and serves it from the first connection to the last.

One task group owns every task of the node. `serve` runs until `drain` ends it, or until it is cancelled. Then it closes
every connection and reports the departures to presence, within a bounded time.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial

import anyio
from anyio.abc import TaskStatus

from chat.domain.ids import now_ms
from chat.engines.authority import LocalAuthority
from chat.engines.conversations import StoredConversations
from chat.ports.accounts import Accounts
from chat.ports.authority import Authority
from chat.ports.cases import Cases
from chat.ports.history import History
from chat.ports.log import Log
from chat.ports.presence import Presence
from chat.ports.relay import Listener, Relay
from chat.ports.rooms import Rooms
from chat.settings import EdgeSettings, LimitSettings
from chat.tokens import KeyRing
from chat.wire.relay import INSTANCE
from gateway.acceptor import Acceptor
from gateway.access import AccessCache
from gateway.activity import FollowedRooms
from gateway.budgets import make_allowances
from gateway.connection import Connection
from gateway.control import ControlHandler
from gateway.counters import Counters
from gateway.departures import Departures
from gateway.drain import drain_sessions
from gateway.fanout import FanOut
from gateway.handlers.connecting import welcome_sessions
from gateway.handlers.subscribing import subscribe_sessions
from gateway.held_rooms import HeldRoomsCache
from gateway.hub import Hub
from gateway.intake import Intake
from gateway.multiplexer import Multiplexer
from gateway.node import Node
from gateway.opening import open_connection
from gateway.origins import OriginPolicy
from gateway.presence import PresenceUpkeep
from gateway.publisher import Publisher
from gateway.registry import SessionRegistry
from gateway.sends import BatchSends, WantedWay, describe_sends, open_sends
from gateway.subscriptions import ChannelSubscriptions
from gateway.task_starter import TaskStarter
from gateway.user_sessions import SessionsByUser
from gateway.wheel import Wheel

logger = logging.getLogger(__name__)
_CLEANUP_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class EdgeParts:
    """The parts of an edge that the simulation replaces, one at a time, by a part with a planted defect."""

    sends: Callable[[WantedWay], BatchSends | None] = open_sends
    connection: Callable[[Multiplexer, socket.socket, int], Connection] = Connection
    hub: Callable[[], Hub] = Hub
    subscriptions: Callable[[Hub], ChannelSubscriptions] = ChannelSubscriptions
    fan_out: Callable[[Hub, Multiplexer, Counters, ControlHandler], FanOut] = FanOut
    access: Callable[[Authority, Accounts, Wheel, float], AccessCache] = AccessCache
    control: Callable[[Node, PresenceUpkeep], ControlHandler] = ControlHandler
    drain: Callable[[Node], Awaitable[None]] = drain_sessions


class Edge:
    """A node that serves. `authority` None: tokens and rights are checked on the engines of this process. `cases` None:
    nobody moderates. `clock` gives milliseconds since the epoch."""

    def __init__(
        self,
        *,
        settings: EdgeSettings,
        limits: LimitSettings,
        log: Log,
        relay: Relay,
        presence: Presence,
        accounts: Accounts,
        rooms: Rooms,
        history: History,
        keys: KeyRing,
        authority: Authority | None = None,
        cases: Cases | None = None,
        clock: Callable[[], int] = now_ms,
        parts: EdgeParts = EdgeParts(),
    ) -> None:
        mux, hub, counters = Multiplexer(parts.sends(settings.writes)), parts.hub(), Counters(clock)
        wheel, tasks = Wheel(after=mux.flush), TaskStarter()
        subscriptions = parts.subscriptions(hub)
        cache_seconds = settings.access_cache_seconds
        if authority is None:
            authority = LocalAuthority(keys, accounts, StoredConversations(rooms, history), relay)
        self.node = Node(
            settings=settings,
            limits=limits,
            clock=clock,
            keys=keys,
            authority=authority,
            log=log,
            history=history,
            presence=presence,
            mux=mux,
            wheel=wheel,
            connect=parts.connection,
            tasks=tasks,
            registry=SessionRegistry(),
            welcomes=Intake(tasks, wheel),
            subscribing=Intake(tasks, wheel),
            users=SessionsByUser(make_allowances(limits)),
            departures=Departures(presence),
            hub=hub,
            subscriptions=subscriptions,
            publisher=Publisher(relay),
            activity=FollowedRooms(hub, subscriptions, mux),
            access=parts.access(authority, accounts, wheel, cache_seconds),
            held_rooms=None if cases is None else HeldRoomsCache(cases, wheel, cache_seconds),
            origins=OriginPolicy(settings.origins),
            counters=counters,
        )
        self.node.welcomes.work = partial(welcome_sessions, self.node)
        self.node.subscribing.work = partial(subscribe_sessions, self.node)
        self.presence_upkeep = PresenceUpkeep(self.node)
        self.control = parts.control(self.node, self.presence_upkeep)
        self.fan_out = parts.fan_out(hub, mux, counters, self.control)
        self._drain = parts.drain
        self._relay = relay
        self._stopped = anyio.Event()
        self._acceptors: list[Acceptor] = []

    async def serve(
        self, sockets: Collection[socket.socket], *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve these listening sockets until drained or cancelled."""
        node = self.node
        try:
            async with self._relay.open_listener() as listener, anyio.create_task_group() as tasks:
                node.tasks.group = tasks
                node.subscriptions.listener = listener
                self._start_tasks(listener)
                self._acceptors = [Acceptor(node, sock) for sock in sockets]
                logger.info("bytes for many clients leave %s", describe_sends(node.mux.sends))
                task_status.started()
                await self._stopped.wait()
                tasks.cancel_scope.cancel()
        finally:
            self.stop_accepting()
            await self._close_all()

    def _start_tasks(self, listener: Listener) -> None:
        """Start the edge's own tasks. Beside them, sessions start theirs when a command must wait."""
        node, start_soon = self.node, self.node.tasks.start_soon
        start_soon(node.mux.run)
        start_soon(node.mux.run_flushes)
        start_soon(node.wheel.run)
        start_soon(self.fan_out.run, listener)
        start_soon(node.subscriptions.run_unsubscriptions)
        start_soon(node.subscriptions.follow_channel, INSTANCE)
        start_soon(node.publisher.run)
        start_soon(node.activity.run)
        start_soon(self.presence_upkeep.run_refreshes)
        start_soon(node.departures.run)

    async def drain(self) -> None:
        """Accept nothing new, finish what was read, send clients away with a time to come back, and stop serving.

        Where other processes listen on the same address, they get new connections from now on, not a 503 from here.
        """
        if self.node.settings.reuse_port:
            self.node.registry.draining = True
            for each in self._acceptors:
                each.refuse_waiting()
            self.stop_accepting()
        await self._drain(self.node)
        self._stopped.set()

    def stop_accepting(self) -> None:
        """Leave the listening sockets. Connections that wait there go to the process that has the sockets, too;
        without one, they are reset."""
        for each in self._acceptors:
            each.abort()

    def open_connection(self, sock: socket.socket) -> None:
        """Take an accepted, non-blocking socket."""
        open_connection(self.node, sock)

    async def _close_all(self) -> None:
        node = self.node
        node.mux.flush()  # so that the last answers are still sent
        openings = [each.connection for each in node.registry.openings]
        for connection in openings + [each.connection for each in node.registry.sessions]:
            connection.abort()
        with anyio.move_on_after(_CLEANUP_SECONDS, shield=True):
            await node.departures.report_departures()
        node.mux.close()
