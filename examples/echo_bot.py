"""An echo bot: repeats every direct message, and every message of its rooms that mentions it as `@name`.

    python examples/echo_bot.py NAME PASSWORD [ROOM_ID …]

It talks to `scripts/serve` on this machine; set ROOKERY_HTTP_URL and ROOKERY_WS_URL for another server. An unknown
name is registered. The bot reconnects by itself, resumes where it was, and answers each message once.
"""

from __future__ import annotations

import os
import sys
import uuid

import anyio

from rookery.client import Account, Client, DirectMessage, HttpError, Message, connect, login, register

HTTP_URL = os.environ.get("ROOKERY_HTTP_URL", "http://127.0.0.1:8000")
WS_URL = os.environ.get("ROOKERY_WS_URL", "ws://127.0.0.1:8001/ws")


async def sign_in(name: str, password: str) -> Account:
    """Log in; register first if nobody has the name."""
    try:
        await register(HTTP_URL, name, password)
    except HttpError as error:
        if error.status != 409:  # taken: it should be ours
            raise
    return await login(HTTP_URL, name, password)


async def answer(client: Client, event: object) -> None:
    """Echo what is addressed to the bot.

    The answer's `client_id` follows from the message's, so a message that is seen twice is still answered once.
    """
    match event:
        case DirectMessage(text=str(text)) if event.from_.id != client.user.id:
            await client.dm(event.from_.id, text, str(uuid.uuid5(uuid.UUID(event.client_id), "echo")))
        case Message(text=str(text)) if client.user.id in event.mentions and event.sender.id != client.user.id:
            client_id = str(uuid.uuid5(uuid.UUID(event.client_id), "echo"))
            await client.send(event.room, f"{event.sender.name}: {text}", client_id, reply_to=event.seq)
        case _:
            pass


async def main(name: str, password: str, rooms: list[str]) -> None:
    """Run until interrupted."""
    account = await sign_in(name, password)
    async with connect(WS_URL, token=account.token) as client:
        for room in rooms:
            await client.subscribe(room)
        print(f"{client.user.name} listens in {len(rooms)} rooms and to direct messages", flush=True)
        async for event in client:
            await answer(client, event)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(f"usage: {sys.argv[0]} NAME PASSWORD [ROOM_ID ...]")
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3:])
