"""What the edge remembers of rights: for how long, and what makes it ask again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

import anyio
import pytest

from chat.domain.models import Role, User
from chat.errors import Forbidden, NotFound
from chat.ports.authority import RoomAccess
from gateway.access import AccessCache
from gateway.wheel import Wheel
from tests.support.stepping import until
from tests.support.world import sessions_of, world

pytestmark = pytest.mark.anyio
ADA, BOB, ROOM = "ada", "bob", "room"


class Engine:
    """Authority and accounts in one: what they say, how often they were asked, and how long they take."""

    def __init__(self) -> None:
        self.roles: dict[tuple[str, str], Role] = {}
        self.users: dict[str, User] = {}
        self.blockers: set[tuple[str, str]] = set()
        self.asked = 0
        self.gate: anyio.Event | None = None
        self.arrived = anyio.Event()

    async def room_access(self, pairs: Sequence[tuple[str, str]]) -> Sequence[RoomAccess]:
        found = [
            RoomAccess(user=user, room=room, role=self.roles.get((room, user)), actions=frozenset())
            for user, room in pairs
        ]
        await self._wait()
        return found

    async def get_user(self, user: str) -> User | None:
        found = self.users.get(user)
        await self._wait()
        return found

    async def find_blockers(self, other: str, users: Collection[str]) -> set[str]:
        return {user for user in users if (user, other) in self.blockers}

    async def _wait(self) -> None:
        self.asked += 1
        self.arrived.set()
        await anyio.lowlevel.checkpoint()
        if self.gate is not None:
            await self.gate.wait()


def access(seconds: float = 60.0) -> tuple[AccessCache, Any, Wheel]:
    """An access whose user Ada has a session."""
    engine: Any = Engine()
    wheel = Wheel()
    made = AccessCache(engine, engine, wheel, seconds)
    made.enter_user(ADA)
    return made, engine, wheel


async def test_a_role_is_asked_for_once_until_it_is_old() -> None:
    made, engine, wheel = access(seconds=60.0)
    engine.roles[ROOM, ADA] = Role.MEMBER
    assert made.known_role(ADA, ROOM) is None
    for _ in range(3):
        assert await made.get_role(ADA, ROOM) is Role.MEMBER
    assert made.known_role(ADA, ROOM) is Role.MEMBER
    wheel.now = 60.0
    assert made.known_role(ADA, ROOM) is Role.MEMBER
    wheel.now = 60.1
    assert made.known_role(ADA, ROOM) is None
    engine.roles[ROOM, ADA] = Role.READER
    assert await made.get_role(ADA, ROOM) is Role.READER
    assert engine.asked == 2


async def test_the_role_of_a_stranger_is_asked_for_each_time() -> None:
    made, engine, _ = access()
    assert await made.get_role(ADA, ROOM) is None
    engine.roles[ROOM, ADA] = Role.MEMBER
    assert await made.get_role(ADA, ROOM) is Role.MEMBER


async def test_a_change_is_seen_at_once_and_costs_no_other_room() -> None:
    made, engine, _ = access()
    for room in (ROOM, "other"):
        engine.roles[room, ADA] = Role.MEMBER
        await made.get_role(ADA, room)
    del engine.roles[ROOM, ADA]
    made.forget_role(ADA, ROOM)
    assert made.known_role(ADA, "other") is Role.MEMBER
    assert await made.get_role(ADA, ROOM) is None
    made.forget_role(BOB, ROOM)  # nobody here


async def take_role_during(ask: Callable[[], Coroutine[Any, Any, None]], made: AccessCache, engine: Engine) -> None:
    """Ada's role in the room ends while the question is under way."""
    engine.gate = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await engine.arrived.wait()
        del engine.roles[ROOM, ADA]
        made.forget_role(ADA, ROOM)
        engine.gate.set()


async def test_a_change_during_the_question_is_not_missed() -> None:
    made, engine, _ = access()
    engine.roles[ROOM, ADA] = Role.MEMBER
    found: list[Role | None] = []

    async def ask() -> None:
        found.append(await made.get_role(ADA, ROOM))

    await take_role_during(ask, made, engine)
    assert found == [None]
    assert made.known_role(ADA, ROOM) is None
    assert engine.asked == 2


async def test_a_change_during_a_question_about_many_asks_again_about_those_it_concerns() -> None:
    made, engine, _ = access()
    made.enter_user(BOB)
    engine.roles[ROOM, ADA] = engine.roles[ROOM, BOB] = engine.roles["other", BOB] = Role.MEMBER
    found: dict[tuple[str, str], Role | None] = {}

    async def ask() -> None:
        found.update(await made.get_roles([(ADA, ROOM), (BOB, ROOM), (BOB, "other")]))

    await take_role_during(ask, made, engine)
    assert found == {(ADA, ROOM): None, (BOB, ROOM): Role.MEMBER, (BOB, "other"): Role.MEMBER}
    assert made.known_role(ADA, ROOM) is None
    assert made.known_role(BOB, "other") is Role.MEMBER
    assert engine.asked == 2
    await made.get_roles([(BOB, ROOM), (BOB, "other")])
    assert engine.asked == 2


async def test_a_change_of_another_user_does_not_disturb_the_question() -> None:
    made, engine, _ = access()
    made.enter_user(BOB)
    engine.roles[ROOM, ADA] = Role.MEMBER
    engine.gate = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(made.get_role, ADA, ROOM)
        await engine.arrived.wait()
        made.forget_role(BOB, ROOM)
        engine.gate.set()
    assert engine.asked == 1


