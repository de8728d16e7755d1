"""An edge whose authority is elsewhere: how often it is asked, and what goes on while it is away."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import pytest

from chat.engines.authority import LocalAuthority
from chat.engines.conversations import StoredConversations
from chat.errors import RookeryError, Unavailable
from chat.ports.authority import RoomAccess, TokenInfo
from tests.support.world import World, another_edge, world

pytestmark = pytest.mark.anyio


class Remote(LocalAuthority):
    """Counts what it is asked, and may be away."""

    def __init__(self, here: World) -> None:
        super().__init__(here.keys, here.accounts, StoredConversations(here.rooms, here.history), here.relay)
        self.away = False
        self.asked: list[object] = []

    async def check_tokens(self, tokens: Sequence[str]) -> Sequence[TokenInfo | RookeryError]:
        self._ask(*("token" for _ in tokens))
        return await super().check_tokens(tokens)

    async def room_access(self, pairs: Sequence[tuple[str, str]]) -> Sequence[RoomAccess]:
        self._ask(*pairs)
        return await super().room_access(pairs)

    def _ask(self, *what: object) -> None:
        self.asked += what
        if self.away:
            raise Unavailable("the auth service cannot be reached")


async def test_a_warm_edge_asks_once_for_a_token_and_once_for_a_room() -> None:
    async with world() as here, another_edge(here, authority=(remote := Remote(here))):
        ada = await here.user("ada")
        room = await here.room(ada)
        client = await here.login(ada)
        for _ in range(5):
            sent = await client.ask("send", room=room, text="hi", client_id=str(uuid4()))
            assert sent["type"] == "ok"
        assert remote.asked == ["token", (ada.id, room)]


async def test_while_the_authority_is_away_known_sessions_go_on_and_new_ones_come_back_later() -> None:
    async with world() as here, another_edge(here, authority=(remote := Remote(here))):
        ada = await here.user("ada")
        room, other = await here.room(ada), await here.room(ada)
        client = await here.login(ada)
        assert (await client.ask("subscribe", room=room))["type"] == "ok"
        remote.away = True
        assert (await client.ask("send", room=room, text="hi", client_id=str(uuid4())))["type"] == "ok"
        assert (await client.event("message"))["text"] == "hi"
        assert (await client.ask("send", room=other, text="hi", client_id=str(uuid4())))["code"] == "unavailable"
        late = await here.client().open()
        refused = await late.ask("auth", token=here.token(ada))
        assert (refused["type"], refused["code"]) == ("error", "unavailable")
        closing = await late.event("closing")
        assert closing["retry_after_ms"] >= 0
        assert (await late.ended())[0] == 1012
        remote.away = False
        assert (await client.ask("send", room=other, text="hi", client_id=str(uuid4())))["type"] == "ok"
        await here.login(ada)
