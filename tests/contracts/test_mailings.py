"""The contract of `chat.ports.mailings.Mailings`, and of the addresses of accounts."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from chat.domain.mailing import Bounces, MailFailure, MailToken, TokenPurpose
from chat.errors import Conflict, NotFound
from chat.ports.mailings import TOKENS_OF_USER, PendingMail
from tests.support.builders import ANN, BEN, NOW, make_user
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio
ADDRESS, OTHER = "Ann@Chat.example", "ann@other.example"
TOKEN = MailToken(digest=b"d" * 32, purpose=TokenPurpose.RESET, user=ANN, email=ADDRESS, bound=b"b", expires=NOW + 1000)
MAIL = PendingMail(id="one", user=ANN, payload=b"payload", due=NOW, expires=NOW + 10_000)


async def test_a_token_works_once_and_for_what_it_is(stores: Stores) -> None:
    await stores.mailings.add_token(TOKEN, NOW)
    assert await stores.mailings.use_token(TOKEN.digest, TokenPurpose.VERIFY, NOW) is None
    assert await stores.mailings.use_token(b"x" * 32, TokenPurpose.RESET, NOW) is None
    assert await stores.mailings.use_token(TOKEN.digest, TokenPurpose.RESET, NOW) == TOKEN
    assert await stores.mailings.use_token(TOKEN.digest, TokenPurpose.RESET, NOW) is None


async def test_a_token_expires(stores: Stores) -> None:
    await stores.mailings.add_token(TOKEN, NOW)
    assert await stores.mailings.use_token(TOKEN.digest, TokenPurpose.RESET, TOKEN.expires) is None


async def test_of_many_calls_at_once_one_gets_the_token(stores: Stores) -> None:
    await stores.mailings.add_token(TOKEN, NOW)
    got: list[MailToken | None] = []

    async def use() -> None:
        got.append(await stores.mailings.use_token(TOKEN.digest, TokenPurpose.RESET, NOW))

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(use)
    assert got.count(TOKEN) == 1
    assert got.count(None) == 7


async def test_a_user_has_a_few_tokens_of_a_purpose_and_the_newest_stay(stores: Stores) -> None:
    tokens = [replace(TOKEN, digest=bytes([n]) * 32, expires=NOW + 1000 + n) for n in range(TOKENS_OF_USER + 2)]
    verifying = replace(TOKEN, digest=b"v" * 32, purpose=TokenPurpose.VERIFY, bound=b"", expires=NOW + 1)
    await stores.mailings.add_token(verifying, NOW)
    for token in tokens:
        await stores.mailings.add_token(token, NOW)
    found = [await stores.mailings.use_token(token.digest, TokenPurpose.RESET, NOW) for token in tokens]
    assert found == [None, None, *tokens[2:]]
    assert await stores.mailings.use_token(verifying.digest, TokenPurpose.VERIFY, NOW) == verifying


async def test_the_tokens_of_a_purpose_are_ended(stores: Stores) -> None:
    verifying = replace(TOKEN, digest=b"v" * 32, purpose=TokenPurpose.VERIFY)
    of_ben = replace(TOKEN, digest=b"e" * 32, user=BEN)
    for token in (TOKEN, verifying, of_ben):
        await stores.mailings.add_token(token, NOW)
    await stores.mailings.end_tokens(ANN, TokenPurpose.RESET)
    assert await stores.mailings.use_token(TOKEN.digest, TokenPurpose.RESET, NOW) is None
    assert await stores.mailings.use_token(verifying.digest, TokenPurpose.VERIFY, NOW) == verifying
    assert await stores.mailings.use_token(of_ben.digest, TokenPurpose.RESET, NOW) == of_ben


async def test_a_mail_is_claimed_until_its_lease_is_over(stores: Stores) -> None:
    later = replace(MAIL, id="two", due=NOW + 5)
    await stores.mailings.add_pending([later, MAIL])
    await stores.mailings.add_pending([replace(MAIL, payload=b"again")])
    (claimed,) = await stores.mailings.claim_pending(NOW, 100, 10)
    assert claimed == replace(MAIL, due=NOW + 100, attempts=1)
    assert [each.id for each in await stores.mailings.claim_pending(NOW + 50, 100, 10)] == ["two"]
    again = await stores.mailings.claim_pending(NOW + 200, 100, 10)
    assert [(each.id, each.attempts) for each in again] == [("one", 2), ("two", 2)]


async def test_a_mail_that_was_sent_does_not_come_again(stores: Stores) -> None:
    await stores.mailings.add_pending([MAIL])
    await stores.mailings.claim_pending(NOW, 1, 10)
    await stores.mailings.finish_pending("one")
    await stores.mailings.postpone_pending("one", NOW)
    await stores.mailings.add_pending([MAIL])
    assert list(await stores.mailings.claim_pending(NOW + 2, 1, 10)) == []


async def test_a_mail_is_postponed_and_dropped_when_it_expires(stores: Stores) -> None:
    await stores.mailings.add_pending([MAIL])
    await stores.mailings.claim_pending(NOW, 1, 10)
    await stores.mailings.postpone_pending("one", NOW + 500)
    assert list(await stores.mailings.claim_pending(NOW + 499, 1, 10)) == []
    assert [each.id for each in await stores.mailings.claim_pending(NOW + 500, 1, 10)] == ["one"]
    assert list(await stores.mailings.claim_pending(MAIL.expires, 1, 10)) == []


async def test_many_claim_at_once_and_each_gets_others(stores: Stores) -> None:
    await stores.mailings.add_pending([replace(MAIL, id=f"mail {n}") for n in range(20)])
    got: list[str] = []

    async def claim() -> None:
        got.extend(each.id for each in await stores.mailings.claim_pending(NOW, 1000, 5))

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(claim)
    assert sorted(got) == sorted(f"mail {n}" for n in range(20))


async def test_two_hard_bounces_of_different_mails_suppress_an_address(stores: Stores) -> None:
    mailings = stores.mailings
    assert await mailings.get_bounces(ADDRESS) == Bounces()
    for mail in ("one", "one"):
        found = await mailings.add_bounce(ADDRESS, mail, MailFailure.HARD, "550 5.1.1 no such user", NOW)
        assert not found.is_suppressed
    await mailings.add_bounce(ADDRESS.lower(), "two", MailFailure.SOFT, "452 full", NOW)
    await mailings.add_bounce(ADDRESS, "three", MailFailure.HARD, "550 still none", NOW + 5)
    found = await mailings.get_bounces(ADDRESS.upper())
    assert (found.is_suppressed, found.last, found.reason) == (True, NOW + 5, "550 still none")
    assert not (await mailings.get_bounces(OTHER)).is_suppressed
    await mailings.forget_bounces(ADDRESS)
    assert await mailings.get_bounces(ADDRESS) == Bounces()


async def test_bounces_that_come_at_once_all_count(stores: Stores) -> None:
    async with anyio.create_task_group() as tasks:
        for mail in ("one", "two", "three"):
            tasks.start_soon(stores.mailings.add_bounce, ADDRESS, mail, MailFailure.HARD, "550", NOW)
    assert (await stores.mailings.get_bounces(ADDRESS)).is_suppressed


async def test_the_secret_stays_the_same(stores: Stores) -> None:
    secret = await stores.mailings.get_secret()
    assert len(secret) == 32
    assert await stores.mailings.get_secret() == secret


async def test_an_address_is_given_verified_and_replaced(stores: Stores) -> None:
    accounts = stores.accounts
    await accounts.create_user(make_user(ANN), None)
    await accounts.set_email(ANN, OTHER)
    await accounts.set_email(ANN, ADDRESS)
    assert await accounts.get_user(ANN) == make_user(ANN, email=ADDRESS)
    assert await accounts.find_by_email(ADDRESS) is None
    assert await accounts.verify_email(ANN, ADDRESS) is None
    verified = make_user(ANN, email=ADDRESS, email_verified=True)
    assert await accounts.find_by_email(ADDRESS.upper()) == verified
    await accounts.set_email(ANN, OTHER)
    assert await accounts.get_user(ANN) == replace(verified, pending_email=OTHER)
    assert await accounts.verify_email(ANN, ADDRESS) is None
    await accounts.set_email(ANN, OTHER)
    assert await accounts.verify_email(ANN, OTHER) == ADDRESS
    assert await accounts.get_user(ANN) == make_user(ANN, email=OTHER, email_verified=True)
    assert await accounts.find_by_email(ADDRESS) is None
    await accounts.set_email(ANN, None)
    assert await accounts.get_user(ANN) == make_user(ANN)


async def test_an_address_of_before_cannot_be_verified(stores: Stores) -> None:
    await stores.accounts.create_user(make_user(ANN, email=ADDRESS), None)
    await stores.accounts.set_email(ANN, OTHER)
    for user, address in ((ANN, ADDRESS), (BEN, ADDRESS)):
        with pytest.raises(NotFound):
            await stores.accounts.verify_email(user, address)
    with pytest.raises(NotFound):
        await stores.accounts.set_email(BEN, ADDRESS)
    with pytest.raises(NotFound):
        await stores.accounts.set_email(BEN, None)


async def test_an_address_is_kept_from_others_once_it_is_verified_and_not_before(stores: Stores) -> None:
    for user in (ANN, BEN):
        await stores.accounts.create_user(make_user(user, email=ADDRESS), None)
    await stores.accounts.verify_email(BEN, ADDRESS)
    with pytest.raises(Conflict):
        await stores.accounts.verify_email(ANN, ADDRESS)
    found = await stores.accounts.get_user(ANN)
    assert found == make_user(ANN, email=ADDRESS)


async def test_with_an_account_its_tokens_mails_and_bounces_go(stores: Stores) -> None:
    await stores.accounts.create_user(make_user(ANN, email=ADDRESS, email_verified=True), None)
    await stores.mailings.add_token(TOKEN, NOW)
    await stores.mailings.add_pending([MAIL])
    await stores.mailings.add_bounce(ADDRESS, "one", MailFailure.HARD, "550", NOW)
    await stores.deletion.delete_account(ANN)
    assert await stores.mailings.use_token(TOKEN.digest, TokenPurpose.RESET, NOW) is None
    assert list(await stores.mailings.claim_pending(NOW, 1, 10)) == []
    assert await stores.mailings.get_bounces(ADDRESS) == Bounces()
