"""How many registrations and failed log-ins an address, a name and a device may have."""

from __future__ import annotations

import anyio
import pytest

from chat.settings import Settings
from tests.support.clocks import virtual_time
from tests.support.rest import open_rest
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio
LIMITED = Settings()


async def test_registrations_are_limited_by_address() -> None:
    settings = make_settings(register_per_minute=2)
    async with open_rest(settings=settings) as rest:
        for _ in range(2):
            await rest.user()
        answer = await rest("POST", "/api/auth/register", {"name": "late", "password": "a long password"})
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert answer.json()["retry_after_ms"] == 60_000
        assert answer.headers["retry-after"] == "60"
        rest.clock.now += 60_000
        await rest.user()


async def test_failed_log_ins_are_limited_by_name() -> None:
    async with open_rest(settings=LIMITED) as rest:
        await rest.user("ann")
        right, wrong = ({"name": "ann", "password": word} for word in ("a long password", "a wrong password"))
        for _ in range(9):
            assert (await rest("POST", "/api/auth/login", wrong)).status_code == 401
        assert (await rest("POST", "/api/auth/login", right)).status_code == 200  # and the count begins afresh
        for _ in range(10):
            assert (await rest("POST", "/api/auth/login", {**wrong, "name": "ANN"})).status_code == 401
        answer = await rest("POST", "/api/auth/login", right)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert int(answer.headers["retry-after"]) == 60
        rest.clock.now += 60_000
        assert (await rest("POST", "/api/auth/login", right)).status_code == 200


async def test_failed_log_ins_are_limited_by_address_and_right_ones_are_not() -> None:
    settings = make_settings(login_failures_per_address=3)
    async with open_rest(settings=settings) as rest:
        await rest.user("ann")
        right = {"name": "ann", "password": "a long password"}
        for _ in range(20):
            assert (await rest("POST", "/api/auth/login", right)).status_code == 200
        statuses = [
            (await rest("POST", "/api/auth/login", {"name": f"name{n}", "password": "a guess"})).status_code
            for n in range(5)
        ]
        assert statuses == [401, 401, 401, 429, 429]
        assert (await rest("POST", "/api/auth/login", right)).status_code == 200  # a known device is let through
        rest.http.cookies.clear()
        assert (await rest("POST", "/api/auth/login", right)).status_code == 429
        rest.clock.now += 60_000
        assert (await rest("POST", "/api/auth/login", right)).status_code == 200


def at_address(host: str) -> dict[str, str]:
    """The headers of a client at this address, as a trusted proxy writes them."""
    return {"X-Forwarded-For": host}


BEHIND_A_PROXY = make_settings(LIMITED, trust_forwarded=True)


RIGHT = {"name": "ann", "password": "a long password"}


WRONG = {"name": "ann", "password": "a wrong password"}


async def test_a_stranger_who_guesses_does_not_keep_the_owner_out() -> None:
    async with open_rest(settings=BEHIND_A_PROXY) as rest:
        await rest.user("ann")
        rest.http.cookies.clear()
        for _ in range(10):
            answer = await rest("POST", "/api/auth/login", WRONG, headers=at_address("203.0.113.7"))
            assert answer.status_code == 401
        refused = await rest("POST", "/api/auth/login", RIGHT, headers=at_address("203.0.113.7"))
        assert (refused.status_code, refused.json()["detail"]) == (429, "too many attempts; try again in 60 s")
        owner = await rest("POST", "/api/auth/login", RIGHT, headers=at_address("198.51.100.1"))
        assert owner.status_code == 200


async def test_a_device_that_was_in_before_is_let_through_and_counted_by_itself() -> None:
    async with open_rest(settings=BEHIND_A_PROXY) as rest:
        await rest.user("ann")
        mark = rest.http.cookies["rookery_device"]
        rest.http.cookies.clear()
        for _ in range(11):
            last = await rest("POST", "/api/auth/login", WRONG, headers=at_address("203.0.113.7"))
        assert last.status_code == 429
        known = {**at_address("203.0.113.7"), "Cookie": f"rookery_device={mark}"}
        assert (await rest("POST", "/api/auth/login", RIGHT, headers=known)).status_code == 200
        rest.http.cookies.clear()
        for _ in range(10):  # whoever has the device may guess as often as a stranger
            rest.http.cookies.clear()
            assert (await rest("POST", "/api/auth/login", WRONG, headers=known)).status_code == 401
        assert (await rest("POST", "/api/auth/login", RIGHT, headers=known)).status_code == 429


async def test_the_mark_of_a_device_is_of_one_user_and_cannot_be_made_up() -> None:
    async with open_rest() as rest:
        ann, ben = await rest.user("ann"), await rest.user("ben")
        keys = rest.services.keys
        mark = keys.issue_device_mark(ann.id)
        kid, number, signature = mark.split(".")
        assert keys.read_device_mark(mark, ann.id) == number
        assert keys.read_device_mark(mark, ben.id) is None
        for forged in ("", "x", "..", f"{kid}.{number}", f"{kid}.0.{signature}", f"x.{number}.{signature}", mark + "é"):
            assert keys.read_device_mark(forged, ann.id) is None


async def test_the_cookie_of_a_device_is_for_log_ins_alone() -> None:
    async with open_rest(settings=BEHIND_A_PROXY) as rest:
        await rest.user("ann")
        for proto in ("http", "https"):
            headers = {**at_address("203.0.113.7"), "X-Forwarded-Proto": proto}
            cookie = (await rest("POST", "/api/auth/login", RIGHT, headers=headers)).headers["set-cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=strict" in cookie
            assert "Path" not in cookie
            assert ("Secure" in cookie) == (proto == "https")


@virtual_time
async def test_a_name_that_many_guess_is_slowed_down_and_not_locked() -> None:
    async with open_rest(settings=make_settings(BEHIND_A_PROXY, login_failures_until_slow=5)) as rest:
        await rest.user("ann")
        mark = rest.http.cookies["rookery_device"]
        rest.http.cookies.clear()
        for number in range(6):
            await rest("POST", "/api/auth/login", WRONG, headers=at_address(f"203.0.113.{number}"))
        waited: list[float] = []
        statuses: list[int] = []

        async def log_in(number: int) -> None:
            begun = anyio.current_time()
            answer = await rest("POST", "/api/auth/login", RIGHT, headers=at_address(f"198.51.100.{number}"))
            statuses.append(answer.status_code)
            waited.append(anyio.current_time() - begun)

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(log_in, number)
        assert statuses.count(200) == 16
        assert statuses.count(429) == 4
        assert max(waited) == pytest.approx(30, abs=0.1)
        begun = anyio.current_time()
        known = {**at_address("203.0.113.1"), "Cookie": f"rookery_device={mark}"}
        assert (await rest("POST", "/api/auth/login", RIGHT, headers=known)).status_code == 200
        assert anyio.current_time() == begun


async def test_limits_can_be_switched_off() -> None:
    async with open_rest(settings=make_settings(rate_limits=False, login_failures_per_name=1)) as rest:
        for _ in range(3):
            answer = await rest("POST", "/api/auth/login", {"name": "ann", "password": "a guess"})
            assert answer.status_code == 401
