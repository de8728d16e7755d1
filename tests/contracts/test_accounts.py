"""The contract of `chat.ports.accounts.Accounts`."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from chat.domain.ids import new_id, now_ms
from chat.domain.models import InstanceRole, User
from chat.domain.privacy import AddedBy
from chat.domain.token_families import GRACE_MS, Rotation
from chat.errors import Conflict, Forbidden, Invalid, NotFound
from chat.ports.accounts import Accounts, OpenLogIn, RefreshGrant, SigningKey
from tests.support.builders import ANN, BEN, CAT, DAN, NOW, make_user
from tests.support.cancellation import each_suspension
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio
LATER = NOW + 10 * GRACE_MS
FIRST, SECOND, THIRD, FOREIGN = (bytes([number]) * 32 for number in (1, 2, 3, 4))


@pytest.fixture
async def accounts(stores: Stores) -> Accounts:
    """Accounts without any."""
    return stores.accounts


async def test_user_is_found_by_id_and_by_name_without_case(accounts: Accounts) -> None:
    user = User(id=ANN, name="Ann.B", email="ann@example.org", created=NOW, blocked=False)
    await accounts.create_user(user, "hash")
    assert await accounts.get_user(ANN) == user
    assert await accounts.find_by_name("aNN.b") == user
    assert await accounts.get_user(BEN) is None
    assert await accounts.find_by_name("Ann") is None


@pytest.mark.parametrize("name", ["Ann", "ann", "ANN"])
async def test_name_is_taken_without_case(accounts: Accounts, name: str) -> None:
    await accounts.create_user(make_user(ANN, name="aNn"), None)
    with pytest.raises(Conflict) as caught:
        await accounts.create_user(make_user(BEN, name=name), None)
    assert caught.value.field == "name"
    assert await accounts.get_user(BEN) is None


@pytest.mark.parametrize("email", ["ann@example.org", "ANN@example.org"])
async def test_verified_address_is_taken(accounts: Accounts, email: str) -> None:
    await accounts.create_user(make_user(ANN, email="Ann@example.org", email_verified=True), None)
    with pytest.raises(Conflict) as caught:
        await accounts.create_user(make_user(BEN, email=email, email_verified=True), None)
    assert caught.value.field == "email"
    assert (await accounts.get_user(ANN) or make_user(ANN)).email == "Ann@example.org"


@pytest.mark.parametrize(("first", "second"), [(False, False), (False, True), (True, False)])
async def test_address_that_is_not_verified_is_kept_from_nobody(accounts: Accounts, first: bool, second: bool) -> None:
    for user, verified in ((ANN, first), (BEN, second)):
        made = make_user(user, email="Boss@company.example", email_verified=verified)
        await accounts.create_user(made, None)
        assert await accounts.get_user(user) == made


async def test_id_is_taken(accounts: Accounts) -> None:
    await accounts.create_user(make_user(ANN), None)
    with pytest.raises(Conflict) as caught:
        await accounts.create_user(make_user(ANN, name="another"), None)
    assert caught.value.field == "id"


async def test_any_number_have_no_address(accounts: Accounts) -> None:
    await accounts.create_user(make_user(ANN), None)
    await accounts.create_user(make_user(BEN), None)
    assert set(await accounts.get_users([ANN, BEN])) == {ANN, BEN}


async def test_of_many_who_want_a_name_one_gets_it(accounts: Accounts) -> None:
    outcomes: list[str] = []

    async def register(user: str) -> None:
        try:
            await accounts.create_user(make_user(user, name="same"), None)
            outcomes.append(user)
        except Conflict:
            outcomes.append("")

    async with anyio.create_task_group() as tasks:
        for user in (ANN, BEN, CAT, DAN):
            tasks.start_soon(register, user)
    (winner,) = filter(None, outcomes)
    found = await accounts.find_by_name("same")
    assert found is not None
    assert found.id == winner


async def test_get_many_gives_those_who_exist(accounts: Accounts) -> None:
    await accounts.create_user(make_user(ANN), None)
    assert await accounts.get_users([ANN, BEN, ANN]) == {ANN: make_user(ANN)}
    assert await accounts.get_users([]) == {}


async def test_ids_by_names(accounts: Accounts) -> None:
    await accounts.create_user(make_user(ANN), None)
    await accounts.create_user(make_user(BEN), None)
    assert await accounts.ids_by_names(["ann", "ben", "nobody"]) == {"ann": ANN, "ben": BEN}


async def test_search_is_by_prefix_without_case_and_by_name(accounts: Accounts) -> None:
    for user, name in ((ANN, "Sam"), (BEN, "sally"), (CAT, "SAMUEL"), (DAN, "tom")):
        await accounts.create_user(make_user(user, name=name), None)
    assert [user.name for user in await accounts.search_users("SA", 10)] == ["sally", "Sam", "SAMUEL"]
    assert [user.name for user in await accounts.search_users("sam", 1)] == ["Sam"]
    assert [user.name for user in await accounts.search_users("", 10)] == ["sally", "Sam", "SAMUEL", "tom"]


@pytest.mark.parametrize("prefix", ["a%", "a_", "*", "'", '"'])
async def test_search_takes_every_character_as_it_is(accounts: Accounts, prefix: str) -> None:
    await accounts.create_user(make_user(ANN, name="abc"), None)
    assert await accounts.search_users(prefix, 10) == []


async def test_password_hash(accounts: Accounts) -> None:
    await accounts.create_user(make_user(ANN), "one")
    await accounts.create_user(make_user(BEN), None)
    await accounts.set_password_hash(BEN, "two")
    assert await accounts.get_password_hash(ANN) == "one"
    assert await accounts.get_password_hash(BEN) == "two"
    assert await accounts.get_password_hash(CAT) is None


async def test_password_of_nobody(accounts: Accounts) -> None:
    with pytest.raises(NotFound):
        await accounts.set_password_hash(ANN, "hash")


async def test_blocked_and_unblocked(accounts: Accounts) -> None:
    await accounts.create_user(make_user(ANN), None)
    await accounts.set_blocked(ANN, blocked=True)
    assert (await accounts.get_users([ANN]))[ANN].blocked
    await accounts.set_blocked(ANN, blocked=False)
    assert not (await accounts.get_users([ANN]))[ANN].blocked
    with pytest.raises(NotFound):
        await accounts.set_blocked(BEN, blocked=True)


def grant(digest: bytes, family: str = "f", user: str = ANN, expires: int = LATER) -> RefreshGrant:
    return RefreshGrant(digest=digest, family=family, user=user, expires=expires)


async def test_token_is_replaced_by_its_successor(accounts: Accounts) -> None:
    await accounts.add_grant(grant(FIRST))
    rotation, new = await accounts.rotate_grant(FIRST, SECOND, LATER + 5, NOW)
    assert (rotation, new) == (Rotation.ROTATED, grant(SECOND, expires=LATER + 5))
    rotation, new = await accounts.rotate_grant(SECOND, THIRD, LATER + 9, NOW)
    assert (rotation, new) == (Rotation.ROTATED, grant(THIRD, expires=LATER + 9))


async def test_token_is_unknown(accounts: Accounts) -> None:
    assert await accounts.rotate_grant(FIRST, SECOND, LATER, NOW) == (Rotation.UNKNOWN, None)
    assert await accounts.rotate_grant(SECOND, THIRD, LATER, NOW) == (Rotation.UNKNOWN, None)


async def test_token_is_expired(accounts: Accounts) -> None:
    await accounts.add_grant(grant(FIRST))
    assert await accounts.rotate_grant(FIRST, SECOND, LATER + 5, LATER) == (Rotation.EXPIRED, None)
    assert await accounts.rotate_grant(SECOND, THIRD, LATER + 5, LATER) == (Rotation.UNKNOWN, None)


async def test_reuse_ends_the_family_and_no_other(accounts: Accounts) -> None:
    await accounts.add_grant(grant(FIRST))
    await accounts.add_grant(grant(FOREIGN, family="other"))
    await accounts.rotate_grant(FIRST, SECOND, LATER, NOW)
    late = NOW + GRACE_MS + 1
    assert await accounts.rotate_grant(FIRST, THIRD, LATER, late) == (Rotation.REUSED, grant(FIRST))
    assert await accounts.rotate_grant(SECOND, THIRD, LATER, late) == (Rotation.UNKNOWN, None)
    assert (await accounts.rotate_grant(FOREIGN, THIRD, LATER, NOW))[0] is Rotation.ROTATED


async def test_a_replaced_token_gives_another_successor_until_one_is_used(accounts: Accounts) -> None:
    await accounts.add_grant(grant(FIRST))
    await accounts.rotate_grant(FIRST, SECOND, LATER, NOW)
    again = await accounts.rotate_grant(FIRST, THIRD, LATER, NOW + GRACE_MS)
    assert again == (Rotation.ROTATED, grant(THIRD))
    assert (await accounts.rotate_grant(THIRD, FOREIGN, LATER, NOW + GRACE_MS))[0] is Rotation.ROTATED
    assert await accounts.rotate_grant(FIRST, b"5", LATER, NOW + GRACE_MS) == (Rotation.REUSED, grant(FIRST))
    for digest in (FIRST, SECOND, THIRD, FOREIGN):
        assert await accounts.rotate_grant(digest, b"6", LATER, NOW) == (Rotation.UNKNOWN, None)


async def test_all_who_present_a_token_at_once_get_a_successor(accounts: Accounts) -> None:
    await accounts.add_grant(grant(FIRST))
    successors = [b"successor %d" % number for number in range(4)]

    async def rotate(successor: bytes) -> None:
        assert await accounts.rotate_grant(FIRST, successor, LATER, NOW) == (Rotation.ROTATED, grant(successor))

    async with anyio.create_task_group() as tasks:
        for successor in successors:
            tasks.start_soon(rotate, successor)
    # The first that is used replaces the others. They are in their own grace then.
    for number, successor in enumerate(successors[:2]):
        outcome, _ = await accounts.rotate_grant(successor, b"next %d" % number, LATER, NOW)
        assert outcome is Rotation.ROTATED
    late = NOW + 2 * GRACE_MS
    assert (await accounts.rotate_grant(successors[2], b"too late", LATER, late))[0] is Rotation.REUSED


async def test_family_ends_from_any_of_its_tokens(accounts: Accounts) -> None:
    await accounts.add_grant(grant(FIRST))
    await accounts.rotate_grant(FIRST, SECOND, LATER, NOW)
    assert await accounts.end_family(FIRST) == grant(FIRST)
    assert await accounts.end_family(SECOND) is None
    assert (await accounts.rotate_grant(SECOND, THIRD, LATER, NOW))[0] is Rotation.UNKNOWN


async def test_all_families_of_a_user_end(accounts: Accounts) -> None:
    for digest, family, user in ((FIRST, "f", ANN), (SECOND, "g", ANN), (THIRD, "h", BEN)):
        await accounts.add_grant(grant(digest, family=family, user=user))
    await accounts.end_families(ANN)
    await accounts.end_families(CAT)
    outcomes = [
        (await accounts.rotate_grant(digest, b"next" + digest, LATER, NOW))[0] for digest in (FIRST, SECOND, THIRD)
    ]
    assert outcomes == [Rotation.UNKNOWN, Rotation.UNKNOWN, Rotation.ROTATED]


async def test_what_ended_is_listed_oldest_first(accounts: Accounts) -> None:
    before = 0
    for digest, family in ((FIRST, "f"), (SECOND, "g"), (THIRD, "h"), (FOREIGN, "other")):
        user = BEN if family == "other" else ANN
        await accounts.add_grant(grant(digest, family=family, user=user, expires=now_ms() + 10**9))
    assert list(await accounts.list_ended_families(before, 10)) == []
    await accounts.end_family(FIRST)
    await accounts.end_family(b"unknown")
    await accounts.end_families(ANN)
    assert set(await accounts.list_ended_families(before, 10)) == {"f", "g", "h"}
    assert len(await accounts.list_ended_families(before, 2)) == 2
    assert list(await accounts.list_ended_families(2**50, 10)) == []


async def test_a_family_that_ends_by_reuse_is_listed(accounts: Accounts) -> None:
    now = now_ms()
    await accounts.add_grant(grant(FIRST, expires=now + 10**9))
    await accounts.rotate_grant(FIRST, SECOND, now + 10**9, now)
    await accounts.rotate_grant(FIRST, THIRD, now + 10**9, now + GRACE_MS + 1)
    assert list(await accounts.list_ended_families(now, 10)) == ["f"]


async def test_long_expired_tokens_do_not_stop_a_rotation(accounts: Accounts) -> None:
    await accounts.add_grant(grant(FIRST, family="old", expires=1))
    await accounts.add_grant(grant(SECOND))
    assert (await accounts.rotate_grant(SECOND, THIRD, LATER, NOW))[0] is Rotation.ROTATED
    assert (await accounts.rotate_grant(FIRST, FOREIGN, LATER, NOW))[1] is None


async def test_signing_keys_come_oldest_first_and_go_when_expired(accounts: Accounts) -> None:
    old, new = (SigningKey(kid=kid, private=b"pem", created=at, expires=at + 100) for kid, at in (("z", 0), ("a", 50)))
    await accounts.add_signing_key(new, keep_from=0)
    await accounts.add_signing_key(old, keep_from=100)
    assert list(await accounts.signing_keys()) == [old, new]
    await accounts.add_signing_key(replace(new, private=b"other"), keep_from=100)  # the first of a name stays
    assert list(await accounts.signing_keys()) == [old, new]
    newest = SigningKey(kid="m", private=b"pem", created=90, expires=300)
    await accounts.add_signing_key(newest, keep_from=101)
    assert list(await accounts.signing_keys()) == [new, newest]


async def test_cancelled_rotation_happened_as_a_whole_or_not_at_all(accounts: Accounts) -> None:
    attempts = iter(range(10, 100))
    current = b"start"
    await accounts.add_grant(grant(current))

    async def rotate() -> None:
        await accounts.rotate_grant(current, successor, LATER, NOW)

    successor = bytes([next(attempts)])
    async for completed in each_suspension(rotate):
        found, _ = await accounts.rotate_grant(successor, b"next" + successor, LATER, NOW)
        if found is Rotation.UNKNOWN:
            assert not completed
            assert (await accounts.rotate_grant(current, b"next" + successor, LATER, NOW))[0] is Rotation.ROTATED
        else:
            assert found is Rotation.ROTATED
        current, successor = b"next" + successor, bytes([next(attempts)])


async def test_who_may_add_a_user_is_kept(accounts: Accounts) -> None:
    await accounts.create_user(make_user(ANN), None)
    assert await accounts.get_added_by(ANN) is None
    for choice in (*AddedBy, None):
        await accounts.set_added_by(ANN, choice)
        assert await accounts.get_added_by(ANN) is choice
    assert await accounts.get_added_by(BEN) is None
    with pytest.raises(NotFound):
        await accounts.set_added_by(BEN, AddedBy.NOBODY)


async def test_users_are_searched_in_pages(accounts: Accounts) -> None:
    for user, name in ((ANN, "Ann"), (BEN, "anna"), (CAT, "Anton"), (DAN, "Dan")):
        await accounts.create_user(make_user(user, name=name), None)
    assert [user.name for user in await accounts.search_users("an", 2)] == ["Ann", "anna"]
    assert [user.name for user in await accounts.search_users("an", 2, after="ANNA")] == ["Anton"]
    assert list(await accounts.search_users("an", 2, after="Dan")) == []
    assert [user.name for user in await accounts.search_users("an", 9, after="")] == ["Ann", "anna", "Anton"]


async def test_log_ins_are_listed_with_what_is_known_of_them(accounts: Accounts) -> None:
    await accounts.add_grant(RefreshGrant(FIRST, "f", ANN, LATER, NOW - 9, "a browser"))
    await accounts.add_grant(RefreshGrant(SECOND, "g", ANN, LATER, NOW - 5, "a phone"))
    await accounts.add_grant(grant(FOREIGN, family="other", user=BEN))
    assert list(await accounts.list_log_ins(ANN, NOW, 9)) == [
        OpenLogIn("g", NOW - 5, NOW - 5, "a phone"),
        OpenLogIn("f", NOW - 9, NOW - 9, "a browser"),
    ]
    _, renewed = await accounts.rotate_grant(FIRST, THIRD, LATER + 1, NOW)
    assert renewed == RefreshGrant(THIRD, "f", ANN, LATER + 1, NOW - 9, "a browser")
    assert list(await accounts.list_log_ins(ANN, NOW, 1)) == [OpenLogIn("f", NOW - 9, NOW, "a browser")]
    assert [log_in.family for log_in in await accounts.list_log_ins(ANN, LATER, 9)] == ["f"]
    assert list(await accounts.list_log_ins(CAT, NOW, 9)) == []


async def test_log_ins_are_ended_one_by_one_and_all_but_one(accounts: Accounts) -> None:
    for number, family in enumerate("fgh"):
        await accounts.add_grant(grant(bytes([number]) * 32, family=family))
    await accounts.add_grant(grant(FOREIGN, family="other", user=BEN))
    assert await accounts.end_log_in(ANN, "f")
    assert not await accounts.end_log_in(ANN, "f")
    assert not await accounts.end_log_in(ANN, "other")
    assert list(await accounts.end_families(ANN, keep="h")) == ["g"]
    assert [log_in.family for log_in in await accounts.list_log_ins(ANN, NOW, 9)] == ["h"]
    assert list(await accounts.end_families(ANN)) == ["h"]
    assert [log_in.family for log_in in await accounts.list_log_ins(BEN, NOW, 9)] == ["other"]
    assert set(await accounts.list_ended_families(0, 9)) == {"f", "g", "h"}


async def test_users_block_each_other_one_way(accounts: Accounts) -> None:
    for user in (ANN, BEN, CAT):
        await accounts.create_user(make_user(user), None)
    await accounts.add_user_block(ANN, CAT, NOW + 1)
    await accounts.add_user_block(ANN, BEN, NOW)
    await accounts.add_user_block(ANN, BEN, NOW + 9)
    assert list(await accounts.list_user_blocks(ANN)) == [BEN, CAT]
    assert await accounts.find_blockers(BEN, [ANN, CAT, DAN]) == {ANN}
    assert await accounts.find_blockers(ANN, [BEN, CAT]) == set()
    assert await accounts.find_blockers(BEN, []) == set()
    assert await accounts.find_blocks([(ANN, BEN), (BEN, ANN), (CAT, BEN)]) == {(ANN, BEN)}
    assert await accounts.find_blocks([]) == set()
    assert await accounts.remove_user_block(ANN, BEN)
    assert not await accounts.remove_user_block(ANN, BEN)
    assert list(await accounts.list_user_blocks(ANN)) == [CAT]


async def test_nobody_blocks_themselves_or_a_user_who_is_not_there(accounts: Accounts) -> None:
    await accounts.create_user(make_user(ANN), None)
    with pytest.raises(Invalid):
        await accounts.add_user_block(ANN, ANN, NOW)
    for user, other in ((ANN, BEN), (BEN, ANN)):
        with pytest.raises(NotFound):
            await accounts.add_user_block(user, other, NOW)
    assert list(await accounts.list_user_blocks(ANN)) == []


async def test_a_role_in_the_instance_is_given_and_taken(stores: Stores) -> None:
    owner = replace(make_user(ANN), instance_role=InstanceRole.OWNER)
    await stores.accounts.create_user(owner, None)
    assert await stores.accounts.get_user(ANN) == owner
    for role in (None, InstanceRole.MODERATOR):
        await stores.accounts.set_instance_role(ANN, role)
        found = await stores.accounts.get_user(ANN)
        assert found == replace(owner, instance_role=role)
        assert (await stores.accounts.get_users([ANN]))[ANN].instance_role is role
        assert list(await stores.accounts.list_role_holders(2)) == ([] if role is None else [found])
        assert list(await stores.accounts.list_role_holders(0)) == []
    with pytest.raises(NotFound):
        await stores.accounts.set_instance_role("00000000-0000-4000-8000-000000000000", None)


async def test_of_two_owners_who_take_each_others_role_at_once_one_is_left(stores: Stores) -> None:
    for user in (ANN, BEN):
        await stores.accounts.create_user(replace(make_user(user), instance_role=InstanceRole.OWNER), None)
    refused: list[str] = []

    async def take(by: str, user: str) -> None:
        try:
            await stores.accounts.set_instance_role(user, None, by=by)
        except Forbidden:
            refused.append(by)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take, ANN, BEN)
        tasks.start_soon(take, BEN, ANN)
    owners = [user for user, found in (await stores.accounts.get_users([ANN, BEN])).items() if found.instance_role]
    assert len(refused) == 1
    assert owners == [ANN if refused == [BEN] else BEN]
    with pytest.raises(Forbidden):
        await stores.accounts.set_instance_role(owners[0], None, by=new_id())
