"""One run: a cluster goes through its plan, settles, and is checked. The same seed gives the same run."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import combinations
from typing import Any

import anyio
import trio
import trio.testing
from msgspec import Struct

from chat.domain.conversations import dm_key, room_key
from chat.domain.models import Message, Role
from chat.wire.relay import user_channel
from tests.simulation import promises
from tests.simulation.client import Client
from tests.simulation.cluster import NOTICE_SECONDS, Cluster, EdgeNode, Parts, PoolNode, open_engines
from tests.simulation.incidents import Incidents
from tests.simulation.plan import ROOMS, ROUND_SECONDS, Plan, draw_plan, identity
from tests.simulation.script import Script
from tests.simulation.story import Story

SETTLE_SECONDS = 90.0
GRACE_SECONDS = 1.0
STEPS = 1_000_000
PUSH_STEPS = 1000
DEADLINE_SECONDS = 600.0
EVERYTHING = 1 << 30


class Outcome(Struct, frozen=True):
    """How a run ended: the promises that were `broken`, and its story."""

    seed: int
    plan: Plan
    broken: Sequence[str]
    story: Story

    def full_story(self) -> str:
        """The whole story, for people to read."""
        return "\n".join([f"seed {self.seed}: {self.plan}", *self.story.timeline(), "", self.verdict()])

    def verdict(self, option: str = "") -> str:
        """The promises that were broken, if any, and the command that repeats the run, with this option."""
        if not self.broken:
            return f"seed {self.seed}: every promise was kept"
        return "\n".join(
            [f"seed {self.seed} breaks promises (scripts/simulate --seed {self.seed}{option}):", *self.broken]
        )


def simulate(seed: int, parts: Parts | None = None, *, to_the_end: bool = True, steps: int = STEPS) -> Outcome:
    """Run the cluster of this seed, for at most `steps`. Without `to_the_end`, it stops at the first broken promise."""
    story = Story()
    rng = random.Random(f"plan {seed}")
    plan = draw_plan(seed, rng)
    with deterministic(seed), story.listening():
        clock = trio.testing.MockClock(autojump_threshold=0)
        budget = Budget(story, steps, clock)
        make = partial(Cluster, plan, parts or Parts(), rng, story)
        trio.run(_main, make, budget, to_the_end, clock=clock, instruments=[budget])
    return Outcome(seed, plan, story.broken, story)


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Let trio's scheduler and all jitter follow the seed."""
    scheduler: Any = trio._core._run
    before = scheduler._ALLOW_DETERMINISTIC_SCHEDULING, scheduler._r, random.getstate()
    scheduler._ALLOW_DETERMINISTIC_SCHEDULING, scheduler._r = True, random.Random(seed)
    random.seed(seed)
    try:
        yield
    finally:
        scheduler._ALLOW_DETERMINISTIC_SCHEDULING, scheduler._r = before[:2]
        random.setstate(before[2])


