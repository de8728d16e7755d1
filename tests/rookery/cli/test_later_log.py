"""A log that a role can start without."""

from __future__ import annotations

import socket
from pathlib import Path

import anyio
import pytest

from chat.errors import Unavailable
from chat.settings import Address
from rookery.cli.later_log import open_later_log
from tests.support.patience import patient
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_it_takes_records_once_it_is_open(tmp_path: Path) -> None:
    async with open_later_log(make_settings(data=tmp_path)) as log:
        with pytest.raises(Unavailable):
            await log.append("topic", "key", b"value")
        with anyio.fail_after(patient(30)):
            while True:
                try:
                    await log.append("topic", "key", b"value")
                    break
                except Unavailable:
                    await anyio.sleep(0.01)
        await log.check_health()
        async with log.join_group("group", ["topic"]) as consumer:
            (batch,) = await consumer.poll(10)
            assert [record.value for record in batch.records] == [b"value"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_without_a_broker_it_refuses_and_ends_at_once(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound, and not listening: connections are refused
        settings = make_settings(data=tmp_path, kafka=(Address("127.0.0.1", sock.getsockname()[1]),))
        with anyio.fail_after(patient(30)):
            async with open_later_log(settings) as log:
                with pytest.raises(Unavailable):
                    log.produce("topic", "key", b"value", lambda _error: None)
