"""The contract of `chat.ports.push.PushStore`."""

from __future__ import annotations

from typing import Any

import pytest

from chat.domain.push import SUBSCRIPTIONS_PER_USER
from chat.domain.push_queue import PushContent
from chat.ports.accounts import RefreshGrant
from chat.ports.push import KEPT_MS, ClaimedPush
from tests.support.builders import ANN, ANN_AND_BEN, BEN, HALL, NOW, make_user
from tests.support.cancellation import each_suspension
from tests.support.engines import Stores
from tests.support.push import FAMILY, SERVICE, FakeBrowser

pytestmark = pytest.mark.anyio
LEASE_MS = 60_000


def pushed(seq: int, user: str = ANN, conversation: str = HALL, **fields: Any) -> PushContent:
    known: dict[str, Any] = {"queued": NOW, "content": b"some content"}
    return PushContent(user=user, conversation=conversation, seq=seq, **known | fields)


def grant(family: str = FAMILY, user: str = ANN) -> RefreshGrant:
    return RefreshGrant(digest=family.encode(), family=family, user=user, expires=NOW + 1_000_000)


async def subscribe(stores: Stores, user: str = ANN, **fields: Any) -> FakeBrowser:
    browser = FakeBrowser()
    await stores.push.add_subscription(browser.subscribe(user, **fields))
    return browser


async def claim(stores: Stores, now: int = NOW, limit: int = 100, service: str = SERVICE) -> list[ClaimedPush]:
    return list(await stores.push.claim_pushes(service, now, now + LEASE_MS, limit))


@pytest.fixture
async def here(stores: Stores) -> Stores:
    """Ann and Ben, logged in."""
    for user in (ANN, BEN):
        await stores.accounts.create_user(make_user(user), None)
    await stores.accounts.add_grant(grant())
    await stores.accounts.add_grant(grant("of ben", BEN))
    return stores


async def test_subscriptions_are_listed_the_newest_first(here: Stores) -> None:
    one, other = await subscribe(here), await subscribe(here)
    await subscribe(here, BEN, family="of ben")
    assert list(await here.push.list_subscriptions(ANN)) == [other.subscribe(), one.subscribe()]
    assert await here.push.remove_subscription(BEN, one.endpoint) is False
    assert await here.push.remove_subscription(ANN, one.endpoint) is True
    assert await here.push.remove_subscription(ANN, one.endpoint) is False
    assert [each.endpoint for each in await here.push.list_subscriptions(ANN)] == [other.endpoint]


async def test_an_endpoint_belongs_to_the_user_who_gave_it_last(here: Stores) -> None:
    browser = await subscribe(here)
    await here.push.queue_pushes([pushed(1)])
    await here.push.add_subscription(browser.subscribe(BEN, family="of ben"))
    assert list(await here.push.list_subscriptions(ANN)) == []
    assert [each.user for each in await here.push.list_subscriptions(BEN)] == [BEN]
    assert await claim(here) == []


async def test_of_too_many_subscriptions_the_oldest_go(here: Stores) -> None:
    browsers = [await subscribe(here) for _ in range(SUBSCRIPTIONS_PER_USER + 3)]
    await subscribe(here, BEN, family="of ben")
    kept = await here.push.list_subscriptions(ANN)
    assert [each.endpoint for each in kept] == [browser.endpoint for browser in reversed(browsers[3:])]
    assert len(await here.push.list_subscriptions(BEN)) == 1


async def test_a_subscription_ends_with_its_log_in(here: Stores) -> None:
    await here.accounts.add_grant(grant("another"))
    await subscribe(here)
    stays = await subscribe(here, family="another")
    await here.push.queue_pushes([pushed(1)])
    await here.accounts.end_family(grant().digest)
    assert [each.endpoint for each in await here.push.list_subscriptions(ANN)] == [stays.endpoint]
    assert [each.subscription.endpoint for each in await claim(here)] == [stays.endpoint]
    assert await here.push.queue_pushes([pushed(2)]) == 1
    await here.push.clear_pushes(NOW)
    assert len(await here.push.list_subscriptions(ANN)) == 1


