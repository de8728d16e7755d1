"""Two sessions that talk while a test misbehaves: they must not notice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.support.people import Chat, Person, new_id
from tests.support.process import ServerProcess

MEMORY = 64 * 1024 * 1024
"""By so much the process may grow in one test."""


class Bystander:
    """Two sessions in one room."""

    def __init__(self, room: str, one: Chat, other: Chat) -> None:
        self._room = room
        self._one = one
        self._other = other
        self._said = 0

    async def notices_nothing(self) -> None:
        """A message goes through, on the sessions that were there before, in order and without a hole."""
        self._said += 1
        await self._one.ok("send", room=self._room, text=f"{self._said}", client_id=new_id())
        event = await self._other.event("message")
        assert (event["seq"], event["text"]) == (self._said, f"{self._said}")


@asynccontextmanager
async def standing_by(server: ServerProcess, ada: Person, bob: Person) -> AsyncIterator[Bystander]:
    """A bystander; checked at the end, too, together with the process and its memory."""
    room = await ada.new_room()
    await bob.call("POST", f"/api/rooms/{room}/join")
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(ada.chat())
        other = await stack.enter_async_context(bob.chat())
        await other.ok("subscribe", room=room)
        found = Bystander(room, one, other)
        await found.notices_nothing()
        before = server.rss()
        yield found
        await found.notices_nothing()
        assert server.alive
        assert server.rss() - before < MEMORY
