"""The sessions of a user: the token bucket that they share, and which of them are present here."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.budgets import Allowance, Budget
from gateway.token_bucket import TokenBucket
from gateway.user_sessions import SessionsByUser
from tests.support.backends import virtual_time
from tests.support.world import Client, World, sessions_of, world

rates = st.sampled_from([0.5, 1.0, 3.0, 20.0])
bursts = st.integers(1, 100)
pauses = st.lists(st.floats(0.0, 3.0, allow_nan=False) | st.just(0.0), min_size=1, max_size=150)
EPSILON = 1e-6
ALLOWANCES = (Allowance(1.0, 3, "messages"),) * 4


@given(rates, bursts, pauses)
def test_in_any_window_no_more_than_the_burst_and_what_the_time_gives(
    rate: float, burst: int, pauses: list[float]
) -> None:
    bucket, now = TokenBucket(burst, 0.0), 0.0
    taken: list[float] = []
    for pause in pauses:
        now += pause
        if bucket.take_token(rate, burst, now) == 0:
            taken.append(now)
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + rate * (taken[last] - start) + EPSILON


@given(rates, bursts, pauses)
@example(20.0, 2, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0])  # rounding left 0.9999… of a token
def test_a_refusal_names_the_wait_and_costs_nothing(rate: float, burst: int, pauses: list[float]) -> None:
    bucket, patient, now = TokenBucket(burst, 0.0), TokenBucket(burst, 0.0), 0.0
    for pause in pauses:
        now += pause
        wait = bucket.take_token(rate, burst, now)
        if wait == 0:
            assert patient.take_token(rate, burst, now) == 0
            continue
        # However often one asks in between, it neither takes longer nor goes faster than was said.
        assert 0 < wait <= 1000 / rate + 1
        for part in (0.0, 0.3, 0.9):
            between = bucket.take_token(rate, burst, now + part * (wait - 1.001) / 1000)
            assert 0 < between <= wait
        now += wait / 1000
        assert bucket.take_token(rate, burst, now) == 0
        assert patient.take_token(rate, burst, now) == 0


@given(rates, bursts, pauses)
def test_it_is_full_when_the_whole_burst_can_be_taken(rate: float, burst: int, pauses: list[float]) -> None:
    bucket, now = TokenBucket(burst, 0.0), 0.0
    assert bucket.is_full(rate, burst, now)
    for pause in pauses:
        now += pause
        bucket.take_token(rate, burst, now)
    while not bucket.is_full(rate, burst, now):
        now += 1.0
    assert [bucket.take_token(rate, burst, now) for _ in range(burst)] == [0] * burst


def test_a_clock_that_is_a_tick_behind_gives_nothing() -> None:
    bucket = TokenBucket(1, 10.0)
    assert bucket.take_token(1.0, 1, 10.0) == 0
    assert bucket.take_token(1.0, 1, 9.0) > 0
    assert bucket.take_token(1.0, 1, 10.5) > 0
    assert bucket.take_token(1.0, 1, 11.0) == 0


def test_without_a_rate_there_is_the_burst_and_no_more() -> None:
    bucket = TokenBucket(2, 0.0)
    assert [bucket.take_token(0.0, 2, float(now)) for now in range(3)] == [0, 0, 60_000]


def test_strikes_end_when_the_bucket_is_half_full_again() -> None:
    bucket, now = TokenBucket(10, 0.0), 0.0
    for _ in range(10):
        bucket.take_token(1.0, 10, now)
    for strikes in (1, 2, 3):
        assert bucket.note_refusal(bucket.take_token(1.0, 10, now), now) == strikes
    now += 2.0
    assert bucket.take_token(1.0, 10, now) == 0
    assert bucket.strikes == 3
    now += 5.0
    assert bucket.take_token(1.0, 10, now) == 0
    assert bucket.strikes == 0


def test_a_client_that_waits_as_told_strikes_once() -> None:
    bucket, now = TokenBucket(1, 0.0), 0.0
    assert bucket.take_token(1.0, 1, now) == 0
    for _ in range(5):
        wait = bucket.take_token(1.0, 1, now)
        assert bucket.note_refusal(wait, now) == 1
        now += wait / 1000
        # Another of the same user was faster; who waited is refused, and to be blamed for nothing.
        assert bucket.take_token(1.0, 1, now) == 0
    wait = bucket.take_token(1.0, 1, now)
    bucket.note_refusal(wait, now)
    assert bucket.note_refusal(wait, now + wait / 1000 - 0.001) == 2


class Seat:
    """A session, as far as its user is concerned."""

    def __init__(self, user: str) -> None:
        self.user = user


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 2))))
def test_a_user_is_here_while_a_session_is(script: list[tuple[bool, int, int]]) -> None:
    users = SessionsByUser(ALLOWANCES)
    seats: dict[tuple[int, int], Any] = {(who, which): Seat(str(who)) for who in range(3) for which in range(3)}
    inside: dict[int, set[int]] = {}
    for enters, who, which in script:
        sessions = inside.setdefault(who, set())
        seat = seats[who, which]
        if not enters:
            was_last = sessions == {which}
            sessions.discard(which)
            assert users.remove_session(seat, 0.0) == was_last
        elif which not in sessions:
            sessions.add(which)
            user = users.add_session(seat)
            assert user is users.users[str(who)]
    assert {int(user) for user in users.users} == {who for who, sessions in inside.items() if sessions}
    for who, sessions in inside.items():
        assert {seats[who, which] for which in sessions} == set(users.sessions_of(str(who)))


def test_leaving_does_not_fill_the_bucket() -> None:
    users = SessionsByUser(ALLOWANCES)
    session: Any = Seat("ada")
    bucket = users.add_session(session).open_bucket(Budget.MESSAGES, 3.0, 0.0)
    assert [bucket.take_token(1.0, 3, 0.0) for _ in range(3)] == [0, 0, 0]
    bucket.strikes = 2
    assert users.remove_session(session, 0.0)
    again = users.add_session(session).open_bucket(Budget.MESSAGES, 3.0, 1.0)
    assert again is bucket
    assert (again.take_token(1.0, 3, 1.0), again.strikes) == (0, 2)
    assert again.take_token(1.0, 3, 1.0) > 0
    # Long enough away, and there is nothing to remember.
    users.remove_session(session, 1.0)
    users.add_session(session)
    users.remove_session(session, 100.0)
    assert users.add_session(session).buckets == (None,) * 4


def test_of_too_many_who_left_the_first_are_forgotten() -> None:
    users = SessionsByUser(ALLOWANCES)
    seats: list[Any] = [Seat(str(number)) for number in range(10_001)]
    buckets = []
    for seat in seats:
        buckets.append(users.add_session(seat).open_bucket(Budget.MESSAGES, 3.0, 0.0))
        buckets[-1].take_token(1.0, 3, 0.0)
        users.remove_session(seat, 0.0)
    assert users.add_session(seats[1]).buckets[0] is buckets[1]
    assert users.add_session(seats[0]).buckets == (None,) * 4
    assert not users.sessions_of("nobody")


async def say(client: Client, room: str) -> dict[str, Any]:
    return await client.ask("send", room=room, text="x", client_id=str(uuid4()))


async def flooded(here: World) -> tuple[Client, str]:
    """A client that has used up its burst, and is one second's tokens short."""
    ada = await here.user("ada")
    room = await here.room(ada)
    client = await here.login(ada)
    for _ in range(3):
        assert (await say(client, room))["type"] == "ok"
    return client, room


