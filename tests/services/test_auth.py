"""`/api/auth/*`."""

from __future__ import annotations

from typing import Any

import anyio
import msgspec
import pytest
from argon2 import PasswordHasher

from chat.domain.cases import CaseAction
from chat.domain.conversations import room_key
from chat.domain.token_families import GRACE_MS
from chat.engines.executor import InlineExecutor
from chat.settings import Settings
from chat.wire.relay import room_channel, user_channel
from services.common.passwords import Passwords
from tests.services.test_passwords import CountingHasher
from tests.support.rest import CHEAP, User, open_rest, received
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio
LIMITED = Settings()


async def test_registration_gives_an_account_that_is_logged_in() -> None:
    async with open_rest() as rest:
        body = {"name": "Ann-1", "password": "a long password", "email": "ann@example.org"}
        answer = await rest("POST", "/api/auth/register", body)
        assert answer.status_code == 201
        account = answer.json()
        assert account["expires_in"] == 900
        me = await User(rest, account)("GET", "/api/auth/me")
        assert me.json() == {
            "id": account["id"],
            "name": "Ann-1",
            "display_name": None,
            "email": "ann@example.org",
            "email_verified": False,
            "pending_email": None,
            "moderator": False,
            "instance_role": None,
            "status": None,
        }
        assert me.headers["cache-control"] == "no-store"


async def test_an_account_says_whether_it_moderates_the_instance() -> None:
    async with open_rest(settings=make_settings(rate_limits=False, moderators=("ANN",))) as rest:
        for name, moderates in [("Ann", True), ("ben", False)]:
            account = (await rest("POST", "/api/auth/register", {"name": name, "password": "a long password"})).json()
            assert (await User(rest, account)("GET", "/api/auth/me")).json()["moderator"] is moderates


async def test_the_first_account_owns_the_instance_where_the_operator_wants_that() -> None:
    async with open_rest(settings=make_settings(rate_limits=False, first_account_owns=True)) as rest:
        found = {}

        async def register(name: str) -> None:
            body = {"name": name, "password": "a long password"}
            account = (await rest("POST", "/api/auth/register", body)).json()
            found[account["id"]] = (await User(rest, account)("GET", "/api/auth/me")).json()["moderator"]

        async with anyio.create_task_group() as tasks:
            for name in ("ann", "ben", "cat"):
                tasks.start_soon(register, name)
        await register("dan")
        assert sorted(found.values()) == [False, False, False, True]
        (owner,) = (user for user, owns in found.items() if owns)
        (entry,) = await rest.services.cases.list_audit_entries(None, 10)
        assert (entry.by, entry.user, entry.action) == (owner, owner, CaseAction.OWNER)
        assert entry.reason == "became an owner of the instance, as its first account"


async def test_the_first_account_owns_nothing_by_default() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        assert (await ann("GET", "/api/auth/me")).json()["moderator"] is False
        assert list(await rest.services.cases.list_audit_entries(None, 10)) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "x"}, "name"),
        ({"name": "Adm1n"}, "name"),
        ({"name": "x" * 33}, "name"),
        ({"name": "no spaces"}, "name"),
        ({"name": "nul\0nul"}, "name"),
        ({"name": "émile"}, "name"),
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"password": ["a long password"]}, "password"),
        ({"email": "nobody"}, "email"),
        ({"email": "two words@example.org"}, "email"),
        ({"email": "x@" + "y" * 260 + ".org"}, "email"),
    ],
)
async def test_a_bad_field_is_named_and_its_value_is_not_repeated(change: dict[str, Any], field: str) -> None:
    async with open_rest() as rest:
        body = {"name": "ann", "password": "a long password", **change}
        answer = await rest("POST", "/api/auth/register", body)
        assert answer.status_code == 422
        problem = answer.json()
        assert (problem["code"], problem["field"]) == ("invalid", field)
        value = change[field]
        assert not isinstance(value, str) or value not in problem["detail"]


async def test_a_missing_field_is_named() -> None:
    async with open_rest() as rest:
        answer = await rest("POST", "/api/auth/register", {"name": "ann"})
        assert (answer.status_code, answer.json()["field"]) == (422, "password")
        answer = await rest("POST", "/api/auth/register")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_reserved_names_are_for_those_whom_the_operator_names() -> None:
    body = {"name": "Moderator", "password": "a long password"}
    async with open_rest() as rest:
        refused = await rest("POST", "/api/auth/register", body)
        assert (refused.status_code, refused.json()["field"]) == (422, "name")
    async with open_rest(settings=make_settings(rate_limits=False, moderators=("moderator",))) as rest:
        assert (await rest("POST", "/api/auth/register", body)).status_code == 201
        refused = await rest("POST", "/api/auth/register", {**body, "name": "admin"})
        assert (refused.status_code, refused.json()["field"]) == (422, "name")


async def test_a_name_is_taken_and_an_address_that_was_never_verified_is_not() -> None:
    async with open_rest() as rest:
        first = {"name": "ann", "password": "a long password", "email": "ann@example.org"}
        await rest("POST", "/api/auth/register", first)
        answer = await rest("POST", "/api/auth/register", {**first, "name": "ANN", "email": None})
        assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
        answer = await rest("POST", "/api/auth/register", {**first, "name": "bob"})
        assert (answer.status_code, answer.json()["email"]) == (201, "ann@example.org")


