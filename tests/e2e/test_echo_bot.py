"""The example bot of the README, as a process of its own, against the real server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import anyio.to_thread
import httpx
import pytest

from tests.e2e.conftest import NewServer
from tests.support.people import PASSWORD, Chat, new_id, register
from tests.support.process import OUTPUT, ROOT, ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@contextmanager
def echo_bot(server: ServerProcess, name: str, *rooms: str) -> Iterator[None]:
    """The bot, once it listens."""
    command = [sys.executable, str(ROOT / "examples" / "echo_bot.py"), name, PASSWORD, *rooms]
    environment = {
        **os.environ,
        "ROOKERY_HTTP_URL": server.http,
        "ROOKERY_WS_URL": server.ws,
        "PYTHONPATH": str(ROOT),
    }
    with (
        (OUTPUT / "e2e" / "echo_bot.log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        try:
            assert process.stdout is not None
            assert b"listens" in process.stdout.readline()
            yield
            assert process.poll() is None
        finally:
            process.kill()


async def ask(chat: Chat, bot: str, text: str) -> None:
    """Write to the bot; it answers."""
    await chat.ok("dm", to=bot, text=text, client_id=new_id())
    event = await chat.event("dm", from_={"id": bot, "name": "echo-bot"})
    assert event["text"] == text


async def test_the_bot_answers_and_survives_a_restart(new_server: NewServer, http: httpx.AsyncClient) -> None:
    server = new_server()
    ada = await register(server, http)
    bot = await register(server, http, "echo-bot")
    room = await ada.new_room()
    await bot.call("POST", f"/api/rooms/{room}/join")
    with echo_bot(server, "echo-bot", room):
        async with ada.chat() as chat:
            await ask(chat, bot.id, "hello")
            await chat.ok("subscribe", room=room)
            await chat.ok("send", room=room, text="nothing for the bot", client_id=new_id())
            await chat.ok("send", room=room, text="@echo-bot hi", client_id=new_id())
            answer = await chat.event("message", seq=3)
            assert (answer["text"], answer["reply_to"]) == (f"{ada.name}: @echo-bot hi", 2)
        server.terminate()
        assert await anyio.to_thread.run_sync(server.wait) == 0
        server.start()
        async with ada.chat() as chat:
            await chat.ok("subscribe", room=room)
            await chat.ok("send", room=room, text="@echo-bot again", client_id=new_id())
            assert (await chat.event("message", seq=5))["text"] == f"{ada.name}: @echo-bot again"
            await ask(chat, bot.id, "still there?")
