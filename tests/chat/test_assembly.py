"""What the assembly puts together: one data folder, what is remembered across a restart, what is refused."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from chat.assembly import DRIVERS, Engines, check_shared
from chat.domain.conversations import dm_key
from chat.domain.ids import new_id, now_ms
from chat.domain.models import User
from chat.domain.records import Sent
from chat.errors import Unavailable
from chat.ports.relay import Publication
from chat.settings import Address, SettingsError
from chat.wire.records import DM_TOPIC, encode
from chat.wire.relay import live_key, user_channel
from tests.support.patience import patient
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio
ASYNCIO = pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)


@ASYNCIO
async def test_a_direct_message_that_was_seen_live_is_not_seen_again_after_a_restart(tmp_path: Path) -> None:
    ada, bob, client_id = new_id(), new_id(), new_id()
    settings = make_settings(data=tmp_path)
    sent = Sent(conversation=dm_key(ada, bob), actor=ada, ts=now_ms(), name="ada", text="psst", client_id=client_id)
    async with Engines.open(settings) as engines:
        log = await engines.open_log()
        await log.append(DM_TOPIC, sent.conversation, encode(sent))
        await log.append(DM_TOPIC, sent.conversation, b"not a record")
    async with AsyncExitStack() as stack:
        engines = await stack.enter_async_context(Engines.open(settings))
        await engines.open_log()
        relay = (await engines.open_live()).relay
        listener = await stack.enter_async_context(relay.open_listener())
        channel = user_channel(bob)
        await listener.subscribe([channel])
        await relay.publish([Publication(channel, b"again", live_key(ada, client_id, bob))])
        await relay.publish([Publication(channel, b"new", live_key(ada, new_id(), bob))])
        with anyio.fail_after(patient(5)):
            assert [delivery.payload for delivery in await listener.receive()] == [b"new"]


@ASYNCIO
async def test_a_folder_has_one_server_and_any_number_of_guests(tmp_path: Path) -> None:
    settings = make_settings(data=tmp_path)
    async with Engines.open(settings) as engines:
        store = await engines.open_store()
        with pytest.raises(Unavailable, match="in use by another process"):
            async with Engines.open(settings) as others:
                await others.open_store()
        user = User(id=new_id(), name="guest", created=now_ms())
        async with Engines.open(settings, guest=True) as guests:
            await (await guests.open_store()).accounts.create_user(user, None)
        assert await store.accounts.get_user(user.id) == user
    assert await anyio.Path(tmp_path, "rookery.db").exists()


SERVERS: dict[str, Any] = {
    "redis_url": "redis://somewhere",
    "kafka": (Address("somewhere", 1),),
    "mongo_url": "mongodb://somewhere",
}


@pytest.mark.parametrize("name", SERVERS)
async def test_processes_of_single_roles_need_all_three_servers(name: str) -> None:
    settings = make_settings(**{other: value for other, value in SERVERS.items() if other != name})
    with pytest.raises(SettingsError, match=f"set ROOKERY_{name.upper()}:"):
        check_shared(settings)


@pytest.mark.parametrize("anyio_backend", ["trio"], indirect=True)
@pytest.mark.parametrize(("name", "driver"), list(zip(SERVERS, DRIVERS.values(), strict=True)))
async def test_on_trio_the_engines_that_cannot_be_used_are_named(tmp_path: Path, name: str, driver: str) -> None:
    settings = make_settings(data=tmp_path / "data", **{name: SERVERS[name]})
    with pytest.raises(SettingsError, match=rf"ROOKERY_{name.upper()}: .*{driver}.*--backend uvloop"):
        async with Engines.open(settings):
            pass
    assert not await anyio.Path(tmp_path, "data").exists()