@pytest.mark.anyio
@virtual_time
async def test_a_client_that_waits_as_told_may_continue() -> None:
    async with world(limits={"sends_per_second": 1.0, "send_burst": 3}) as here:
        client, room = await flooded(here)
        for _ in range(10):  # more often than the burst: it is patience that counts
            refused = await say(client, room)
            assert refused["code"] == "rate_limited"
            await anyio.sleep(refused["retry_after_ms"] / 1000)
            assert (await say(client, room))["type"] == "ok"
        for _ in range(3):
            assert (await say(client, room))["code"] == "rate_limited"
        client.post("send", room=room, text="x", client_id=str(uuid4()))
        assert (await client.ended())[0] == 4029


@pytest.mark.anyio
async def test_all_sessions_of_a_user_share_the_bucket() -> None:
    async with world(limits={"sends_per_second": 0.1, "send_burst": 3}) as here:
        client, room = await flooded(here)
        (session,) = sessions_of(here.edge)
        user = await here.accounts.get_user(session.user)
        assert user is not None
        other = await here.login(user)
        assert (await say(other, room))["code"] == "rate_limited"
        client.sock.close()
        other.sock.close()
        again = await here.login(user)
        assert (await say(again, room))["code"] == "rate_limited"


@pytest.mark.anyio
async def test_without_rate_limits_no_message_is_refused() -> None:
    async with world(rate_limits=False, limits={"sends_per_second": 0.1, "send_burst": 1}) as here:
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        for _ in range(5):
            assert (await say(client, room))["type"] == "ok"
