"""`/api/push`: whose browsers get pushes, and which ones are taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chat.domain.push import SUBSCRIPTIONS_PER_USER
from tests.support.push import FakeBrowser, encode_key
from tests.support.rest import Rest, User, open_rest

pytestmark = pytest.mark.anyio
PATH = "/api/push/subscriptions"
KEY, OLD_KEY = "present", "older"


@asynccontextmanager
async def open_pushing() -> AsyncIterator[Rest]:
    async with open_rest(push_keys=(KEY, OLD_KEY)) as rest:
        yield rest


async def listed(user: User) -> list[dict[str, Any]]:
    answer = await user("GET", PATH)
    assert answer.status_code == 200
    return list(answer.json()["subscriptions"])


async def test_the_key_is_there_for_everyone() -> None:
    async with open_pushing() as rest:
        assert (await rest("GET", "/api/push/key")).json() == {"key": KEY}
        assert (await rest("GET", "/api/config")).json()["push_key"] == KEY


async def test_without_a_key_there_is_no_push() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        assert (await rest("GET", "/api/push/key")).status_code == 404
        assert (await rest("GET", "/api/config")).json()["push_key"] is None
        assert (await ann("POST", PATH, FakeBrowser().as_json())).status_code == 404
        assert await listed(ann) == []


async def test_a_browser_subscribes_and_leaves() -> None:
    async with open_pushing() as rest:
        ann, ben = await rest.user(), await rest.user()
        browser = FakeBrowser()
        for _ in range(2):
            answer = await ann("POST", PATH, browser.as_json())
            assert (answer.status_code, answer.json()["endpoint"]) == (201, browser.endpoint)
        (found,) = await listed(ann)
        assert (found["endpoint"], found["key"], found["current"]) == (browser.endpoint, KEY, True)
        assert await listed(ben) == []
        query = {"params": {"endpoint": browser.endpoint}}
        assert (await ben("DELETE", PATH, **query)).status_code == 404
        assert (await ann("DELETE", PATH, **query)).status_code == 204
        assert (await ann("DELETE", PATH, **query)).status_code == 404
        assert await listed(ann) == []


async def test_a_subscription_of_an_older_key_is_told_to_be_made_anew() -> None:
    async with open_pushing() as rest:
        ann = await rest.user()
        browser = FakeBrowser()
        await ann("POST", PATH, {**browser.as_json(), "key": OLD_KEY})
        assert [each["key"] for each in await listed(ann)] == [OLD_KEY]
        answer = await ann("POST", PATH, {**browser.as_json(), "key": "unknown"})
        assert (answer.status_code, answer.json()["field"]) == (422, "key")
        await ann("POST", PATH, {**browser.as_json(), "key": KEY})
        assert [each["key"] for each in await listed(ann)] == [KEY]


async def test_a_subscription_ends_with_the_log_in_that_made_it() -> None:
    async with open_pushing() as rest:
        ann = await rest.user()
        await ann("POST", PATH, FakeBrowser().as_json())
        body = {"name": ann.name, "password": "a long password"}
        other = User(rest, {"id": ann.id, "name": ann.name, **(await rest("POST", "/api/auth/login", body)).json()})
        assert [each["current"] for each in await listed(other)] == [False]
        await rest("POST", "/api/auth/logout", {"refresh_token": ann.refresh})
        assert await listed(other) == []


async def test_of_a_thousand_subscriptions_the_newest_stay() -> None:
    async with open_pushing() as rest:
        ann = await rest.user()
        browser = FakeBrowser()
        for number in range(1000):
            body = {**browser.as_json(), "endpoint": f"https://fcm.googleapis.com/fcm/send/{number}"}
            assert (await ann("POST", PATH, body)).status_code == 201
        found = [each["endpoint"].rpartition("/")[2] for each in await listed(ann)]
        assert found == [str(number) for number in range(999, 999 - SUBSCRIPTIONS_PER_USER, -1)]


GOOD = FakeBrowser().as_json()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"endpoint": "https://evil.example/x"}, "endpoint"),
        ({"endpoint": "http://fcm.googleapis.com/x"}, "endpoint"),
        ({"endpoint": "https://127.0.0.1/x"}, "endpoint"),
        ({"endpoint": "https://fcm.googleapis.com/" + "x" * 2000}, "endpoint"),
        ({"endpoint": ""}, "endpoint"),
        ({"keys": {**GOOD["keys"], "p256dh": encode_key(b"\x04" + bytes(64))}}, "keys.p256dh"),
        ({"keys": {**GOOD["keys"], "p256dh": "!"}}, "keys.p256dh"),
        ({"keys": {**GOOD["keys"], "p256dh": "a" * 300}}, "keys.p256dh"),
        ({"keys": {**GOOD["keys"], "auth": encode_key(bytes(15))}}, "keys.auth"),
        ({"keys": {"p256dh": GOOD["keys"]["p256dh"]}}, "keys.auth"),
        ({"keys": None}, "keys"),
    ],
)
async def test_what_cannot_be_pushed_to_is_refused(change: dict[str, Any], field: str) -> None:
    async with open_pushing() as rest:
        ann = await rest.user()
        answer = await ann("POST", PATH, {**GOOD, **change})
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid", field)
        assert await listed(ann) == []


async def test_who_is_not_logged_in_cannot_subscribe() -> None:
    async with open_pushing() as rest:
        assert (await rest("POST", PATH, GOOD)).status_code == 401
        assert (await rest("GET", PATH)).status_code == 401