async def test_nothing_is_kept_of_a_user_without_a_session() -> None:
    made, engine, _ = access()
    engine.roles[ROOM, ADA] = engine.roles[ROOM, BOB] = Role.MEMBER
    await made.get_role(ADA, ROOM)
    made.leave_user(ADA)
    assert made.known_role(ADA, ROOM) is None
    made.enter_user(ADA)
    assert made.known_role(ADA, ROOM) is None
    assert await made.get_role(BOB, ROOM) is Role.MEMBER
    assert made.known_role(BOB, ROOM) is None
    made.leave_user(BOB)


async def test_the_last_session_leaves_while_a_question_is_under_way() -> None:
    made, engine, _ = access()
    engine.roles[ROOM, ADA] = Role.MEMBER
    engine.gate = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(made.get_role, ADA, ROOM)
        await engine.arrived.wait()
        made.leave_user(ADA)
        engine.gate.set()
    assert made.known_role(ADA, ROOM) is None
    assert not made._roles


async def test_of_too_many_rooms_the_oldest_go() -> None:
    made, engine, _ = access()
    for number in range(1001):
        engine.roles[f"{number}", ADA] = Role.MEMBER
        await made.get_role(ADA, f"{number}")
    assert made.known_role(ADA, "0") is None
    assert made.known_role(ADA, "1") is Role.MEMBER
    assert len(made._roles[ADA]) == 1000


async def test_users() -> None:
    made, engine, wheel = access(seconds=60.0)
    assert await made.get_user(BOB) is None
    bob = engine.users[BOB] = User(id=BOB, name="bob")
    assert await made.get_user(BOB) == bob
    assert await made.get_user(BOB) == bob
    assert engine.asked == 2
    wheel.now = 61.0
    assert await made.get_user(BOB) == bob
    assert engine.asked == 3


async def test_recipients_are_known_for_a_time_unless_they_block_the_sender() -> None:
    made, engine, wheel = access(seconds=60.0)
    with pytest.raises(NotFound):
        await made.check_recipient(ADA, BOB)
    assert not made.knows_recipient(ADA, BOB)
    engine.users[BOB] = User(id=BOB, name="bob")
    await made.check_recipient(ADA, BOB)
    assert made.knows_recipient(ADA, BOB)
    assert not made.knows_recipient("cid", BOB)
    engine.blockers.add((BOB, ADA))
    wheel.now = 61.0
    assert not made.knows_recipient(ADA, BOB)
    with pytest.raises(Forbidden, match="takes no messages from you"):
        await made.check_recipient(ADA, BOB)
    await made.check_recipient("cid", BOB)
    made.forget_user(BOB)
    made.forget_user(BOB)
    assert not made.knows_recipient("cid", BOB)


async def test_what_changed_while_the_user_was_away_is_not_remembered_wrongly() -> None:
    """Nobody here listens to the channel of one who has no session: a ban in between must count all the same."""
    async with world() as here:
        ada, bob = await here.user("ada"), await here.user("bob")
        room = await here.room(ada, bob)
        client = await here.login(bob)
        assert (await client.ask("typing", room=room))["type"] == "ok"
        client.sock.close()
        await until(lambda: not sessions_of(here.edge))
        await here.remove(room, bob)
        client = await here.login(bob)
        assert (await client.ask("subscribe", room=room))["code"] == "forbidden"
        fields = {"room": room, "text": "x", "client_id": "0c8f9d2e-1b1f-4f5b-9c52-1f7f6dbd6a01"}
        assert (await client.ask("send", **fields))["code"] == "forbidden"


@pytest.mark.parametrize("rooms", [1, 4, 5, 30])
async def test_roles_of_few_rooms_and_of_many_are_kept_alike(rooms: int) -> None:
    made, engine, wheel = access(seconds=60.0)
    names = [f"room {number}" for number in range(rooms)]
    for pause in (0, 61):  # the second time, what is known has become too old
        wheel.now += pause
        for name in names:
            assert made.known_role(ADA, name) is None
            engine.roles[name, ADA] = Role.MEMBER if pause == 0 else Role.OWNER
            await made.get_role(ADA, name)
    assert [made.known_role(ADA, name) for name in names] == [Role.OWNER] * rooms
    made.forget_role(ADA, names[0])
    assert [made.known_role(ADA, name) for name in names] == [None] + [Role.OWNER] * (rooms - 1)


class SlowBlocks(Engine):
    """What it answers about blocks is as old as the question."""

    async def find_blockers(self, other: str, users: Collection[str]) -> set[str]:
        found = await super().find_blockers(other, users)
        await self._wait()
        return found


async def test_a_first_block_that_comes_while_blocks_are_read_is_not_missed() -> None:
    engine: Any = SlowBlocks()
    made = AccessCache(engine, engine, Wheel(), 60.0)
    made.enter_user(ADA)
    engine.users[BOB] = User(id=BOB, name="bob")
    await made.get_user(BOB)
    engine.gate, engine.arrived = anyio.Event(), anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(made.get_blocks, ADA, BOB)
        await engine.arrived.wait()
        engine.blockers.add((BOB, ADA))
        made.forget_blocks(BOB, ADA)
        engine.gate.set()
    assert not made.knows_recipient(ADA, BOB)
    with pytest.raises(Forbidden):
        await made.check_recipient(ADA, BOB)
