"""Sends what waits for browsers: a lane for each push service, so that a slow one delays no other.

Rule 1: a lane has a bounded number of pushes in hand, each claimed for a time that is longer than its attempt.
Rule 2: a push service that fails again and again is left alone, longer each time; one success ends that.
Rule 3: whoever is cancelled gives back what it has in hand. Who dies has it given back when the claim ends: then a
  device may get a push twice, with the same topic and tag, and shows it once.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

import anyio
from anyio.abc import TaskGroup, TaskStatus

from chat.adapters.webpush.delivery import DeliveryVerdict, PushDelivery
from chat.concurrency import AutoResetEvent
from chat.domain.push import PushOutcome, compute_wait
from chat.errors import Unavailable
from chat.ports.push import ClaimedPush, PushStore
from chat.tracing import begin_span, end_span

_logger = logging.getLogger(__name__)
_POLL_SECONDS = 5.0
"""How late a lane sees what another process has queued."""
_TAKEN_SECONDS = 0.1
_FAILURES = 5
_GIVE_BACK_SECONDS = 2.0


class PushSender:
    """The lanes. `sent` counts attempts by (push service, outcome). `clock` gives milliseconds since the epoch."""

    def __init__(
        self,
        store: PushStore,
        delivery: PushDelivery,
        services: Sequence[str],
        *,
        concurrency: int,
        seconds: float,
        clock: Callable[[], int],
    ) -> None:
        self.sent: Counter[tuple[str, str]] = Counter()
        claim_ms = int(1000 * (4 * seconds + 20))  # rule 1: four contents at most are tried
        self._lanes = [
            _Lane(store, delivery, service, concurrency=concurrency, claim_ms=claim_ms, clock=clock, sent=self.sent)
            for service in dict.fromkeys(services)
        ]

    def wake_lanes(self) -> None:
        """Something was queued."""
        for lane in self._lanes:
            lane.wake.set()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Send until cancelled."""
        async with anyio.create_task_group() as tasks:
            for lane in self._lanes:
                tasks.start_soon(lane.run)
            task_status.started()


class _Lane:
    """One push service."""

    def __init__(
        self,
        store: PushStore,
        delivery: PushDelivery,
        service: str,
        *,
        concurrency: int,
        claim_ms: int,
        clock: Callable[[], int],
        sent: Counter[tuple[str, str]],
    ) -> None:
        self.wake = AutoResetEvent()
        self._store = store
        self._delivery = delivery
        self._service = service
        self._free = concurrency
        self._claim_ms = claim_ms
        self._clock = clock
        self._sent = sent
        self._failures = 0
        self._rest_until = 0

    async def run(self) -> None:
        """Claim and send until cancelled."""
        async with anyio.create_task_group() as tasks:
            while True:
                wait = _POLL_SECONDS
                try:
                    wait = await self._send_due(tasks)
                except Unavailable as error:
                    _logger.warning("pushes to %s wait for the store: %s", self._service, error.message)
                with anyio.move_on_after(wait):
                    await self.wake.wait()

    async def _send_due(self, tasks: TaskGroup) -> float:
        """Begin to send what is due, as far as there are hands; the seconds until there may be more to do."""
        now = self._clock()
        if now < self._rest_until:  # rule 2
            return min((self._rest_until - now) / 1000, _POLL_SECONDS)
        if not self._free:
            return _POLL_SECONDS  # who finishes wakes
        due = await self._store.find_next_due(self._service)
        if due is None or due > now:
            return _POLL_SECONDS if due is None else min((due - now) / 1000, _POLL_SECONDS)
        hands = self._free if self._failures < _FAILURES else 1
        claimed = await self._store.claim_pushes(self._service, now, now + self._claim_ms, hands)
        for push in claimed:
            self._free -= 1
            tasks.start_soon(self._send_push, push)
        return _POLL_SECONDS if claimed else _TAKEN_SECONDS  # who finishes wakes

    async def _send_push(self, push: ClaimedPush) -> None:
        try:
            verdict = await self._deliver_push(push)
            self._sent[self._service, verdict.outcome.value] += 1
            self._note_health(verdict)
            await self._note_verdict(push, verdict)
        except Unavailable as error:
            _logger.warning("what became of a push to %s was not noted: %s", self._service, error.message)
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(_GIVE_BACK_SECONDS, shield=True), suppress(Unavailable):  # rule 3
                await self._store.note_later(push, self._clock(), device=False)
            raise
        finally:
            self._free += 1
            self.wake.set()

    async def _deliver_push(self, push: ClaimedPush) -> DeliveryVerdict:
        trace = push.place.trace
        span = begin_span("push", "client", trace) if trace else None
        outcome = "cancelled"
        try:
            verdict = await self._delivery.deliver_push(push)
            outcome = verdict.outcome.value
            return verdict
        finally:
            end_span(span, None if outcome == PushOutcome.DELIVERED.value else outcome)

    def _note_health(self, verdict: DeliveryVerdict) -> None:
        if verdict.outcome is not PushOutcome.LATER or verdict.device:
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= _FAILURES:
            wait = max(verdict.wait, compute_wait(self._failures - _FAILURES + 1, random.random()))  # noqa: S311 - no secret
            self._rest_until = self._clock() + int(1000 * wait)

    async def _note_verdict(self, push: ClaimedPush, verdict: DeliveryVerdict) -> None:
        match verdict.outcome:
            case PushOutcome.DELIVERED:
                await self._store.note_delivered(push)
            case PushOutcome.GONE:
                await self._store.drop_subscription(push)
            case PushOutcome.LATER:
                due = self._clock() + int(1000 * verdict.wait)
                await self._store.note_later(push, due, device=verdict.device)
            case _:
                await self._store.drop_push(push)
