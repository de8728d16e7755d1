"""Why `services/common/connection.py` exists, and when it can go: hypercorn's own driver under hostile bytes."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import anyio
import h2.config
import h2.connection
import h2.events
import hypercorn.trio
import pytest
from anyio.abc import SocketStream
from hypercorn.config import Config

from services.common.http_protocols import check_version
from tests.support.http_server import REAL_CLOCKS, UPGRADE, App

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """The driver whose defects these are, with real sockets."""
    return REAL_CLOCKS["trio"]


def test_the_installed_version_is_one_that_the_driver_knows() -> None:
    check_version(version("hypercorn"))


@pytest.mark.parametrize("installed", ["0.17.3", "0.19.0", "1.0", "0.180"])
def test_another_version_is_refused_and_the_error_says_which_to_install(installed: str) -> None:
    with pytest.raises(ImportError, match=r"install 'hypercorn~=0\.18\.0'"):
        check_version(installed)


async def send_upgrade_with_a_byte(stream: SocketStream) -> None:
    await stream.send(UPGRADE + b"\x81")
    await stream.send_eof()


async def send_data_after_the_answer(stream: SocketStream) -> None:
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    request = [(":method", "POST"), (":path", "/early"), (":scheme", "http"), (":authority", "x")]
    client.send_headers(1, request)
    await stream.send(client.data_to_send())
    while not any(isinstance(event, h2.events.StreamEnded) for event in client.receive_data(await stream.receive())):
        pass
    client.send_data(1, b"late", end_stream=True)
    await stream.send(client.data_to_send())


@pytest.mark.parametrize("attack", [send_upgrade_with_a_byte, send_data_after_the_answer])
async def test_one_client_still_ends_the_whole_server_of_hypercorns_own_driver(attack: Any) -> None:
    """When this fails, hypercorn is mended: then look whether its own driver also bounds connections and writes, and
    drains in time. If so, `serve` of `services.common.server` may call it, and `connection` and `http_protocols` go."""
    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.accesslog = config.errorlog = None
    with anyio.fail_after(20), pytest.raises(BaseExceptionGroup):
        await attack_server(config, attack)


async def attack_server(config: Config, attack: Any) -> None:
    app: Any = App()
    async with anyio.create_task_group() as tasks:
        urls = await tasks.start(hypercorn.trio.serve, app, config)
        async with await anyio.connect_tcp("127.0.0.1", int(urls[0].rpartition(":")[2])) as stream:
            await attack(stream)
            await anyio.sleep(5)
        tasks.cancel_scope.cancel()  # the server has outlived the attack