async def test_of_two_who_want_one_name_at_once_one_gets_it() -> None:
    statuses: list[int] = []
    async with open_rest() as rest:

        async def register() -> None:
            answer = await rest("POST", "/api/auth/register", {"name": "ann", "password": "a long password"})
            statuses.append(answer.status_code)

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(register)
    assert sorted(statuses) == [201, 409, 409, 409, 409]


async def test_log_in_takes_the_name_without_case() -> None:
    async with open_rest() as rest:
        ann = await rest.user("Ann")
        answer = await rest("POST", "/api/auth/login", {"name": "aNN", "password": "a long password"})
        assert answer.status_code == 200
        assert answer.json().keys() == {"access_token", "refresh_token", "expires_in", "token_type"}
        again = User(rest, {"id": ann.id, "name": ann.name, **answer.json()})
        assert (await again("GET", "/api/auth/me")).status_code == 200


async def test_a_wrong_name_and_a_wrong_password_look_and_cost_the_same() -> None:
    hasher = CountingHasher(time_cost=1, memory_cost=8, parallelism=1)
    async with open_rest(passwords=Passwords(hasher, InlineExecutor())) as rest:
        await rest.user("ann")
        answers = []
        for name in ("ann", "nobody", "", "x" * 200):
            before = hasher.verified
            answer = await rest("POST", "/api/auth/login", {"name": name, "password": "wrong password"})
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert hasher.verified == before + 1
            answers.append(answer.json())
        assert answers[0]["code"] == "wrong_login"
        assert all(answer == answers[0] for answer in answers)


async def test_a_log_in_renews_a_hash_of_old_costs() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        accounts = rest.services.accounts
        old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash("a long password")
        await accounts.set_password_hash(ann.id, old)
        body = {"name": ann.name, "password": "a long password"}
        assert (await rest("POST", "/api/auth/login", body)).status_code == 200
        stored = await accounts.get_password_hash(ann.id)
        assert stored is not None
        assert not CHEAP.check_needs_rehash(stored)
        assert (await rest("POST", "/api/auth/login", body)).status_code == 200


async def test_refresh_rotates() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        tokens = (await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})).json()
        assert tokens["refresh_token"] != ann.refresh
        again = await rest("POST", "/api/auth/refresh", {"refresh_token": tokens["refresh_token"]})
        assert again.status_code == 200
        families = {rest.services.keys.verify_token(token).family for token in (ann.access, tokens["access_token"])}
        assert len(families) == 1


async def test_reuse_of_a_refresh_token_ends_its_family_and_its_open_sessions() -> None:
    async with open_rest() as rest, rest.services.relay.open_listener() as listener:
        ann = await rest.user()
        family = rest.services.keys.verify_token(ann.access).family
        await listener.subscribe([user_channel(ann.id)])
        second = (await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})).json()
        rest.clock.now += GRACE_MS + 1
        answer = await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_reused")
        after = await rest("POST", "/api/auth/refresh", {"refresh_token": second["refresh_token"]})
        assert after.status_code == 401
        [(channel, control)] = await received(listener, 1)
        assert channel == user_channel(ann.id)
        assert (control["do"], control["user"], control["family"], control["code"]) == ("revoked", ann.id, family, 4001)
        body = {"name": ann.name, "password": "a long password"}
        assert (await rest("POST", "/api/auth/login", body)).status_code == 200  # another family


async def test_a_refresh_whose_answer_was_lost_may_be_repeated() -> None:
    async with open_rest() as rest, rest.services.relay.open_listener() as listener:
        ann = await rest.user()
        await listener.subscribe([user_channel(ann.id)])
        lost = (await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})).json()
        rest.clock.now += GRACE_MS
        again = await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})
        assert again.status_code == 200
        assert again.json()["refresh_token"] not in {lost["refresh_token"], ann.refresh}
        third = await rest("POST", "/api/auth/refresh", {"refresh_token": again.json()["refresh_token"]})
        assert third.status_code == 200
        # A successor was used: from now on the first token was copied.
        answer = await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_reused")
        assert len(await received(listener, 1)) == 1


async def test_two_windows_that_refresh_at_once_both_stay_logged_in() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        tokens = []

        async def refresh() -> None:
            answer = await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})
            tokens.append(answer.json()["refresh_token"])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(refresh)
            tasks.start_soon(refresh)
        for token in tokens:
            assert (await rest("POST", "/api/auth/refresh", {"refresh_token": token})).status_code == 200


async def test_a_refresh_token_expires() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        rest.clock.now += 31 * 24 * 3600 * 1000
        await rest.services.keys.refresh_keys()
        for token in (ann.refresh, "unknown"):
            answer = await rest("POST", "/api/auth/refresh", {"refresh_token": token})
            assert (answer.status_code, answer.json()["code"]) == (401, "refresh_expired")


