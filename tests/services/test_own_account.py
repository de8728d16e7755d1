"""Who may make an account, and what users do about their own: another password, and where they are logged in."""

from __future__ import annotations

from typing import Any

import pytest

from chat.domain.ids import new_id, rfc3339
from chat.domain.invitations import Invite, digest_token
from chat.domain.models import Role, Room, User, Visibility
from chat.settings import Settings
from chat.wire.relay import user_channel
from tests.support.rest import Rest, open_rest, received
from tests.support.rest import User as Person
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio
OLD, NEW = "a long password", "another long password"


async def log_in(rest: Rest, user: Person, password: str = OLD, agent: str = "") -> Person:
    """The same user, logged in once more."""
    body = {"name": user.name, "password": password}
    answer = await rest("POST", "/api/auth/login", body, headers={"User-Agent": agent})
    assert answer.status_code == 200, answer.text
    return Person(rest, {"id": user.id, "name": user.name, **answer.json()})


async def read_log_ins(user: Person) -> list[dict[str, Any]]:
    answer = await user("GET", "/api/auth/logins")
    return list(answer.json()["logins"])


async def test_where_registration_is_closed_nobody_makes_an_account() -> None:
    async with open_rest(settings=make_settings(rate_limits=False, registration="closed")) as rest:
        for more in ({}, {"invite": "x"}):
            answer = await rest("POST", "/api/auth/register", {"name": "ann", "password": OLD, **more})
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert (await rest("GET", "/api/config")).json()["registration"] == "closed"


async def test_where_registration_is_for_the_invited_an_open_invitation_is_needed() -> None:
    async with open_rest(settings=make_settings(rate_limits=False, registration="invitation")) as rest:
        owner = User(id=new_id(), name="owner", created=rest.clock())
        await rest.services.accounts.create_user(owner, None)
        room = Room(id=new_id(), name="den", visibility=Visibility.PRIVATE, created=rest.clock())
        await rest.services.rooms.create_room(room, owner.id)
        invite = Invite(
            id=new_id(),
            digest=digest_token("token"),
            room=room.id,
            role=Role.MEMBER,
            creator=owner.id,
            expires=rest.clock() + 1000,
            uses=1,
        )
        await rest.services.rooms.add_invite(invite)
        body = {"name": "ann", "password": OLD}
        for more in ({}, {"invite": "other"}, {"invite": ""}):
            answer = await rest("POST", "/api/auth/register", {**body, **more})
            assert (answer.status_code, answer.json()["field"]) == (403, "invite")
        ann = Person(rest, (await rest("POST", "/api/auth/register", {**body, "invite": "token"})).json())
        assert (await ann("POST", "/api/invites/token")).json()["role"] == "member"
        answer = await rest("POST", "/api/auth/register", {"name": "bob", "password": OLD, "invite": "token"})
        assert answer.status_code == 403


async def test_a_changed_password_opens_and_the_old_one_does_not() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        answer = await ann("PUT", "/api/auth/password", {"password": OLD, "new_password": NEW})
        assert answer.status_code == 204
        wrong = await rest("POST", "/api/auth/login", {"name": ann.name, "password": OLD})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_login")
        await log_in(rest, ann, NEW)


async def test_a_changed_password_ends_all_other_log_ins_and_not_this_one() -> None:
    async with open_rest() as rest, rest.services.relay.open_listener() as listener:
        ann = await rest.user()
        other = await log_in(rest, ann)
        stranger = await rest.user()
        await listener.subscribe([user_channel(ann.id)])
        assert (await ann("PUT", "/api/auth/password", {"password": OLD, "new_password": NEW})).status_code == 204
        assert [log_in["current"] for log_in in await read_log_ins(ann)] == [True]
        ((_, control),) = await received(listener, 1)
        assert (control["do"], control["user"]) == ("revoked", ann.id)
        assert (await other("GET", "/api/auth/me")).status_code == 401
        assert (await rest("POST", "/api/auth/refresh", {"refresh_token": other.refresh})).status_code == 401
        assert (await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})).status_code == 200
        assert (await stranger("GET", "/api/auth/me")).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"password": "wrong", "new_password": NEW}, 401, "password"),
        ({"password": OLD, "new_password": "short"}, 422, "new_password"),
        ({"password": OLD}, 422, "new_password"),
        ({"password": OLD, "new_password": "12345678"}, 422, "new_password"),
        ({"password": OLD, "new_password": "invisible\u2060"}, 422, "new_password"),
        ({"new_password": NEW}, 422, "password"),
    ],
)
async def test_a_change_without_the_present_or_with_a_bad_password_is_refused(
    body: dict[str, str], status: int, field: str
) -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        answer = await ann("PUT", "/api/auth/password", body)
        assert (answer.status_code, answer.json()["field"]) == (status, field)
        await log_in(rest, ann)


async def test_guesses_of_the_present_password_count_as_wrong_log_ins() -> None:
    async with open_rest(settings=Settings()) as rest:
        ann = await rest.user()
        body = {"password": "wrong", "new_password": NEW}
        statuses = [(await ann("PUT", "/api/auth/password", body)).status_code for _ in range(11)]
        assert statuses == [401] * 10 + [429]


async def test_log_ins_are_listed() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        begun = rest.clock()
        rest.clock.now += 5000
        phone = await log_in(rest, ann, agent="Phone/1.0 " + "x" * 500)
        rest.clock.now += 5000
        await rest("POST", "/api/auth/refresh", {"refresh_token": phone.refresh})
        first, second = await read_log_ins(ann)
        assert (first["current"], second["current"]) == (False, True)
        assert first["begun"] == rfc3339(begun + 5000)
        assert first["used"] == rfc3339(begun + 10_000)
        assert first["agent"].startswith("Phone/1.0")
        assert len(first["agent"]) == 200
        assert second["begun"] == second["used"] == rfc3339(begun)
        assert await read_log_ins(await rest.user()) != []


async def test_one_log_in_is_ended_and_all_others_are() -> None:
    async with open_rest() as rest:
        ann, stranger = await rest.user(), await rest.user()
        others = [await log_in(rest, ann) for _ in range(3)]
        (lost,) = [each for each in await read_log_ins(others[0]) if each["current"]]
        assert (await stranger("DELETE", f"/api/auth/logins/{lost['id']}")).status_code == 404
        assert (await ann("DELETE", f"/api/auth/logins/{lost['id']}")).status_code == 204
        assert (await ann("DELETE", f"/api/auth/logins/{lost['id']}")).status_code == 404
        assert (await ann("DELETE", "/api/auth/logins/x")).status_code == 422
        assert [(await user("GET", "/api/auth/me")).status_code for user in others] == [401, 200, 200]
        assert (await ann("DELETE", "/api/auth/logins")).status_code == 204
        assert (await ann("DELETE", "/api/auth/logins")).status_code == 204
        assert [(await user("GET", "/api/auth/me")).status_code for user in others] == [401, 401, 401]
        assert len(await read_log_ins(ann)) == 1
