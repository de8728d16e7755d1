"""E-mail addresses, passwords that were forgotten, and the mails that are asked for."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from chat.domain.invitations import digest_token
from chat.domain.mailing import TOKEN_LIVES_MS, MailFailure, MailToken, TokenPurpose, bind_to_password
from chat.engines.executor import InlineExecutor
from chat.errors import Overloaded, Unavailable
from chat.settings import Settings
from chat.wire.account_mails import ACCOUNT_MAIL_TOPIC, AccountMail, AccountMailKind, decode_account_mail
from services.common.fair_turns import Asker
from services.common.passwords import NOBODY, Passwords
from tests.support.patience import patient
from tests.support.rest import CHEAP, Rest, User, open_rest

pytestmark = pytest.mark.anyio
PASSWORD, NEW = "a long password", "another long password"
ADDRESS, OTHER = "ann@mail.example", "ann@other.example"


async def read_mails(rest: Rest, count: int) -> list[AccountMail]:
    """The next mails that were asked for, in the log."""
    found: list[AccountMail] = []
    with anyio.fail_after(patient(10)):
        async with rest.services.log.join_group("test", [ACCOUNT_MAIL_TOPIC]) as consumer:
            while len(found) < count:
                batches = await consumer.poll(100)
                found += [decode_account_mail(record.value) for batch in batches for record in batch.records]
                await consumer.commit(*batches)
    assert len(found) == count
    return found


async def add_token(rest: Rest, user: User, purpose: TokenPurpose, *, email: str = ADDRESS, text: str = "token") -> str:
    """A token as the mail would bring it."""
    bound = bind_to_password(await rest.services.accounts.get_password_hash(user.id))
    token = MailToken(
        digest=digest_token(text),
        purpose=purpose,
        user=user.id,
        email=email,
        expires=rest.clock() + TOKEN_LIVES_MS[purpose],
        bound=bound if purpose is TokenPurpose.RESET else b"",
    )
    await rest.services.mailings.add_token(token, rest.clock())
    return text


async def verify(rest: Rest, user: User, email: str = ADDRESS) -> None:
    """Give the user a verified address."""
    await rest.services.accounts.set_email(user.id, email)
    await rest.services.accounts.verify_email(user.id, email)


async def read_me(user: User) -> dict[str, Any]:
    me = (await user("GET", "/api/auth/me")).json()
    return {name: me[name] for name in ("email", "email_verified", "pending_email")}


async def test_a_registration_with_an_address_asks_for_its_verification() -> None:
    async with open_rest() as rest:
        body = {"name": "ann", "password": PASSWORD, "email": ADDRESS}
        ann = User(rest, (await rest("POST", "/api/auth/register", body)).json())
        (mail,) = await read_mails(rest, 1)
        assert (mail.kind, mail.user, mail.email) == (AccountMailKind.VERIFY, ann.id, ADDRESS)
        assert await read_me(ann) == {"email": ADDRESS, "email_verified": False, "pending_email": None}


async def test_a_registration_does_not_fail_with_the_mail() -> None:
    class Broken:
        def produce(self, *_: Any, **__: Any) -> None:
            raise Unavailable("no log")

    async with open_rest(appender=Broken()) as rest:
        body = {"name": "ann", "password": PASSWORD, "email": ADDRESS}
        assert (await rest("POST", "/api/auth/register", body)).status_code == 201


async def test_an_address_is_given_and_verified() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        answer = await ann("POST", "/api/auth/email", {"email": ADDRESS, "password": PASSWORD})
        assert answer.status_code == 204
        (mail,) = await read_mails(rest, 1)
        assert (mail.kind, mail.user, mail.email) == (AccountMailKind.VERIFY, ann.id, ADDRESS)
        for _ in range(2):
            await rest.services.mailings.add_bounce(ADDRESS, f"{_}", MailFailure.HARD, "", rest.clock())
        token = await add_token(rest, ann, TokenPurpose.VERIFY)
        answer = await rest("POST", "/api/auth/email/verify", {"token": token})
        assert (answer.status_code, answer.json()) == (200, {"email": ADDRESS})
        assert await read_me(ann) == {"email": ADDRESS, "email_verified": True, "pending_email": None}
        assert not (await rest.services.mailings.get_bounces(ADDRESS)).is_suppressed
        again = await rest("POST", "/api/auth/email/verify", {"token": token})
        assert (again.status_code, again.json()["code"], again.json()["field"]) == (410, "link_expired", "token")


async def test_a_verified_address_stays_until_the_next_is_verified_and_both_learn_of_it() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        await verify(rest, ann)
        await ann("POST", "/api/auth/email", {"email": OTHER, "password": PASSWORD})
        assert await read_me(ann) == {"email": ADDRESS, "email_verified": True, "pending_email": OTHER}
        token = await add_token(rest, ann, TokenPurpose.VERIFY, email=OTHER)
        assert (await rest("POST", "/api/auth/email/verify", {"token": token})).status_code == 200
        assert await read_me(ann) == {"email": OTHER, "email_verified": True, "pending_email": None}
        mails = await read_mails(rest, 3)
        told = [mail.email for mail in mails if mail.kind is AccountMailKind.ADDRESS_CHANGED]
        assert told == [ADDRESS, OTHER]


async def test_an_address_is_removed_and_learns_of_it() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        await verify(rest, ann)
        assert (await ann("POST", "/api/auth/email", {"email": None, "password": PASSWORD})).status_code == 204
        assert await read_me(ann) == {"email": None, "email_verified": False, "pending_email": None}
        (mail,) = await read_mails(rest, 1)
        assert (mail.kind, mail.email) == (AccountMailKind.ADDRESS_CHANGED, ADDRESS)


async def test_who_verifies_an_address_second_gets_a_conflict_and_unverified_it_is_kept_from_nobody() -> None:
    async with open_rest() as rest:
        ann, ben = await rest.user(), await rest.user()
        for user in (ann, ben):
            answer = await user("POST", "/api/auth/email", {"email": ADDRESS, "password": PASSWORD})
            assert answer.status_code == 204
        tokens = [await add_token(rest, user, TokenPurpose.VERIFY, text=f"token of {user.name}") for user in (ben, ann)]
        answers = [await rest("POST", "/api/auth/email/verify", {"token": token}) for token in tokens]
        assert [answer.status_code for answer in answers] == [200, 409]
        assert answers[1].json()["field"] == "email"


async def test_a_link_for_an_address_that_was_replaced_does_nothing() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        token = await add_token(rest, ann, TokenPurpose.VERIFY)
        await ann("POST", "/api/auth/email", {"email": OTHER, "password": PASSWORD})
        answer = await rest("POST", "/api/auth/email/verify", {"token": token})
        assert (answer.status_code, answer.json()["code"]) == (410, "link_expired")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"email": ADDRESS, "password": "wrong"}, 401, "password"),
        ({"email": "ann", "password": PASSWORD}, 422, "email"),
        ({"email": "ann@mail.example\nBcc: x@y.example", "password": PASSWORD}, 422, "email"),
        ({"email": "a,b@mail.example", "password": PASSWORD}, 422, "email"),
        ({"email": '"a"@mail.example', "password": PASSWORD}, 422, "email"),
        ({"email": "<ann@mail.example>", "password": PASSWORD}, 422, "email"),
        ({"email": "x" * 65 + "@mail.example", "password": PASSWORD}, 422, "email"),
        ({"password": PASSWORD}, 422, "email"),
        ({"email": ADDRESS}, 422, "password"),
    ],
)
async def test_a_bad_address_or_a_wrong_password_changes_nothing(body: dict[str, Any], status: int, field: str) -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        answer = await ann("POST", "/api/auth/email", body)
        assert (answer.status_code, answer.json()["field"]) == (status, field)
        assert await read_me(ann) == {"email": None, "email_verified": False, "pending_email": None}


async def test_the_mail_that_verifies_is_sent_once_more() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        assert (await ann("POST", "/api/auth/email/resend")).status_code == 404
        await rest.services.accounts.set_email(ann.id, ADDRESS)
        assert (await ann("POST", "/api/auth/email/resend")).status_code == 204
        await verify(rest, ann)
        assert (await ann("POST", "/api/auth/email/resend")).status_code == 404
        await rest.services.accounts.set_email(ann.id, OTHER)
        assert (await ann("POST", "/api/auth/email/resend")).status_code == 204
        assert [mail.email for mail in await read_mails(rest, 2)] == [ADDRESS, OTHER]


async def test_a_forgotten_password_gets_the_same_answer_whoever_it_is() -> None:
    """Nothing is looked up, so the times are the same, too."""
    async with open_rest() as rest:
        ann = await rest.user("ann")
        await verify(rest, ann)
        asked = ["ann", ADDRESS, "nobody", "nobody@mail.example", "\ud800"[:0] + "<script>"]
        answers = [await rest("POST", "/api/auth/password/forgot", {"name": name}) for name in asked]
        assert {(answer.status_code, answer.content) for answer in answers} == {(204, b"")}
        mails = await read_mails(rest, len(asked))
        assert {(mail.kind, mail.user) for mail in mails} == {(AccountMailKind.RESET, "")}
        assert sorted(mail.asked for mail in mails) == sorted(asked)


async def test_a_reset_sets_the_password_and_ends_all_log_ins() -> None:
    async with open_rest() as rest:
        ann = await rest.user("ann")
        await verify(rest, ann)
        token = await add_token(rest, ann, TokenPurpose.RESET)
        other = await add_token(rest, ann, TokenPurpose.RESET, text="other")
        answer = await rest("POST", "/api/auth/password/reset", {"token": token, "new_password": NEW})
        assert answer.status_code == 204
        assert (await ann("GET", "/api/auth/me")).status_code == 401
        assert (await rest("POST", "/api/auth/refresh", {"refresh_token": ann.refresh})).status_code == 401
        for password, status in ((PASSWORD, 401), (NEW, 200)):
            answer = await rest("POST", "/api/auth/login", {"name": "ann", "password": password})
            assert answer.status_code == status
        for used in (token, other):
            again = await rest("POST", "/api/auth/password/reset", {"token": used, "new_password": PASSWORD})
            assert (again.status_code, again.json()["code"]) == (410, "link_expired")
        kinds = [mail.kind for mail in await read_mails(rest, 1)]
        assert kinds == [AccountMailKind.PASSWORD_CHANGED]


async def test_a_link_ends_when_the_password_changes_otherwise_and_with_its_time() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        token = await add_token(rest, ann, TokenPurpose.RESET)
        assert (await ann("PUT", "/api/auth/password", {"password": PASSWORD, "new_password": NEW})).status_code == 204
        answer = await rest("POST", "/api/auth/password/reset", {"token": token, "new_password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (410, "link_expired")
        late = await add_token(rest, ann, TokenPurpose.RESET, text="late")
        rest.clock.now += TOKEN_LIVES_MS[TokenPurpose.RESET]
        answer = await rest("POST", "/api/auth/password/reset", {"token": late, "new_password": PASSWORD})
        assert answer.status_code == 410


async def test_a_bad_new_password_does_not_use_the_link_up() -> None:
    async with open_rest() as rest:
        ann = await rest.user("annabella")
        token = await add_token(rest, ann, TokenPurpose.RESET)
        for bad in ("short", "12345678", "ANNABELLA"):
            answer = await rest("POST", "/api/auth/password/reset", {"token": token, "new_password": bad})
            assert (answer.status_code, answer.json()["field"]) == (422, "new_password")
        answer = await rest("POST", "/api/auth/password/reset", {"token": token, "new_password": NEW})
        assert answer.status_code == 204


class BusyPasswords(Passwords):
    """Refuses the first new password, as if too many were waiting."""

    is_busy = True

    async def hash_password(self, password: str, asker: Asker = NOBODY) -> str:
        if self.is_busy and password == NEW:
            self.is_busy = False
            raise Overloaded("too many log-ins at once; try again in a moment")
        return await super().hash_password(password, asker)


async def test_a_server_that_is_too_busy_does_not_use_the_link_up() -> None:
    async with open_rest(passwords=BusyPasswords(CHEAP, InlineExecutor())) as rest:
        ann = await rest.user()
        token = await add_token(rest, ann, TokenPurpose.RESET)
        for status in (503, 204, 410):
            answer = await rest("POST", "/api/auth/password/reset", {"token": token, "new_password": NEW})
            assert answer.status_code == status


async def test_a_link_to_verify_sets_no_password_and_the_other_way_round() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        await rest.services.accounts.set_email(ann.id, ADDRESS)
        verifies = await add_token(rest, ann, TokenPurpose.VERIFY, text="verifies")
        resets = await add_token(rest, ann, TokenPurpose.RESET, text="resets")
        body = {"token": verifies, "new_password": NEW}
        assert (await rest("POST", "/api/auth/password/reset", body)).status_code == 410
        assert (await rest("POST", "/api/auth/email/verify", {"token": resets})).status_code == 410


async def test_of_many_resets_at_once_with_one_token_one_succeeds() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        token = await add_token(rest, ann, TokenPurpose.RESET)
        statuses: list[int] = []

        async def reset(number: int) -> None:
            body = {"token": token, "new_password": f"{NEW} {number}"}
            statuses.append((await rest("POST", "/api/auth/password/reset", body)).status_code)

        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(reset, number)
        assert sorted(statuses) == [204, 410, 410, 410, 410]


async def test_a_log_in_on_a_new_device_and_another_password_are_told_to_a_verified_address() -> None:
    async with open_rest() as rest:
        ann = await rest.user("ann")
        body = {"name": "ann", "password": PASSWORD}
        headers = {"User-Agent": "Test\x01er"}
        rest.http.cookies.clear()
        assert (await rest("POST", "/api/auth/login", body)).status_code == 200
        await verify(rest, ann)
        rest.http.cookies.clear()
        assert (await rest("POST", "/api/auth/login", body, headers=headers)).status_code == 200
        assert (await rest("POST", "/api/auth/login", body, headers=headers)).status_code == 200  # known by now
        changed = {"password": PASSWORD, "new_password": NEW}
        assert (await ann("PUT", "/api/auth/password", changed, headers=headers)).status_code == 204
        first, second = await read_mails(rest, 2)
        assert (first.kind, first.user, first.agent) == (AccountMailKind.NEW_LOG_IN, ann.id, "Tester")
        assert first.address
        assert second.kind is AccountMailKind.PASSWORD_CHANGED


async def test_mails_have_a_rate_by_name_and_by_address() -> None:
    async with open_rest(settings=Settings()) as rest:
        limits = rest.services.settings.limits

        async def forget(name: str) -> int:
            return (await rest("POST", "/api/auth/password/forgot", {"name": name})).status_code

        statuses = [await forget("ann" if number % 2 else "ANN") for number in range(limits.mails_per_hour + 1)]
        assert statuses == [204] * limits.mails_per_hour + [429]
        others = [await forget(f"user{number}") for number in range(limits.mails_per_hour_from_address)]
        assert others.count(429) == limits.mails_per_hour + 1
        assert others[-1] == 429
