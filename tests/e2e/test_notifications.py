"""A user who closed the page gets one push, and one mail of what stays unread: embedded, and on the real servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.test_mails import read_token, wait_for
from tests.e2e.test_push import push_service, receive, subscribe
from tests.support.cluster_process import Cluster
from tests.support.mail_server import MailServer, Received
from tests.support.own_servers import servers_with
from tests.support.people import PASSWORD, Person, Server, new_id, register
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
KINDS = ("serve", pytest.param("roles", marks=pytest.mark.production))
VAPID_KEY = "k" * 42 + "A"
SETTINGS = "/api/notifications/settings"


@contextmanager
def running_server(kind: str, push: str, mails: MailServer, folder: Path) -> Iterator[Server]:
    """A server that pushes to `push`, and mails to `mails` what stays unread for three seconds."""
    settings: dict[str, Any] = {
        "push_hosts": push,
        "smtp_url": f"smtp://127.0.0.1:{mails.port}",
        "mail_from": "chat@chat.example",
        "public_url": "https://chat.example",
        "digest_minutes": "0.05",
        "rate_limits": "off",
    }
    if kind == "serve":
        with ServerProcess("notifications", folder / "data", **settings) as process:
            yield process
            process.check()
        return
    cluster_settings = {**settings, "vapid_keys": VAPID_KEY}
    roles = Cluster("notification-roles", servers_with(), edges=1, **cluster_settings)
    with roles.running() as cluster, cluster.add("notifier", "worker", "notification"):
        yield cluster
        cluster.check()


def quiet_now() -> dict[str, str]:
    """Quiet hours, in UTC, that hold for an hour at least."""
    now = datetime.now(UTC)
    return {"from": f"{now - timedelta(hours=1):%H:%M}", "to": f"{now + timedelta(hours=2):%H:%M}"}


@pytest.mark.parametrize("kind", KINDS)
async def test_who_closed_the_page_gets_one_push_and_unread_one_mail(
    kind: str, tmp_path: Path, http: httpx.AsyncClient
) -> None:
    """A room that is muted, quiet hours, and a user who wants no mail are kept silent; what they hold back is not."""
    mails = MailServer()
    async with push_service() as (service, push):
        with mails.running(), running_server(kind, push, mails, tmp_path) as server:
            ann, ben, cat, dan, eve = [await register(server, http) for _ in range(5)]
            for number, person in enumerate((ann, cat, dan)):
                await subscribe(service, person, f"/{number}")
                await verify_address(person, mails, number + 1)
            await verify_address(eve, mails, 4)
            room = await ben.new_room()
            for person in (ann, cat, dan):
                await person.call("POST", f"/api/rooms/{room}/join")
            await ann.call("PUT", SETTINGS, {"rooms": {room: {"muted_until": 2**42}}})
            await cat.call("PUT", SETTINGS, {"quiet_hours": quiet_now()})
            await dan.call("PUT", SETTINGS, {"email": False})
            async with ben.chat() as chat:
                await chat.ok("subscribe", room=room)
                await chat.ok("send", room=room, text="to the room", client_id=new_id())
                for person in (ann, eve):
                    await chat.ok("dm", to=person.id, text="are you there?", client_id=new_id())
                contents = await receive(service, 2)
            found = {(each.browser.endpoint.rpartition("/")[2], each.content["body"]) for each in service.received}
            assert found == {("0", "are you there?"), ("2", f"{ben.name}: to the room")}, contents
            digests = (await wait_for(mails, 6))[4:]
            assert sorted(digest.recipients for digest in digests) == sorted([[address(ann)], [address(eve)]])
            assert all("are you there?" in digest.text() for digest in digests)
            assert all("to the room" not in digest.text() for digest in digests)
            await cat.call("PUT", SETTINGS, {"quiet_hours": None})
            assert len(service.received) == 2
            (of_ann,) = [digest for digest in digests if digest.recipients == [address(ann)]]
            await unsubscribe(ann, of_ann)
            for person in (ann, eve):  # who was there since the last digest may get another one
                await come_and_go(person)
            async with ben.chat() as chat:
                for person in (ann, eve):
                    await chat.ok("dm", to=person.id, text="and now?", client_id=new_id())
            assert (await wait_for(mails, 7))[6].recipients == [address(eve)]
            # Another mail, which comes behind all that were decided together with Eve's.
            await eve.call("POST", "/api/auth/email", {"email": "eve@else.example", "password": PASSWORD}, status=204)
            await wait_for(mails, 8)
    to_ann = [mail for mail in mails.received if mail.recipients == [address(ann)]]
    assert len(to_ann) == 2  # the verification, and the digest with the link


def address(person: Person) -> str:
    return f"{person.name}@mail.example"


async def unsubscribe(person: Person, digest: Received) -> None:
    """As a mail program does with one click (RFC 8058)."""
    link = str(digest.message["List-Unsubscribe"]).strip("<>").removeprefix("https://chat.example")
    form = {"List-Unsubscribe": "One-Click"}
    answer = await person.http.post(person.server.http + link, data=form)
    assert answer.status_code == 200, answer.text
    assert (await person.call("GET", SETTINGS))["email"] is False


async def come_and_go(person: Person) -> None:
    """Be online for a moment."""
    async with person.chat():
        pass


async def verify_address(person: Person, mails: MailServer, count: int) -> None:
    """Give the person an address that is verified; the mail for it is the one of this number."""
    await person.call("POST", "/api/auth/email", {"email": address(person), "password": PASSWORD}, status=204)
    token = read_token((await wait_for(mails, count))[count - 1], "verify")
    await person.call("POST", "/api/auth/email/verify", {"token": token})
