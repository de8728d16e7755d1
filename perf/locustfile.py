"""A load test for locust: users who log in, follow rooms, read, write, fall silent, lose the network and come back.

`scripts/load URL` runs it, in an environment of its own. Broken promises are failures named `promise: …`; then, or when
more than `--most-failures` of all requests failed, the exit code is 3.
"""

from __future__ import annotations

import os
import random
import time
import uuid
from pathlib import Path
from typing import Any

import gevent
from locust import LoadTestShape, User, events
from locust.exception import StopUser

from perf.load.accounts import Account, Accounts
from perf.load.connection import Connection
from perf.load.shapes import SHAPES
from perf.load.witness import Witness
from rookery.client.errors import ClientError

WORDS = ("the", "release", "is", "out", "please", "look", "at", "the", "plan", "for", "lunch", "on", "tuesday")
_OVERDUE_S = 30.0
_STAMP = "⏱"
BROKEN_PROMISE_EXIT = 3


def _count_workers(options: Any) -> int:
    """How many processes share the tokens; locust takes -1 for one on each core."""
    if options.processes:
        return int(options.processes) if options.processes > 0 else os.cpu_count() or 1
    return max(1, options.expect_workers or 1)


class BrokenPromise(Exception):
    """The server did what `docs/protocol.md` rules out."""


def _add_options(parser: Any) -> None:
    group = parser.add_argument_group("Rookery")
    group.add_argument("--tokens", default="", help="file of access tokens, as `rookery admin seed` writes it")
    group.add_argument("--room-ids", default="", help="file of room ids, as `rookery admin seed` writes it")
    group.add_argument("--rooms", type=int, default=3, help="rooms that each user follows (3)")
    group.add_argument("--pause", type=float, default=8.0, help="mean seconds between two acts of a user (8)")
    group.add_argument("--shape", choices=[*SHAPES], default="steady", help="how the number of users changes (steady)")
    group.add_argument("--seconds", type=float, default=300.0, help="how long the test takes (300)")
    group.add_argument("--most-failures", type=float, default=0.01, help="share of requests that may fail (0.01)")


def _open_accounts(environment: Any, **_: object) -> None:
    options = environment.parsed_options
    index = max(0, getattr(environment.runner, "worker_index", 0))
    environment.accounts = Accounts(
        environment.host,
        tokens=Path(options.tokens) if options.tokens else None,
        rooms=Path(options.room_ids) if options.room_ids else None,
        worker=index,
        workers=_count_workers(options),
    )


def _decide_exit(environment: Any, **_: object) -> None:
    stats = environment.stats
    broken = sum(entry.num_failures for entry in stats.entries.values() if entry.name.startswith("promise: "))
    if broken:
        print(f"broken promises: {broken}")
    if broken or stats.total.fail_ratio > environment.parsed_options.most_failures or not stats.total.num_requests:
        environment.process_exit_code = BROKEN_PROMISE_EXIT


