"""The link that unsubscribes from mails: by a click in the mail program, and on its page."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chat.domain.mailing import LINK_DAYS, sign_link
from tests.support.rest import Rest, User, open_rest

pytestmark = pytest.mark.anyio
PATH = "/api/notifications/unsubscribe"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def make_link(rest: Rest, user: str, ago_days: int = 0) -> str:
    now = rest.clock() - ago_days * 24 * 3600 * 1000
    return f"{PATH}?token={sign_link(await rest.services.mailings.get_secret(), user, now)}"


async def wants_mail(user: User) -> bool:
    return bool((await user("GET", "/api/notifications/settings")).json()["email"])


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"List-Unsubscribe=One-Click", FORM),
        (
            b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
            {"Content-Type": "multipart/form-data; boundary=x"},
        ),
        (b"", {}),
    ],
)
async def test_one_click_in_the_mail_program_unsubscribes(content: bytes, headers: dict[str, str]) -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        link = await make_link(rest, ann.id)
        for _ in range(2):
            answer = await rest("POST", link, content=content, headers=headers)
            assert answer.status_code == 200
            assert not await wants_mail(ann)


async def test_opening_the_link_changes_nothing_and_shows_a_button() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        link = await make_link(rest, ann.id)
        for method in ("GET", "HEAD"):
            answer = await rest(method, link)
            assert answer.status_code == 200
            assert await wants_mail(ann)
        page = (await rest("GET", link)).text
        assert '<form method="post"><button type="submit">No more mails</button></form>' in page
        assert "script" not in page
        await rest.services.notifications.change_settings(ann.id, lambda known: replace(known, language="ru"), {})
        assert "Больше не присылать" in (await rest("GET", link)).text


async def test_a_link_that_was_changed_or_is_old_is_refused_by_name() -> None:
    async with open_rest() as rest:
        ann, ben = await rest.user(), await rest.user()
        link = await make_link(rest, ann.id)
        old = await make_link(rest, ann.id, LINK_DAYS + 1)
        changed = link.replace(ann.id, ben.id)
        for method in ("GET", "POST"):
            for wrong, status, code in (
                (changed, 400, "link_changed"),
                (link[:-1], 400, "link_changed"),
                (f"{PATH}?token=", 400, "link_changed"),
                (f"{PATH}?token={ann.id}.abc.{'%C3%A9' * 22}", 400, "link_changed"),
                (f"{PATH}?token={'a' * 15_000}", 422, "invalid"),
                (old, 410, "link_expired"),
                (PATH, 422, "invalid"),
            ):
                answer = await rest(method, wrong)
                assert (answer.status_code, answer.json()["code"]) == (status, code), (method, wrong)
        assert await wants_mail(ann)
        assert await wants_mail(ben)


async def test_the_link_of_a_deleted_account_leaves_nothing_behind() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        link = await make_link(rest, ann.id)
        await rest.services.deletion.delete_account(ann.id)
        assert (await rest("POST", link)).status_code == 200
        assert await rest.services.notifications.get_settings([ann.id]) == {}
