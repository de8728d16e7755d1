"""Every command takes from a budget of its user; one kind of command does not use up the budget of another."""

from __future__ import annotations

from typing import Any, get_args
from uuid import uuid4

import anyio
import pytest

from chat.wire import commands
from gateway.handlers.table import BUDGETS, HANDLERS
from tests.support.backends import virtual_time
from tests.support.world import Client, World, world

pytestmark = pytest.mark.anyio

BURST = 3
SLOW = {
    **dict.fromkeys(("sends_per_second", "changes_per_second", "queries_per_second", "signals_per_second"), 0.5),
    **dict.fromkeys(("send_burst", "change_burst", "query_burst", "signal_burst"), BURST),
}
UNUSED = "00000000-0000-4000-8000-000000000000"

COMMANDS: dict[str, dict[str, Any]] = {
    "delete": {"room": "ROOM", "seq": 1},
    "react": {"room": "ROOM", "seq": 1, "emoji": "👍"},
    "pin": {"room": "ROOM", "seq": 1},
    "unpin": {"room": "ROOM", "seq": 1},
    "subscribe": {"room": "ROOM"},
    "unsubscribe": {"room": "ROOM"},
    "sync": {"with": UNUSED, "since": 0},
    "follow": {"rooms": [UNUSED]},
    "presence": {"users": [UNUSED]},
    "read": {"room": "ROOM", "seq": 1},
    "typing": {"room": "ROOM"},
    "status": {"state": "away"},
    "refresh": {"token": "not a token"},
    "edit": {"room": "ROOM", "seq": 1, "text": "new"},
    "send": {"room": "ROOM", "text": "x", "client_id": UNUSED},
    "dm": {"to": UNUSED, "text": "x", "client_id": UNUSED},
}


async def begin(here: World) -> tuple[Client, str]:
    """A user with a room in which one message was sent."""
    ada = await here.user("ada")
    room = await here.room(ada)
    client = await here.login(ada)
    await client.ask("send", room=room, text="hello", client_id=str(uuid4()))
    return client, room


def fields_of(name: str, room: str) -> dict[str, Any]:
    return {key: room if value == "ROOM" else value for key, value in COMMANDS[name].items()}


def test_every_command_has_a_budget_and_a_handler() -> None:
    kinds = set(get_args(commands.AnyCommand))
    assert BUDGETS.keys() == kinds
    assert all(HANDLERS[kind] for kind in kinds)
    assert {kind.__struct_config__.tag for kind in kinds} == {*COMMANDS, "auth"}


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_over_its_budget_is_refused_with_a_wait(name: str) -> None:
    async with world(limits=SLOW) as here:
        client, room = await begin(here)
        answers = [await client.ask(name, **fields_of(name, room)) for _ in range(BURST + 1)]
        refused = answers[-1]
        assert (refused["type"], refused["code"]) == ("error", "rate_limited")
        assert 0 < refused["retry_after_ms"] <= 2001
        assert answers[0].get("code") != "rate_limited"


async def test_each_kind_has_a_budget_of_its_own() -> None:
    async with world(limits=SLOW) as here:
        client, room = await begin(here)
        for name in ("react", "subscribe", "typing"):
            answers = [await client.ask(name, **fields_of(name, room)) for _ in range(BURST + 1)]
            assert [answer.get("code") == "rate_limited" for answer in answers] == [*[False] * BURST, True]
        assert (await client.ask("send", room=room, text="x", client_id=str(uuid4())))["type"] == "ok"


async def test_all_sessions_of_a_user_share_a_budget_and_other_users_have_their_own() -> None:
    async with world(limits=SLOW) as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada, bob)
        one, other, bobs = await here.login(ada), await here.login(ada), await here.login(bob)
        for _ in range(BURST):
            assert (await one.ask("subscribe", room=room))["type"] == "ok"
        assert (await other.ask("subscribe", room=room))["code"] == "rate_limited"
        assert (await bobs.ask("subscribe", room=room))["type"] == "ok"


@virtual_time
async def test_a_client_that_goes_on_in_spite_of_the_errors_is_closed() -> None:
    async with world(limits=SLOW) as here:
        client, room = await begin(here)
        for _ in range(2 * BURST + 1):
            client.post("delete", **fields_of("delete", room))
        assert (await client.ended())[0] == 4029


@virtual_time
async def test_a_client_that_waits_as_told_may_continue() -> None:
    async with world(limits=SLOW) as here:
        client, room = await begin(here)
        for _ in range(BURST):
            await client.ask("typing", room=room)
        for _ in range(3 * BURST):
            refused = await client.ask("typing", room=room)
            await anyio.sleep(refused["retry_after_ms"] / 1000)
            assert (await client.ask("typing", room=room))["type"] == "ok"


@virtual_time
async def test_a_list_of_users_to_watch_costs_by_its_length() -> None:
    async with world(limits={**SLOW, "query_burst": 11, "queries_per_second": 1.0}) as here:
        client, _ = await begin(here)
        users = [str(uuid4()) for _ in range(1000)]
        assert (await client.ask("presence", users=users))["type"] == "ok"
        assert (await client.ask("presence", users=users[:1]))["code"] == "rate_limited"
        await anyio.sleep(11)
        for _ in range(11):
            assert (await client.ask("presence", users=users[:99]))["type"] == "ok"


@virtual_time
async def test_a_bucket_that_is_full_again_is_not_kept() -> None:
    async with world(limits=SLOW, heartbeat_seconds=5.0) as here:
        client, room = await begin(here)
        await client.ask("subscribe", room=room)
        (user,) = here.edge.node.users.users.values()
        assert any(user.buckets)
        await anyio.sleep(20)
        assert not any(user.buckets)


async def test_without_rate_limits_no_command_is_refused() -> None:
    async with world(rate_limits=False, limits=SLOW) as here:
        client, room = await begin(here)
        for _ in range(3 * BURST):
            assert (await client.ask("subscribe", room=room))["type"] == "ok"