async def test_a_subscription_ends_with_the_account(here: Stores) -> None:
    await subscribe(here)
    await here.push.queue_pushes([pushed(1)])
    await here.deletion.delete_account(ANN)
    assert list(await here.push.list_subscriptions(ANN)) == []
    assert await claim(here) == []
    assert await here.push.queue_pushes([pushed(2)]) == 0


async def test_users_who_have_a_subscription_are_found(here: Stores) -> None:
    await subscribe(here)
    await subscribe(here, BEN, family="ended")
    assert await here.push.find_subscribed([ANN, BEN, "nobody"]) == {ANN}
    assert await here.push.find_subscribed([]) == set()


async def test_a_push_goes_to_every_device_of_the_user(here: Stores) -> None:
    one, other = await subscribe(here), await subscribe(here)
    await subscribe(here, BEN, family="of ben")
    assert await here.push.queue_pushes([pushed(1), pushed(2, conversation=ANN_AND_BEN)]) == 4
    found = await claim(here)
    assert {each.subscription.endpoint for each in found} == {one.endpoint, other.endpoint}
    assert {(each.conversation, each.place.seq, each.place.content) for each in found} == {
        (HALL, 1, b"some content"),
        (ANN_AND_BEN, 2, b"some content"),
    }
    assert all(each.subscription.p256dh in (one.p256dh, other.p256dh) for each in found)


async def test_nobody_else_gets_a_claimed_push_before_its_time_is_over(here: Stores) -> None:
    await subscribe(here)
    await here.push.queue_pushes([pushed(1)])
    assert len(await claim(here)) == 1
    assert await claim(here, NOW + LEASE_MS - 1) == []
    assert len(await claim(here, NOW + LEASE_MS)) == 1


async def test_pushes_are_claimed_by_service_the_longest_due_first(here: Stores) -> None:
    await subscribe(here)
    await subscribe(here, service="*.push.apple.com")
    for seq in (1, 2, 3):
        await here.push.queue_pushes([pushed(seq, conversation=f"room:{seq}", queued=NOW + 10 - seq)])
    assert await here.push.find_next_due(SERVICE) == NOW + 7
    assert await here.push.find_next_due("another.example") is None
    first = await claim(here, NOW + 8)
    assert [each.place.seq for each in first] == [3, 2]
    assert [each.place.seq for each in await claim(here, NOW + 10, limit=1)] == [1]


async def test_a_newer_push_takes_the_place_of_the_older(here: Stores) -> None:
    await subscribe(here)
    await here.push.queue_pushes([pushed(1)])
    await here.push.queue_pushes([pushed(2, content=b"newer")])
    (found,) = await claim(here)
    assert (found.place.seq, found.place.content) == (2, b"newer")


async def test_two_of_one_conversation_in_one_call_are_one_after_the_other(here: Stores) -> None:
    await subscribe(here)
    await here.push.queue_pushes([pushed(1), pushed(2, content=b"newer")])
    (found,) = await claim(here)
    assert (found.place.seq, found.place.content) == (2, b"newer")


async def test_a_device_gets_a_message_once(here: Stores) -> None:
    await subscribe(here)
    await here.push.queue_pushes([pushed(1)])
    assert await here.push.queue_pushes([pushed(1)]) == 0
    (found,) = await claim(here)
    assert await here.push.queue_pushes([pushed(1)]) == 0
    await here.push.note_delivered(found)
    assert await here.push.queue_pushes([pushed(1)]) == 0
    assert await claim(here, NOW + 10 * LEASE_MS) == []
    assert await here.push.find_next_due(SERVICE) is None


async def test_what_was_replaced_on_its_way_is_sent_after_it(here: Stores) -> None:
    await subscribe(here)
    await here.push.queue_pushes([pushed(1)])
    (first,) = await claim(here)
    await here.push.queue_pushes([pushed(2)])
    assert await claim(here) == []
    await here.push.note_delivered(first)
    assert [each.place.seq for each in await claim(here)] == [2]


async def test_a_push_that_failed_comes_again_when_it_is_due(here: Stores) -> None:
    await subscribe(here)
    await here.push.queue_pushes([pushed(1)])
    (found,) = await claim(here)
    await here.push.note_later(found, NOW + 5000, device=False)
    assert await claim(here, NOW + 4999) == []
    (again,) = await claim(here, NOW + 5000)
    assert again.place.attempts == 1
    await here.push.drop_push(again)
    assert await claim(here, NOW + 10 * LEASE_MS) == []