class Shape(LoadTestShape):  # type: ignore[misc] # locust is not in the environment of the checks
    """The users of `--shape`, up to `--users`, until `--seconds` are over."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """The wanted number of users, and how many start in a second; None at the end."""
        options = self.runner.environment.parsed_options
        second = self.get_run_time()
        if second >= options.seconds:
            return None
        return SHAPES[options.shape](second, options.num_users or 1, options.seconds), options.spawn_rate or 10


class ChatUser(User):  # type: ignore[misc] # as above
    """Somebody in a chat."""

    def wait_time(self) -> float:
        """Seconds until the next act: sometimes two at once, sometimes a long pause, as people do."""
        return random.expovariate(1.0 / self.environment.parsed_options.pause)

    def on_start(self) -> None:
        """Log in, connect, and follow the rooms."""
        accounts: Accounts = self.environment.accounts
        self._seen: dict[str, int] = {}
        try:
            self._account: Account = accounts.take()
            self._rooms = accounts.rooms(self._account, self.environment.parsed_options.rooms)
            url = accounts.ws_url()
        except Exception as error:
            self._fire("log in", 0.0, error)
            raise StopUser from error
        self._witness = Witness(self._report_broken, self._note_delivery, time.monotonic)
        self._connection = Connection(url, self._account.token, self._witness)
        if not self._measure("connect", self._connection.connect):
            raise StopUser
        for room in self._rooms:
            self._ask("subscribe", {"room": room})

    def on_stop(self) -> None:
        """See that what was acknowledged has come, then leave."""
        connection: Connection | None = getattr(self, "_connection", None)
        if connection is None:
            return
        if not connection.is_open:
            self._come_back()
        until = time.monotonic() + _OVERDUE_S
        while self._witness.waiting and time.monotonic() < until:
            gevent.sleep(0.2)
        self._report_overdue(0.0)
        connection.close()
        self.environment.accounts.give_back(self._account)

    def send(self) -> None:
        """Type for a moment, then write to a room."""
        room = random.choice(self._rooms)
        self._ask("typing", {"room": room})
        gevent.sleep(random.uniform(0.2, 1.0))
        self._ask("send", {"room": room, "text": _make_text(), "client_id": str(uuid.uuid4())})

    def read(self) -> None:
        """Mark a room as read, up to what was seen."""
        room = random.choice(self._rooms)
        seq = self._witness.seq_of(room)
        if seq:
            self._ask("read", {"room": room, "seq": seq})

    def write_direct(self) -> None:
        """Write to another user of the test."""
        other = random.choice(self.environment.accounts.known)
        if other != self._account.id:
            self._ask("dm", {"to": other, "text": _make_text(), "client_id": str(uuid.uuid4())})

    def idle(self) -> None:
        """Look away for a while, and back."""
        self._ask("status", {"state": "away"})
        gevent.sleep(random.uniform(1.0, 3.0) * self.environment.parsed_options.pause)
        self._ask("status", {"state": "online"})
        self._report_overdue(_OVERDUE_S)

    def lose_network(self) -> None:
        """Lose the connection, and resume."""
        self._come_back()

    tasks = {send: 10, read: 6, write_direct: 3, idle: 4, lose_network: 1}  # noqa: RUF012 # locust's name: what a user does, and how often

    # What the tasks share.

    def _come_back(self) -> None:
        self._measure("resume", self._connection.reconnect)

    def _ask(self, kind: str, fields: dict[str, Any]) -> None:
        if not self._connection.is_open:
            self._come_back()
        self._measure(f"{kind} → ok", lambda: self._connection.ask(kind, fields))

    def _measure(self, name: str, act: Any) -> bool:
        began = time.perf_counter()
        try:
            act()
        except ClientError as error:
            self._fire(name, time.perf_counter() - began, error)
            return False
        self._fire(name, time.perf_counter() - began, None)
        return True

    def _note_delivery(self, text: str) -> None:
        """Clocks of one machine, or synchronised ones, are needed for this figure."""
        _, mark, stamp = text.rpartition(_STAMP)
        if mark:
            self._fire("delivery", max(0.0, time.time() - float(stamp)), None)

    def _report_overdue(self, seconds: float) -> None:
        for what in self._witness.overdue(seconds):
            self._report_broken("lost", f"{what} was acknowledged and did not come")

    def _report_broken(self, promise: str, seen: str) -> None:
        self._fire(f"promise: {promise}", 0.0, BrokenPromise(seen))

    def _fire(self, name: str, seconds: float, error: Exception | None) -> None:
        self.environment.events.request.fire(
            request_type="WS", name=name, response_time=seconds * 1000, response_length=0, exception=error, context={}
        )


def _make_text() -> str:
    words = random.choices(WORDS, k=random.randint(2, 20))
    return f"{' '.join(words)} {_STAMP}{time.time():.4f}"


events.init_command_line_parser.add_listener(_add_options)
events.test_start.add_listener(_open_accounts)
events.quitting.add_listener(_decide_exit)