class Budget(trio.abc.Instrument):
    """Ends a run that goes round in circles: a defect must give a seed that fails, and not one that hangs.

    If no task ever waits, virtual time stands still. Then it is moved on, so shielded scopes reach their deadlines.
    """

    def __init__(self, story: Story, steps: int, clock: trio.testing.MockClock) -> None:
        self._story = story
        self._clock = clock
        self._steps = self._left = steps
        self.scope = trio.CancelScope()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Trio is about to run a task (`trio.abc.Instrument`)."""
        self._left -= 1
        if not self._left:
            self.end_run(f"goes on and on: it took {self._steps} steps, the last one in {task.name}")
        elif self._left < 0 and self._left % PUSH_STEPS == 0:
            self._clock.jump(1.0)

    def end_run(self, why: str) -> None:
        """Note that the run does not end, and cancel it."""
        self._story.accuse("run", why)
        self.scope.cancel()


async def _main(make: Callable[[], Cluster], budget: Budget, to_the_end: bool) -> None:
    with budget.scope:
        with anyio.move_on_after(DEADLINE_SECONDS) as deadline:
            await _run_cluster(make(), to_the_end)
        if deadline.cancelled_caught:
            budget.end_run(f"is not over after {DEADLINE_SECONDS:g} s")


async def _run_cluster(cluster: Cluster, to_the_end: bool) -> None:
    plan = cluster.plan
    async with open_engines(plan, cluster.parts) as cluster.engines, anyio.create_task_group() as tasks:
        cluster.tasks = tasks
        if not to_the_end:
            cluster.story.end_when_broken(tasks.cancel_scope.cancel)
        for number in range(plan.edges):
            tasks.start_soon(cluster.keep_running, EdgeNode, f"edge-{number + 1}")
        for number in range(plan.pools):
            tasks.start_soon(cluster.keep_running, PoolNode, f"pool-{number + 1}")
        try:
            await _run_rounds(cluster)
            promises.check_promises(cluster.ledger, await _read_histories(cluster))
        finally:
            tasks.cancel_scope.cancel()
            cluster.close()


async def _run_rounds(cluster: Cluster) -> None:
    """Run the rounds: in each, the scripts and the incidents, then wait until the cluster has settled."""
    scripts = _make_scripts(cluster)
    incidents = Incidents(cluster)
    async with anyio.create_task_group() as tasks:
        for client in cluster.clients:
            tasks.start_soon(client.run)
        for number, plan in enumerate(cluster.plan.rounds, 1):
            cluster.story.tell("all", f"round {number}: {', '.join(name for _, name in plan) or 'nothing happens'}")
            cluster.faults.quiet = False
            for script in scripts:
                tasks.start_soon(script.run)
            async with anyio.create_task_group() as happening:
                happening.start_soon(incidents.run, plan)
                happening.start_soon(anyio.sleep, ROUND_SECONDS)
            cluster.faults.quiet = True
            cluster.story.tell("all", "faults are over")
            if not await _wait_until_settled(cluster, scripts):
                break
        tasks.cancel_scope.cancel()


async def _wait_until_settled(cluster: Cluster, scripts: Sequence[Script]) -> bool:
    """Wait until every message is stored and every client has it. Whether that happened in time."""
    async with anyio.create_task_group() as tasks:
        with anyio.move_on_after(SETTLE_SECONDS):
            await anyio.sleep(NOTICE_SECONDS)
            if cluster.faults.lossy:
                for script in scripts:
                    tasks.start_soon(script.send_last_words)
                await anyio.sleep(NOTICE_SECONDS)
            while not _is_done(cluster, scripts):  # noqa: ASYNC110 - virtual time costs nothing
                await anyio.sleep(0.5)
            await anyio.sleep(GRACE_SECONDS)
        tasks.cancel_scope.cancel()
    broken = len(cluster.story.broken)
    _accuse_incomplete(cluster, scripts)
    cluster.ledger.rights.settle_changes()
    return len(cluster.story.broken) == broken


def _is_done(cluster: Cluster, scripts: Sequence[Script]) -> bool:
    return all(script.done for script in scripts) and cluster.settled()


def _make_scripts(cluster: Cluster) -> list[Script]:
    plan = cluster.plan
    rooms = [identity(3, number) for number in range(plan.rooms)]
    users = {user.id: user for user in plan.people}
    cluster.places = {room_key(room): name for room, name in zip(rooms, ROOMS, strict=False)}
    for one, other in combinations(sorted(users), 2):
        cluster.places[dm_key(one, other)] = f"{users[one].name}+{users[other].name}"
    channels = {user_channel(user.id): f"{user.name}'s channel" for user in users.values()}
    cluster.story.names.update(cluster.places | channels)
    cluster.ledger.rights.set_initial_roles(
        {
            (user, room_key(room)): Role.OWNER if user == plan.people[0].id else Role.MEMBER
            for room in rooms
            for user in users
        }
    )
    for number, user in enumerate(plan.people):
        name = f"{user.name}/{[each.id for each in plan.people[: number + 1]].count(user.id)}"
        others = [other for other in users.values() if other.id != user.id]
        cluster.clients.append(
            Client(name, user, system=cluster, rng=random.Random(cluster.rng.random()), rooms=rooms, others=others)
        )
    return [Script(client, plan, number) for number, client in enumerate(cluster.clients)]


def _accuse_incomplete(cluster: Cluster, scripts: Sequence[Script]) -> None:
    for client, script in zip(cluster.clients, scripts, strict=True):
        if not script.done:
            client.accuse("waits for something for ever")
        for view in client.views:
            if lack := client.describe_lack(view):
                client.accuse(lack)
    if not cluster.moderator.done:
        cluster.story.accuse("owner", "waits for something for ever")


async def _read_histories(cluster: Cluster) -> dict[str, Sequence[Message]]:
    history = cluster.engines.history
    return {
        key: await history.messages_since(key, 0, limit=EVERYTHING, max_bytes=EVERYTHING) or ()
        for key in cluster.places
    }
