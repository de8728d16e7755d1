"""What an edge's sessions share: the engines, the tables, the limits.

`Edge` makes the node, and alone knows how its parts are made. Sessions, handlers and the edge's tasks get the node,
and take from it what they need.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chat.ports.authority import Authority
from chat.ports.history import History
from chat.ports.log import Log
from chat.ports.presence import Presence
from chat.settings import EdgeSettings, LimitSettings
from chat.tokens import KeyRing
from gateway.access import AccessCache
from gateway.activity import FollowedRooms
from gateway.connection import Connection
from gateway.counters import Counters
from gateway.departures import Departures
from gateway.held_rooms import HeldRoomsCache
from gateway.hub import Hub
from gateway.intake import Intake
from gateway.multiplexer import Multiplexer
from gateway.origins import OriginPolicy
from gateway.publisher import Publisher
from gateway.registry import SessionRegistry
from gateway.subscriptions import ChannelSubscriptions
from gateway.task_starter import TaskStarter
from gateway.user_sessions import SessionsByUser
from gateway.wheel import Wheel


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """See the module. `clock` gives milliseconds since the epoch; `held_rooms` is None where nobody moderates."""

    settings: EdgeSettings
    limits: LimitSettings
    clock: Callable[[], int]
    # The engines and services behind the ports.
    keys: KeyRing
    authority: Authority
    log: Log
    history: History
    presence: Presence
    # What moves bytes and time.
    mux: Multiplexer
    wheel: Wheel
    connect: Callable[[Multiplexer, socket.socket, int], Connection]
    tasks: TaskStarter
    # Who is here, and who listens to what.
    registry: SessionRegistry
    welcomes: Intake[Any]  # of `handlers.connecting.Arrival`, which needs to know this module
    subscribing: Intake[Any]  # of `handlers.subscribing.RoomRequest`
    users: SessionsByUser
    departures: Departures
    hub: Hub
    subscriptions: ChannelSubscriptions
    publisher: Publisher
    activity: FollowedRooms
    # What is known without asking.
    access: AccessCache
    held_rooms: HeldRoomsCache | None
    origins: OriginPolicy
    counters: Counters

    @property
    def full(self) -> bool:
        """Whether the edge has as many sessions as it may have."""
        return len(self.registry.sessions) >= self.settings.max_connections

    def draw_retry_ms(self) -> int:
        """After how many milliseconds a client may come back: at random, so that clients do not all return at once.

        During a drain all clients of the edge are sent away, and spread over `drain_jitter_seconds`.
        """
        jitter = self.settings.reconnect_jitter_seconds
        draining, spread = self.registry.draining, self.settings.drain_jitter_seconds
        longest = spread if draining and spread is not None else jitter
        return int(random.uniform(0.1 * min(jitter, longest), longest) * 1000)  # noqa: S311 - spreads load, guards nothing
