"""Mails of running servers: one process on the embedded engines, and roles on the real ones."""

from __future__ import annotations

import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest

from tests.support.cluster_process import Cluster
from tests.support.mail_server import MailServer, Received
from tests.support.own_servers import servers_with
from tests.support.patience import patient
from tests.support.people import PASSWORD, Person, Server, register
from tests.support.process import RoleProcess, ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
NEW = "another horse battery"
KINDS = ("serve", pytest.param("roles", marks=pytest.mark.production))


@contextmanager
def running_server(kind: str, mails: MailServer, folder: Path) -> Iterator[tuple[Server, RoleProcess]]:
    """A server that hands mails to `mails`, and the process that does it."""
    settings: dict[str, Any] = {
        "smtp_url": f"smtp://127.0.0.1:{mails.port}",
        "mail_from": "chat@chat.example",
        "mail_return_path": "bounces@chat.example",
        "public_url": "https://chat.example",
        "smtp_timeout_seconds": "5",
        "rate_limits": "off",
    }
    if kind == "serve":
        with ServerProcess("mails", folder / "data", **settings) as process:
            yield process, process
            process.check()
        return
    with Cluster("mails-roles", servers_with(), edges=1, **settings).running() as cluster:
        mailer = cluster.add("mailer", "worker", "notification")
        with mailer:
            yield cluster, mailer
            cluster.check()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def read_token(mail: Received, kind: str) -> str:
    found = re.search(rf"https://chat\.example/#{kind}=(\S+)", mail.text())
    assert found is not None, mail.text()
    return found[1]


async def wait_for(mails: MailServer, count: int) -> list[Received]:
    return await anyio.to_thread.run_sync(mails.wait_for, count, patient(90))


async def add_email(person: Person, address: str) -> None:
    await person.call("POST", "/api/auth/email", {"email": address, "password": PASSWORD}, status=204)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_address_is_verified_and_brings_another_password(
    kind: str, tmp_path: Path, http: httpx.AsyncClient
) -> None:
    mails = MailServer()
    with mails.running(), running_server(kind, mails, tmp_path) as (server, _):
        ada = await register(server, http)
        address = f"{ada.name}@mail.example"
        await add_email(ada, address)
        (mail,) = await wait_for(mails, 1)
        assert mail.recipients == [address]
        assert re.fullmatch(r"bounces\+\S+@chat\.example", mail.sender)
        verified = await ada.call("POST", "/api/auth/email/verify", {"token": read_token(mail, "verify")})
        assert verified == {"email": address}
        await ada.call("POST", "/api/auth/password/forgot", {"name": "nobody-has-this-name"}, status=204)
        await ada.call("POST", "/api/auth/password/forgot", {"name": address}, status=204)
        mail = (await wait_for(mails, 2))[1]
        body = {"token": read_token(mail, "reset"), "new_password": NEW}
        await ada.call("POST", "/api/auth/password/reset", body, status=204)
        await ada.call("GET", "/api/auth/me", status=401)
        ada.http.cookies.clear()  # another device
        await ada.call("POST", "/api/auth/login", {"name": ada.name, "password": NEW}, status=200)
        # The proxy before the roles keeps cookies, so there the device is known.
        expected = {"Your password was changed"} | ({"A new log-in to your account"} if kind == "serve" else set())
        subjects = {mail.message["Subject"] for mail in (await wait_for(mails, 2 + len(expected)))[2:]}
        assert subjects == expected


async def test_two_refused_mails_suppress_an_address_until_it_is_verified_again(
    tmp_path: Path, http: httpx.AsyncClient
) -> None:
    mails = MailServer()
    with mails.running(), running_server("serve", mails, tmp_path) as (server, _):
        ada, bob = await register(server, http), await register(server, http)
        for person in (ada, bob):
            await add_email(person, f"{person.name}@mail.example")
        tokens = {mail.recipients[0]: read_token(mail, "verify") for mail in await wait_for(mails, 2)}
        for token in tokens.values():
            await ada.call("POST", "/api/auth/email/verify", {"token": token})
        for count in (1, 2):
            mails.replies.append("550 5.1.1 no such mailbox")
            await ada.call("POST", "/api/auth/password/forgot", {"name": ada.name}, status=204)
            await anyio.to_thread.run_sync(mails.wait_refused, count, patient(60))
        await ada.call("POST", "/api/auth/password/forgot", {"name": ada.name}, status=204)
        await bob.call("POST", "/api/auth/password/forgot", {"name": bob.name}, status=204)
        received = await wait_for(mails, 3)
        assert received[2].recipients == [f"{bob.name}@mail.example"]
        assert len(mails.refused) == 2


@pytest.mark.long
async def test_a_mail_outlives_the_server_that_was_to_send_it(tmp_path: Path, http: httpx.AsyncClient) -> None:
    """No mail server listens while a mail is asked for, and until the process was killed."""
    mails = MailServer(port=free_port())
    with running_server("serve", mails, tmp_path) as (server, process):
        ada = await register(server, http)
        await add_email(ada, f"{ada.name}@mail.example")
        with anyio.fail_after(patient(60)):
            while "is tried again later" not in process.errors():  # noqa: ASYNC110 - its log notifies nobody
                await anyio.sleep(0.1)
        process.kill()
        with mails.running():
            await anyio.to_thread.run_sync(process.start)
            bob = Person(server, ada.name, ada.id, ada.token, http=http)
            await bob.call("POST", "/api/auth/email/resend", status=204)
            first, second = await wait_for(mails, 2)
        assert first.recipients == second.recipients
        assert first.message["Message-ID"] != second.message["Message-ID"]


async def test_without_a_mail_server_mails_are_files_that_the_log_mentions_once(
    tmp_path: Path, http: httpx.AsyncClient
) -> None:
    with ServerProcess("outbox", tmp_path / "data", rate_limits="off") as server:
        for number in range(3):
            ada = await register(server, http)
            await add_email(ada, f"{ada.name}@mail.example")
            with anyio.fail_after(patient(30)):
                while len(files := list((tmp_path / "data" / "outbox").glob("*.eml"))) <= number:  # noqa: ASYNC110 - a folder notifies nobody
                    await anyio.sleep(0.05)
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert all(b"#verify=" in file.read_bytes().replace(b"=\r\n", b"").replace(b"=3D", b"=") for file in files)
        assert server.errors().count("no mail server is named") == 1
        server.check()