async def test_a_device_that_is_to_be_left_alone_gets_nothing_until_then(here: Stores) -> None:
    resting, other = await subscribe(here), await subscribe(here)
    await here.push.queue_pushes([pushed(1)])
    found = {each.subscription.endpoint: each for each in await claim(here)}
    await here.push.queue_pushes([pushed(2, conversation=ANN_AND_BEN)])
    await here.push.note_later(found[resting.endpoint], NOW + 5000, device=True)
    await here.push.queue_pushes([pushed(3, conversation="room:another")])
    now = await claim(here, NOW + 10)
    assert {each.subscription.endpoint for each in now} == {other.endpoint}
    later = await claim(here, NOW + 5000)
    assert {each.subscription.endpoint for each in later} == {resting.endpoint}
    assert {each.place.seq for each in later} == {1, 2, 3}


async def test_what_is_shown_is_closed_and_nothing_else(here: Stores) -> None:
    shows, waits = await subscribe(here), await subscribe(here)
    await here.push.queue_pushes([pushed(1)])
    for each in await claim(here):
        if each.subscription.endpoint == shows.endpoint:
            await here.push.note_delivered(each)
        else:
            await here.push.note_later(each, NOW + 5000, device=False)
    await here.push.queue_pushes([pushed(1, closes=True, content=b"close")])
    (found,) = await claim(here, NOW + LEASE_MS)
    assert (found.subscription.endpoint, found.place.closes, found.place.content) == (shows.endpoint, True, b"close")
    await here.push.note_delivered(found)
    assert await here.push.queue_pushes([pushed(1, closes=True)]) == 0
    assert waits.endpoint != shows.endpoint
    assert await here.push.queue_pushes([pushed(2)]) == 2


async def test_what_is_newer_than_what_was_read_stays(here: Stores) -> None:
    await subscribe(here)
    await here.push.queue_pushes([pushed(5)])
    (found,) = await claim(here)
    await here.push.note_delivered(found)
    assert await here.push.queue_pushes([pushed(4, closes=True)]) == 0


async def test_a_push_under_way_is_closed_after_it_arrived(here: Stores) -> None:
    await subscribe(here)
    await here.push.queue_pushes([pushed(1)])
    (first,) = await claim(here)
    await here.push.queue_pushes([pushed(1, closes=True)])
    assert await claim(here) == []
    await here.push.note_delivered(first)
    (second,) = await claim(here)
    assert second.place.closes


async def test_a_browser_that_is_gone_is_forgotten_unless_it_subscribed_again(here: Stores) -> None:
    gone, renewed = await subscribe(here), await subscribe(here)
    await here.push.queue_pushes([pushed(1)])
    found = await claim(here)
    await here.push.add_subscription(renewed.subscribe(created=NOW + 1))
    for each in found:
        await here.push.drop_subscription(each)
    assert [each.endpoint for each in await here.push.list_subscriptions(ANN)] == [renewed.endpoint]
    assert gone.endpoint != renewed.endpoint


async def test_old_pushes_are_forgotten(here: Stores) -> None:
    await subscribe(here)
    await here.push.queue_pushes([pushed(1)])
    await here.push.queue_pushes([pushed(2, conversation=ANN_AND_BEN, queued=NOW + 10)])
    await here.push.clear_pushes(NOW + KEPT_MS + 5)
    assert [each.place.seq for each in await claim(here, NOW + KEPT_MS)] == [2]


async def test_cancelled_at_any_await_a_push_is_queued_once(here: Stores) -> None:
    await subscribe(here)
    async for completed in each_suspension(lambda: here.push.queue_pushes([pushed(1)])):
        if completed:
            assert len(await claim(here)) == 1


async def test_a_push_keeps_the_trace_of_its_newest_content(here: Stores) -> None:
    await subscribe(here)
    await here.push.queue_pushes([pushed(1, trace="one")])
    await here.push.queue_pushes([pushed(2, trace="two"), pushed(1, conversation=ANN_AND_BEN)])
    found = {each.conversation: each.place.trace for each in await claim(here)}
    assert found == {HALL: "two", ANN_AND_BEN: ""}
