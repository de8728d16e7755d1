"""What every binding promises, alone and against the other, over real sockets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from anyio.abc import TaskStatus
from anyio.lowlevel import checkpoint
from opentelemetry import context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chat.adapters.rpc.status import Code
from chat.domain.models import Role
from chat.domain.moderation import Block, BlockChange, Content, Finding, Strictness, Verdict
from chat.errors import (
    Blocked,
    Conflict,
    Invalid,
    NotFound,
    Overloaded,
    RateLimited,
    RookeryError,
    TooLong,
    Unauthorized,
    Unavailable,
)
from chat.ports.authority import Revocation, RoomAccess
from chat.settings import Binding, RpcSettings
from tests.support.patience import patient
from tests.support.rpc import (
    A_MEMBER,
    A_MESSAGE,
    A_ROOM,
    ADA,
    BOB,
    INFO,
    OTHER,
    ROOM,
    WITHDRAWN,
    Clients,
    Served,
    connected,
    serving,
    until,
)

pytestmark = pytest.mark.anyio
MEASURED = True  # what it tests differs with the event loop

BUSY_SECONDS = 1.5
CALLS_OVER_THE_BUDGET = 20
CHECK_TOKEN = "/rookery.auth.v1.AuthService/CheckToken"


def content(text: str, **changes: Any) -> Content:
    fields: dict[str, Any] = {"conversation": f"room:{ROOM}", "sender": ADA, "client_id": OTHER, "text": text, "ts": 5}
    return Content(**{**fields, **changes})


async def test_a_token_is_checked(clients: Clients) -> None:
    assert await clients.authority.check_token("good") == INFO


async def test_of_many_tokens_each_has_its_own_answer(clients: Clients) -> None:
    found = await clients.authority.check_tokens(["good", "ended", "blocked", "good", "down"])
    assert [found[0], found[3]] == [INFO, INFO]
    assert [type(each) for each in (found[1], found[2], found[4])] == [Unauthorized, Blocked, Unavailable]


async def test_access_comes_in_the_order_of_the_question(clients: Clients) -> None:
    inside = RoomAccess(user=ADA, room=ROOM, role=Role.MEMBER, actions=frozenset({"send", "read"}))
    outside = RoomAccess(user=BOB, room=OTHER, role=None, actions=frozenset())
    assert await clients.authority.room_access([(BOB, OTHER), (ADA, ROOM)]) == [outside, inside]
    assert await clients.authority.room_access([(ADA, ROOM)]) == [inside]
    assert await clients.authority.room_access([]) == []


async def test_rooms_and_messages_are_read(clients: Clients) -> None:
    there = clients.conversations
    assert await there.get_rooms([OTHER, ROOM]) == [A_ROOM]
    assert await there.get_roles([(BOB, ROOM), (ADA, ROOM)]) == [None, Role.OWNER]
    assert await there.list_members(ROOM, "", 10) == [A_MEMBER]
    assert await there.get_messages([(f"room:{ROOM}", 1), (f"room:{ROOM}", 2)]) == [A_MESSAGE, WITHDRAWN]
    assert [await there.get_rooms([]), await there.get_roles([]), await there.get_messages([])] == [[], [], []]
    with pytest.raises(NotFound) as raised:
        await there.list_members(OTHER, "", 10)
    assert raised.value.field == "room"


async def test_texts_are_checked_one_by_one_and_in_batches(clients: Clients) -> None:
    removed, allowed = Finding(verdict=Verdict.REMOVE, rule="words", reason="rude"), Finding(verdict=Verdict.ALLOW)
    dm = content("bäd, and bad", conversation=f"dm:{ADA}:{BOB}", revision=3, strictness=Strictness.STRICT)
    assert await clients.moderation.check_contents([dm]) == [removed]
    assert await clients.moderation.check_contents([content("fine"), dm]) == [allowed, removed]
    assert await clients.moderation.check_contents([]) == []


async def test_a_batch_that_is_too_large_for_a_message_goes_in_parts(served: Served, clients: Clients) -> None:
    texts = [content("x" * 16_000) for _ in range(7)]
    assert len(await clients.moderation.check_contents(texts)) == 7
    assert served.moderation.batches == [3, 3, 1]


async def test_blocks_are_made_listed_watched_and_lifted(clients: Clients) -> None:
    there = clients.moderation
    timed = Block(user=ADA, by="moderation", reason="räude", since=1000, until=61_000)
    for_ever = Block(user=BOB, by=ADA, reason="", since=1000, until=None)
    async with there.watch_blocks() as changes:
        assert await there.block_user(ADA, by="moderation", reason="räude", seconds=60) == timed
        assert await there.block_user(BOB, by=ADA, reason="", seconds=None) == for_ever
        assert await there.list_blocks("", 10) == [timed, for_ever]
        assert await there.list_blocks(ADA, 10) == [for_ever]
        assert await there.unblock_user(ADA, by=BOB) is True
        assert await there.unblock_user(ADA, by=BOB) is False
        seen = [await anext(changes) for _ in range(3)]
    assert seen == [
        BlockChange(user=ADA, block=timed),
        BlockChange(user=BOB, block=for_ever),
        BlockChange(user=ADA, block=None),
    ]


async def test_a_watcher_hears_all_from_entering_on(served: Served, clients: Clients) -> None:
    async with clients.authority.watch_revocations() as one, clients.authority.watch_revocations() as other:
        await clients.authority.check_token("revoke")
        for watcher in (one, other):
            assert await anext(watcher) == Revocation(user=ADA, family=OTHER, code=4001, reason="löged out")
            assert await anext(watcher) == Revocation(user=ADA, family=None, code=4003, reason="")
    await until(lambda: not served.authority.revocations.watchers)


@pytest.mark.parametrize(
    ("token", "kind", "code"),
    [
        ("ended", Unauthorized, "unauthorized"),
        ("blocked", Blocked, "blocked"),
        ("unknown", NotFound, "not_found"),
        ("taken", Conflict, "conflict"),
        ("often", RateLimited, "rate_limited"),
        ("full", Overloaded, "overloaded"),
        ("down", Unavailable, "unavailable"),
        ("defect", Unavailable, "unavailable"),
    ],
)
async def test_an_error_arrives_as_what_it_was(
    clients: Clients, token: str, kind: type[RookeryError], code: str
) -> None:
    with pytest.raises(kind) as raised:
        await clients.authority.check_token(token)
    assert type(raised.value) is kind
    assert raised.value.code == code
    assert "inside" not in raised.value.message
    if isinstance(raised.value, RateLimited):
        assert raised.value.retry_after_ms == 1234
    assert await clients.authority.check_token("good") == INFO


async def test_a_field_that_breaks_a_rule_is_named(clients: Clients) -> None:
    wrong: Sequence[tuple[Any, str]] = [
        (clients.authority.check_token(""), "token"),
        (clients.authority.room_access([("ADA", ROOM)]), "user"),
        (clients.authority.room_access([(ADA, ROOM), (ADA, "x")]), "pairs[1].room"),
        (clients.authority.room_access([(ADA, ROOM)] * 1001), "pairs"),
        (clients.conversations.get_rooms(["x"]), "rooms[0]"),
        (clients.conversations.list_members(ROOM, "", 0), "limit"),
        (clients.conversations.get_messages([("room:x", 1)]), "places[0].conversation"),
        (clients.conversations.get_messages([(f"dm:{BOB}:{ADA}", 1)]), "places[0].conversation"),
        (clients.conversations.get_messages([(f"dm:{ADA}:{BOB}", 0)]), "places[0].seq"),
        (clients.moderation.check_contents([content("x", ts=-1)]), "content.sent_ms"),
        (clients.moderation.check_contents([content("x" * 65_537)]), "content.text"),
        (clients.moderation.block_user(ADA, by="", reason="", seconds=1), "by"),
        (clients.moderation.block_user(ADA, by=BOB, reason="", seconds=0), "seconds"),
        (clients.moderation.unblock_user(ADA, by=BOB, reason="x" * 501), "reason"),
        (clients.moderation.list_blocks("x", 10), "after"),
    ]
    for call, field in wrong:
        with pytest.raises(Invalid) as raised:
            await call
        assert raised.value.field == field


async def test_a_call_ends_at_its_deadline_and_the_server_stops_working(
    served: Served, clients: Clients, client_binding: Binding
) -> None:
    options = RpcSettings(binding=client_binding, token="of-the-roles", deadline_seconds=0.2)
    async with connected(served.address, options) as hurried:
        with pytest.raises(Unavailable, match="DEADLINE_EXCEEDED"):
            await hurried.authority.check_token("hang")
        await until(lambda: served.authority.cancelled == 1)
    assert await clients.authority.check_token("good") == INFO
    assert served.authority.hanging == 0


async def test_a_cancelled_call_is_cancelled_at_the_server(served: Served, clients: Clients) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clients.authority.check_token, "hang")
        await until(lambda: served.authority.hanging)
        tasks.cancel_scope.cancel()
    await until(lambda: served.authority.cancelled == 1)
    assert await clients.authority.check_token("good") == INFO


async def test_the_server_knows_the_deadline(served: Served, clients: Clients) -> None:
    with anyio.move_on_after(2):
        await clients.authority.check_token("good")
    assert 0 < served.authority.time_left <= 2.01


async def test_a_trace_goes_on_at_the_server(served: Served, clients: Clients) -> None:
    await clients.authority.check_token("good")
    begun = served.authority.trace
    assert begun == {}
    mine = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "vendor=1"}
    before = context.attach(TraceContextTextMapPropagator().extract(mine))
    try:
        await clients.authority.check_token("good")
    finally:
        context.detach(before)
    assert served.authority.trace == mine


async def test_callers_without_the_token_are_refused(served: Served, client_binding: Binding) -> None:
    async with connected(served.address, RpcSettings(binding=client_binding, token="wrong")) as strangers:
        with pytest.raises(Unauthorized):
            await strangers.authority.check_token("good")
        with pytest.raises(Unauthorized):
            async with strangers.authority.watch_revocations():
                raise AssertionError("entered")
    assert served.authority.calls == 0


async def test_a_thousand_calls_at_once(served: Served, clients: Clients) -> None:
    answers = []

    async def call() -> None:
        answers.append(await clients.authority.check_token("good"))

    async with anyio.create_task_group() as tasks:
        for _ in range(1000):
            tasks.start_soon(call)
    assert answers == [INFO] * 1000
    assert served.statistics.calls == {(CHECK_TOKEN, Code.OK): 1000}
    assert served.statistics.open == 0


async def test_calls_wait_for_a_server_that_is_busy_while_they_connect(served: Served, clients: Clients) -> None:
    answers = []

    async def call() -> None:
        answers.append(await clients.authority.check_token("good"))

    async with anyio.create_task_group() as tasks:
        for _ in range(CALLS_OVER_THE_BUDGET):
            tasks.start_soon(call)
        await checkpoint()
        time.sleep(BUSY_SECONDS)  # noqa: ASYNC251 - the server's event loop stands still, as on a crowded machine
    assert answers == [INFO] * CALLS_OVER_THE_BUDGET


async def test_a_question_over_the_limit_is_not_sent(clients: Clients) -> None:
    with pytest.raises(TooLong):
        await clients.authority.check_token("x" * 200_001)


async def test_a_long_message_passes_in_both_directions(clients: Clients) -> None:
    assert len(await clients.authority.room_access([(ADA, ROOM)] * 1000)) == 1000


async def test_a_stopping_server_answers_what_it_took_and_ends_streams(
    server_binding: Binding, client_binding: Binding
) -> None:
    async with serving(RpcSettings(binding=server_binding)) as served:
        options = RpcSettings(binding=client_binding, deadline_seconds=patient(10))
        async with connected(served.address, options) as clients, clients.authority.watch_revocations() as changes:
            answers = []

            async def call() -> None:
                answers.append(await clients.authority.check_token("wait"))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call)
                await until(lambda: served.authority.hanging)
                served.stop()
                with pytest.raises(Unavailable):
                    await anext(changes)
                with pytest.raises(Unavailable):
                    await clients.authority.check_token("good")
                served.authority.released = True
            assert answers == [INFO]


async def test_a_client_finds_the_server_again(server_binding: Binding, client_binding: Binding) -> None:
    options = RpcSettings(binding=client_binding, deadline_seconds=patient(5))
    async with serving(RpcSettings(binding=server_binding)) as served:
        address = served.address
        async with connected(address, options) as clients:
            assert await clients.authority.check_token("good") == INFO
    async with connected(address, options) as clients:
        with pytest.raises(Unavailable):
            await clients.authority.check_token("good")
        async with serving(RpcSettings(binding=server_binding), address):
            with anyio.fail_after(patient(60)):
                while True:
                    try:
                        assert await clients.authority.check_token("good") == INFO
                        break
                    except Unavailable:
                        await anyio.sleep(0.05)


async def test_closing_a_client_ends_its_watchers(served: Served, client_binding: Binding) -> None:
    ended = []

    async def watch(clients: Clients, *, task_status: TaskStatus[None]) -> None:
        async with clients.authority.watch_revocations() as changes:
            task_status.started()
            with pytest.raises(Unavailable):
                await anext(changes)
            ended.append(changes)

    options = RpcSettings(binding=client_binding, token="of-the-roles")
    async with anyio.create_task_group() as tasks, connected(served.address, options) as clients:
        await tasks.start(watch, clients)
    assert len(ended) == 1
    await until(lambda: not served.authority.revocations.watchers)
