"""Who becomes a member, and who stops being one. Each rule is one of `chat.domain.membership`."""

from __future__ import annotations

import pytest

from chat.domain.membership import (
    FormerMember,
    Standing,
    decide_entry,
    decide_new_owner,
    decide_removal,
    decide_role,
    remember_member,
    require_addable,
    require_rank,
)
from chat.domain.models import Role
from chat.errors import Banned, Conflict, Forbidden, LastOwner

STRANGER = Standing(role=None)
MEMBER = Standing(role=Role.MEMBER)
LAST_OWNER = Standing(role=Role.OWNER)
ONE_OF_TWO_OWNERS = Standing(role=Role.OWNER, other_owners=True)


@pytest.mark.parametrize(
    ("standing", "new_only", "after"),
    [
        (STRANGER, False, Role.READER),
        (STRANGER, True, Role.READER),
        (MEMBER, False, Role.READER),
        (MEMBER, True, Role.MEMBER),
        (LAST_OWNER, True, Role.OWNER),
        (ONE_OF_TWO_OWNERS, False, Role.READER),
    ],
)
def test_a_role_is_given_and_a_member_may_keep_the_present_one(standing: Standing, new_only: bool, after: Role) -> None:
    assert decide_role(standing, Role.READER, new_only=new_only) is after


def test_a_room_keeps_its_last_owner() -> None:  # rule 1
    with pytest.raises(LastOwner):
        decide_role(LAST_OWNER, Role.MODERATOR)
    with pytest.raises(LastOwner):
        decide_removal(LAST_OWNER)
    assert decide_role(LAST_OWNER, Role.OWNER) is Role.OWNER
    assert decide_removal(ONE_OF_TWO_OWNERS)


def test_who_is_banned_is_not_added() -> None:  # rule 2
    with pytest.raises(Banned):
        decide_role(Standing(role=None, banned=True), Role.READER)


def test_there_is_nothing_to_remove_of_a_stranger() -> None:
    assert not decide_removal(STRANGER)
    assert decide_removal(MEMBER)


@pytest.mark.parametrize(
    ("actor", "target", "wanted"),
    [
        (Role.MODERATOR, Role.MEMBER, Role.READER),
        (Role.MODERATOR, None, Role.MEMBER),
        (Role.MODERATOR, Role.READER, None),
        (Role.OWNER, Role.OWNER, None),
    ],
)
def test_who_outranks_may_change(actor: Role, target: Role | None, wanted: Role | None) -> None:
    require_rank(actor, target, wanted)  # rule 3


@pytest.mark.parametrize(
    ("actor", "target", "wanted"),
    [
        (None, Role.READER, None),
        (Role.MEMBER, Role.READER, None),
        (Role.MODERATOR, Role.MODERATOR, None),
        (Role.MODERATOR, Role.OWNER, Role.MEMBER),
        (Role.MODERATOR, Role.MEMBER, Role.MODERATOR),
        (Role.MODERATOR, None, Role.OWNER),
    ],
)
def test_who_does_not_outrank_is_refused(actor: Role | None, target: Role | None, wanted: Role | None) -> None:
    with pytest.raises(Forbidden):
        require_rank(actor, target, wanted)


@pytest.mark.parametrize(
    ("standing", "offered", "after"),
    [
        (STRANGER, Role.MEMBER, Role.MEMBER),
        (STRANGER, Role.OWNER, Role.OWNER),
        (MEMBER, Role.OWNER, Role.MEMBER),
        (Standing(role=Role.READER), Role.MEMBER, Role.READER),
        (Standing(role=None, former=FormerMember(restricted=True)), Role.MODERATOR, Role.READER),
        (Standing(role=None, former=FormerMember(left=True)), Role.MEMBER, Role.MEMBER),
    ],
)
def test_who_comes_in_gets_what_is_offered_unless_restricted(standing: Standing, offered: Role, after: Role) -> None:
    assert decide_entry(standing, offered) is after  # rule 4


def test_a_banned_user_does_not_come_in() -> None:  # rule 2
    with pytest.raises(Banned, match="you are banned"):
        decide_entry(Standing(role=None, banned=True), Role.MEMBER)


@pytest.mark.parametrize(
    ("role", "default", "left", "kept"),
    [
        (Role.READER, Role.MEMBER, False, FormerMember(restricted=True)),
        (Role.READER, Role.MEMBER, True, FormerMember(restricted=True, left=True)),
        (Role.READER, Role.READER, False, None),
        (Role.MEMBER, Role.MEMBER, False, None),
        (Role.MEMBER, Role.READER, True, FormerMember(left=True)),
        (Role.OWNER, Role.MEMBER, True, FormerMember(left=True)),
    ],
)
def test_what_outlives_a_membership(role: Role, default: Role, left: bool, kept: FormerMember | None) -> None:
    assert remember_member(role, default, left=left) == kept  # rules 4 and 5


def test_a_user_who_left_is_not_added() -> None:  # rule 5
    require_addable(STRANGER)
    require_addable(MEMBER)
    require_addable(Standing(role=None, former=FormerMember(restricted=True)))
    with pytest.raises(Forbidden, match="left the room"):
        require_addable(Standing(role=None, former=FormerMember(left=True)))


def test_an_orphaned_room_gets_an_owner_and_no_other() -> None:  # rule 6
    assert decide_new_owner(STRANGER) is Role.OWNER
    assert decide_new_owner(MEMBER) is Role.OWNER
    for standing in (Standing(role=None, other_owners=True), LAST_OWNER, ONE_OF_TWO_OWNERS):
        with pytest.raises(Conflict, match="an owner who can log in"):
            decide_new_owner(standing)
    with pytest.raises(Banned):
        decide_new_owner(Standing(role=None, banned=True))
