"""How many encrypted pushes a second does a core send, from the notification to the push service's answer?

`python -m perf.push [--pushes N]`. The queue is SQLite in a new file, on threads as in production; the push service is
a process of its own that answers 201, over HTTP without TLS, on connections that stay open. CPU is that of the whole
process, encryption and the queue included; wall time depends on what else runs. The baseline is the encryption alone.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chat.adapters.webpush.encryption import encrypt_content
from chat.adapters.webpush.notifier import open_push
from chat.adapters.webpush.payload import fit_payload, write_payload
from chat.adapters.webpush.vapid import generate_key
from chat.domain.notifying import NotificationKind
from chat.domain.push import PushSubscription
from chat.engines.accounts import SqliteAccounts
from chat.engines.database import Database, ThreadExecutor
from chat.engines.push import SqlitePushStore
from chat.engines.schema import STORE
from chat.ports.accounts import RefreshGrant
from chat.ports.notifier import Notification
from chat.settings import PushSettings

BATCH = 200
_ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


def make_notification(user: str, seq: int) -> Notification:
    """A direct message of some words."""
    return Notification(
        user=user,
        conversation=f"dm:{user}:z",
        seq=seq,
        kind=NotificationKind.DM,
        count=1,
        sender="z",
        sender_name="Ben",
        ts=1_767_225_600_000,
        text="shall we meet at the station at half past seven, as last week?",
    )


def make_subscription(user: str, address: str, vapid: str) -> PushSubscription:
    """A browser of the user."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return PushSubscription(
        user=user,
        family=user,
        endpoint=f"http://{address}/push/{user}",
        p256dh=public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        auth=bytes(16),
        service=address,
        vapid=vapid,
        created=0,
    )


@contextmanager
def push_service() -> Iterator[str]:
    """A push service in a process of its own: its HOST:PORT."""
    command = [sys.executable, "-m", "perf.push", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


async def serve() -> None:
    """Answer every request with 201."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            writer.write(_ANSWER)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


async def run(count: int) -> None:
    """The lines to show."""
    encrypting = measure_encryption(count)
    print(f"encryption alone: {encrypting * 1e6:6.0f} µs CPU a push, {1 / encrypting:6.0f} a second on a core")
    key = generate_key()
    with tempfile.TemporaryDirectory(dir=".") as folder, push_service() as address:
        opening = Database.open(
            Path(folder) / "store.db", executor=ThreadExecutor(), schema=STORE, commit_interval_ms=6
        )
        async with opening as database:
            users = [f"user-{number}" for number in range(count)]
            accounts, store = SqliteAccounts(database), SqlitePushStore(database)
            for user in users:
                await accounts.add_grant(RefreshGrant(digest=user.encode(), family=user, user=user, expires=2**50))
                await store.add_subscription(make_subscription(user, address, key.public))
            settings = PushSettings(push_hosts=(address,))
            async with open_push(settings, [key], "mailto:a@b.example", store, ThreadExecutor()) as (notifier, sender):
                cpu, wall = time.process_time(), time.perf_counter()
                for begin in range(0, count, BATCH):
                    await notifier.notify([make_notification(user, 1) for user in users[begin : begin + BATCH]])
                while sender.sent[address, "delivered"] < count:  # noqa: ASYNC110 - the sender notifies nobody
                    await anyio.sleep(0.01)
                cpu, wall = (time.process_time() - cpu) / count, (time.perf_counter() - wall) / count
    print(
        f"the whole way:    {cpu * 1e6:6.0f} µs CPU a push, {1 / cpu:6.0f} a second on a core "
        f"({cpu / encrypting:.1f} x the encryption); {1 / wall:.0f} a second of wall time"
    )


def measure_encryption(count: int) -> float:
    """Seconds of CPU for one encryption."""
    subscription = make_subscription("ann", "127.0.0.1:1", "key")
    content = fit_payload(write_payload(make_notification("ann", 1)))
    encrypt_content(subscription, content)
    cpu = time.process_time()
    for _ in range(count):
        encrypt_content(subscription, content)
    return (time.process_time() - cpu) / count


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pushes", type=int, default=3000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
    else:
        anyio.run(run, given.pushes, backend="asyncio", backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