async def test_log_out_ends_the_family_and_its_open_sessions() -> None:
    async with open_rest() as rest, rest.services.relay.open_listener() as listener:
        ann = await rest.user()
        await listener.subscribe([user_channel(ann.id)])
        for _ in range(2):  # repeating it is no error
            answer = await rest("POST", "/api/auth/logout", {"refresh_token": ann.refresh})
            assert (answer.status_code, answer.content) == (204, b"")
        [(_, control)] = await received(listener, 1)
        assert (control["do"], control["code"]) == ("revoked", 4001)
        assert (await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})).status_code == 401


@pytest.mark.parametrize("how", ["log-out", "reuse"])
async def test_the_access_tokens_of_an_ended_log_in_are_refused_at_once(how: str) -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        other = await rest("POST", "/api/auth/login", {"name": ann.name, "password": "a long password"})
        second = (await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})).json()
        if how == "log-out":
            await rest("POST", "/api/auth/logout", {"refresh_token": second["refresh_token"]})
        else:
            rest.clock.now += GRACE_MS + 1
            await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})
        for token in (ann.access, second["access_token"]):
            answer = await rest("GET", "/api/auth/me", headers={"Authorization": f"Bearer {token}"})
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
            assert "has ended" in answer.json()["detail"]
        kept = {"Authorization": f"Bearer {other.json()['access_token']}"}
        assert (await rest("GET", "/api/auth/me", headers=kept)).status_code == 200


async def test_a_blocked_user_gets_nowhere() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        await rest.services.accounts.set_blocked(ann.id, True)
        login = {"name": ann.name, "password": "a long password"}
        answers = [
            await ann("GET", "/api/auth/me"),
            await rest("POST", "/api/auth/login", login),
            await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh}),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "blocked")] * 3


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x.y.z", "Basic YTpi", "Bearer \xff"])
async def test_without_a_valid_token_there_is_no_way_in(header: str) -> None:
    async with open_rest() as rest:
        answer = await rest("GET", "/api/auth/me", headers={"Authorization": header.encode("latin-1")})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_of_an_account_that_is_gone_is_refused() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        ann.access = rest.services.keys.issue_token("9f0c0000-0000-4000-8000-000000000001", "ghost", "f", 60)
        assert (await ann("GET", "/api/auth/me")).status_code == 401


async def test_a_person_deletes_their_account_with_all_that_they_wrote() -> None:
    async with open_rest() as rest:
        ann, ben = await rest.user("ann"), await rest.user("ben")
        room = (await ben("POST", "/api/rooms", {"name": "hall", "visibility": "public"})).json()["id"]
        await ann("POST", f"/api/rooms/{room}/join")
        await rest.say(room_key(room), ann, "a secret")
        async with rest.services.relay.open_listener() as listener:
            await listener.subscribe([user_channel(ann.id), room_channel(room)])
            answer = await ann("DELETE", "/api/auth/me", {"password": "a wrong password"})
            assert (answer.status_code, answer.json()["code"]) == (401, "wrong_login")
            assert (await ann("GET", "/api/auth/me")).status_code == 200
            assert (await ann("DELETE", "/api/auth/me", {"password": "a long password"})).status_code == 204
            (_, revoked), (_, left) = await received(listener, 2)
        assert (revoked["user"], revoked["family"], revoked["code"]) == (ann.id, None, 4001)
        assert (left["user"], left["change"]) == (ann.id, "left")
        assert (await ann("GET", "/api/auth/me")).status_code == 401
        login = {"name": "ann", "password": "a long password"}
        assert (await rest("POST", "/api/auth/login", login)).json()["code"] == "wrong_login"
        assert (await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})).status_code == 401
        (message,) = (await ben("GET", f"/api/rooms/{room}/messages")).json()["messages"]
        assert (message["text"], message["deleted"], message["sender"]["name"]) == (None, True, "deleted user")
        assert (await rest("POST", "/api/auth/register", login)).status_code == 201


async def test_guesses_of_the_password_of_a_deletion_are_limited() -> None:
    async with open_rest(settings=make_settings(login_failures_per_name=2)) as rest:
        ann = await rest.user("ann")
        codes = [(await ann("DELETE", "/api/auth/me", {"password": "a guess"})).status_code for _ in range(4)]
        assert codes[0] == 401
        assert codes[-1] == 429


async def test_jwks_is_public() -> None:
    async with open_rest() as rest:
        assert (await rest("GET", "/api/auth/jwks.json")).json() == rest.services.keys.to_jwk_set()


async def test_secrets_stay_out_of_answers_and_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with open_rest() as rest:
        ann = await rest.user()
        body = {"name": ann.name, "password": "very secret words", "refresh_token": 3}
        for path in ("login", "register", "refresh"):
            answer = await rest("POST", f"/api/auth/{path}", body)
            assert "very secret" not in answer.text
        await ann("GET", "/api/search", params={"q": "very secret words"})
        stored = await rest.services.accounts.get_password_hash(ann.id)
        assert stored is not None
        for secret in ("very secret", ann.access, ann.refresh, stored):
            assert secret not in caplog.text
        assert msgspec.json.decode(answer.content)["field"] == "refresh_token"
