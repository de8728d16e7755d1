"""The moderation service: verdicts, the policy, blocks that end, and what a crash leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from chat.domain.cases import POLICY, CaseAction
from chat.domain.moderation import Block, BlockChange, Strictness, Verdict
from chat.domain.token_families import Rotation
from chat.errors import Invalid, NotFound, Unavailable
from chat.ports.accounts import RefreshGrant
from chat.ports.moderation import MAX_BATCH
from chat.ports.relay import Publication
from chat.wire import blocks as wire
from chat.wire.relay import REVOCATIONS, Revoked, unpack_control, user_channel
from tests.support.builders import ANN, BEN, CAT, DAN, NOW
from tests.support.clocks import virtual_time
from tests.support.faults import first
from tests.support.moderating import Moderated, moderated
from tests.support.patience import patient
from tests.support.rulefiles import content

pytestmark = pytest.mark.anyio
HOUR = 3600


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Moderated]:
    async with moderated(tmp_path) as opened:
        yield opened


async def verdicts(world: Moderated, *texts: str, start: int = 0, **fields: object) -> list[str]:
    contents = [content(text, client_id=f"c{start + number}", **fields) for number, text in enumerate(texts)]
    return [finding.verdict.value for finding in await world.service.check_contents(contents)]


async def test_each_content_has_its_finding(world: Moderated) -> None:
    assert await verdicts(world, "hello", "oddword", "badword", "worstword") == ["allow", "flag", "remove", "block"]
    assert await verdicts(world) == []
    assert await verdicts(world, "coarse", start=10) == ["allow"]
    assert await verdicts(world, "coarse", start=11, sender=BEN, strictness=Strictness.STRICT) == ["remove"]


async def test_too_many_contents_at_once_are_refused(world: Moderated) -> None:
    with pytest.raises(Invalid) as caught:
        await verdicts(world, *["x"] * (MAX_BATCH + 1))
    assert caught.value.field == "contents"
    assert len(await verdicts(world, *["x"] * MAX_BATCH)) == MAX_BATCH


async def test_long_texts_do_not_keep_others_waiting(world: Moderated) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        await verdicts(world, *["b a d " * 1000] * 20)
        tasks.cancel_scope.cancel()
    assert turns >= 20


async def test_removals_lead_to_a_block_and_count_once(world: Moderated) -> None:
    assert await verdicts(world, "badword", "badword") == ["remove", "remove"]
    assert await verdicts(world, "badword", "badword") == ["remove", "remove"]
    assert await verdicts(world, "badword", start=2) == ["block"]
    assert await verdicts(world, "hello", start=3) == ["allow"]
    assert await verdicts(world, "badword", start=3, sender=BEN) == ["remove"]


@pytest.mark.parametrize(("removals", "seconds"), [(3, HOUR), (4, 3 * HOUR), (5, None), (9, None)])
async def test_the_block_of_the_policy_lasts_as_its_step_says(
    world: Moderated, removals: int, seconds: int | None
) -> None:
    await verdicts(world, *["badword"] * removals)
    block = await world.service.block_user(ANN, by=POLICY, reason="enough", seconds=7)
    until = None if seconds is None else block.since + seconds * 1000
    assert block == Block(user=ANN, by=POLICY, reason="enough", since=block.since, until=until)
    assert await world.service.list_blocks("", 10) == [block]


async def test_a_rule_that_blocks_does_so_for_its_own_time(world: Moderated) -> None:
    assert await verdicts(world, "worstword") == ["block"]
    block = await world.service.block_user(ANN, by=POLICY, reason="", seconds=None)
    assert block.until == block.since + 2 * HOUR * 1000


async def test_the_policy_never_shortens_a_block(world: Moderated) -> None:
    by_hand = await world.service.block_user(ANN, by=DAN, reason="by hand", seconds=None)
    await verdicts(world, *["badword"] * 3)
    assert await world.service.block_user(ANN, by=POLICY, reason="enough", seconds=None) == by_hand
    assert await world.service.list_blocks("", 10) == [by_hand]
    replaced = await world.service.block_user(ANN, by=DAN, reason="milder", seconds=5)
    assert await world.service.list_blocks("", 10) == [replaced]


async def test_forgiven_removals_do_not_count(world: Moderated) -> None:
    await verdicts(world, "badword", "badword")
    await world.stores.cases.forgive_removals(ANN, "c0")
    assert await verdicts(world, "badword", start=2) == ["remove"]


async def test_old_removals_do_not_count(world: Moderated) -> None:
    await verdicts(world, "badword", "badword", ts=NOW - 25 * HOUR * 1000)
    assert await verdicts(world, "badword", start=2) == ["remove"]


async def test_a_block_is_durable_marked_and_told(world: Moderated) -> None:
    grant = RefreshGrant(digest=b"1" * 32, family="f", user=ANN, expires=NOW + 10**9)
    await world.stores.accounts.add_grant(grant)
    block = await world.service.block_user(ANN, by=DAN, reason="spam", seconds=60)
    assert await world.is_blocked(ANN)
    assert await world.stores.cases.get_block(ANN) == block
    rotation, _ = await world.stores.accounts.rotate_grant(grant.digest, b"2" * 32, NOW + 10**9, NOW)
    assert rotation is Rotation.UNKNOWN
    ((channel, payload, _), (everyone, copy, _), (told, change, _)) = world.relay.published[-1]
    assert (everyone, copy) == (REVOCATIONS, payload)
    assert channel == user_channel(ANN)
    assert unpack_control(payload) == Revoked(user=ANN, family=None, code=4003, reason="spam")
    assert (told, wire.decode_block_change(change)) == (wire.CHANNEL, BlockChange(user=ANN, block=block))
    (entry,) = await world.stores.cases.list_audit_entries(None, 10)
    assert (entry.action, entry.by, entry.user, entry.until) == (CaseAction.BLOCK, DAN, ANN, block.until)


async def test_an_unblocked_user_is_let_in(world: Moderated) -> None:
    await world.service.block_user(ANN, by=DAN, reason="", seconds=None)
    assert await world.service.unblock_user(ANN, by=BEN, reason="sorry")
    assert not await world.is_blocked(ANN)
    assert not await world.service.unblock_user(ANN, by=BEN)
    assert await world.service.list_blocks("", 10) == []
    assert [(each.action, each.by) for each in await world.stores.cases.list_audit_entries(None, 10)] in (
        [(CaseAction.UNBLOCK, BEN), (CaseAction.BLOCK, DAN)],
        [(CaseAction.BLOCK, DAN), (CaseAction.UNBLOCK, BEN)],  # in one millisecond
    )


async def test_bad_blocks_are_refused(world: Moderated) -> None:
    with pytest.raises(NotFound):
        await world.service.block_user("nobody", by=DAN, reason="", seconds=1)
    with pytest.raises(Invalid, match="a second"):
        await world.service.block_user(ANN, by=DAN, reason="", seconds=0)
    with pytest.raises(Invalid, match="500"):
        await world.service.block_user(ANN, by=DAN, reason="x" * 501, seconds=1)
    for limit in (0, 1001):
        with pytest.raises(Invalid):
            await world.service.list_blocks("", limit)
    assert not await world.is_blocked(ANN)


async def test_blocks_are_listed_in_pages(world: Moderated) -> None:
    for user in (CAT, ANN, BEN):
        await world.service.block_user(user, by=DAN, reason="", seconds=None)
    assert [block.user for block in await world.service.list_blocks("", 2)] == [ANN, BEN]
    assert [block.user for block in await world.service.list_blocks(BEN, 2)] == [CAT]


async def test_changes_are_watched(world: Moderated) -> None:
    async with world.service.watch_blocks() as changes:
        block = await world.service.block_user(ANN, by=DAN, reason="", seconds=None)
        await world.service.unblock_user(ANN, by=DAN)
        with anyio.fail_after(patient(5)):
            assert await anext(changes) == BlockChange(user=ANN, block=block)
            assert await anext(changes) == BlockChange(user=ANN, block=None)


async def test_a_change_of_a_newer_version_is_passed_over(world: Moderated) -> None:
    async with world.service.watch_blocks() as changes:
        await world.relay.publish([Publication(wire.CHANNEL, b"{}")])
        block = await world.service.block_user(ANN, by=DAN, reason="", seconds=None)
        with anyio.fail_after(patient(5)):
            assert await anext(changes) == BlockChange(user=ANN, block=block)


async def test_who_watches_too_slowly_is_told_that_changes_are_missing(world: Moderated) -> None:
    async with world.service.watch_blocks() as changes:
        for _ in range(20):
            await world.relay.publish([Publication(wire.CHANNEL, b"x" * (1 << 20))])
        with anyio.fail_after(patient(5)), pytest.raises(Unavailable, match="missed"):
            await anext(changes)


@virtual_time
async def test_a_block_that_could_not_be_told_is_told_when_it_is_asked_for_again(world: Moderated) -> None:
    world.relay.before_publish = first(Unavailable("away"), 1000)
    with pytest.raises(Unavailable):
        await world.service.block_user(ANN, by=DAN, reason="", seconds=None)
    assert await world.is_blocked(ANN)
    world.relay.before_publish = first(Unavailable("away"))
    await world.service.block_user(ANN, by=DAN, reason="", seconds=None)
    assert len(world.relay.published) == 1


@virtual_time
async def test_a_timed_block_ends_by_itself(world: Moderated) -> None:
    async with anyio.create_task_group() as tasks, world.service.watch_blocks() as changes:
        await tasks.start(world.service.run)
        await world.service.block_user(ANN, by=DAN, reason="", seconds=90)
        await world.service.block_user(BEN, by=DAN, reason="", seconds=None)
        await anyio.sleep(89.9)
        assert await world.is_blocked(ANN)
        await anyio.sleep(0.2)
        assert not await world.is_blocked(ANN)
        assert await world.is_blocked(BEN)
        told = [await anext(changes) for _ in range(3)]
        assert told[-1] == BlockChange(user=ANN, block=None)
        assert (await world.stores.cases.list_audit_entries(None, 1))[0].by == POLICY
        tasks.cancel_scope.cancel()


@virtual_time
async def test_a_short_block_does_not_wait_for_the_next_look(world: Moderated) -> None:
    async with anyio.create_task_group() as tasks:
        await tasks.start(world.service.run)
        await anyio.sleep(1)
        await world.service.block_user(ANN, by=DAN, reason="", seconds=2)
        await anyio.sleep(2.1)
        assert not await world.is_blocked(ANN)
        tasks.cancel_scope.cancel()


@virtual_time
async def test_what_is_due_ends_after_a_restart_and_what_a_crash_left_is_mended(world: Moderated) -> None:
    await world.service.block_user(ANN, by=DAN, reason="", seconds=10)
    await world.service.block_user(BEN, by=DAN, reason="", seconds=None)
    await world.stores.accounts.set_blocked(BEN, blocked=False)  # as if the process had ended in between
    await anyio.sleep(60)
    assert await world.service.list_blocks("", 10) == [await world.stores.cases.get_block(BEN)]
    async with anyio.create_task_group() as tasks:
        await tasks.start(world.new_service().run)
        await anyio.sleep(0.1)
        assert (await world.is_blocked(ANN), await world.is_blocked(BEN)) == (False, True)
        tasks.cancel_scope.cancel()


@virtual_time
async def test_a_block_that_was_made_longer_stays(world: Moderated) -> None:
    async with anyio.create_task_group() as tasks:
        await tasks.start(world.service.run)
        await world.service.block_user(ANN, by=DAN, reason="", seconds=10)
        await world.service.block_user(ANN, by=DAN, reason="", seconds=100)
        await anyio.sleep(50)
        assert await world.is_blocked(ANN)
        tasks.cancel_scope.cancel()


@virtual_time
async def test_ending_blocks_waits_for_a_relay_that_is_away(world: Moderated) -> None:
    async with anyio.create_task_group() as tasks:
        await tasks.start(world.service.run)
        await world.service.block_user(ANN, by=DAN, reason="", seconds=10)
        world.relay.before_publish = first(Unavailable("away"), times=2)
        await anyio.sleep(60)
        assert not await world.is_blocked(ANN)
        tasks.cancel_scope.cancel()


async def test_an_edit_that_is_removed_counts_for_itself(world: Moderated) -> None:
    contents = [content("badword", revision=revision) for revision in (0, 1)]
    assert {finding.verdict for finding in await world.service.check_contents(contents)} == {Verdict.REMOVE}
    assert await verdicts(world, "badword", start=9) == ["block"]
