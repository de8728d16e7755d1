"""Reports, appeals, decisions and blocks reach the moderators' sessions as events; nobody else gets them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from chat.engines.relay import MemoryRelay
from chat.ports.relay import Publication
from chat.wire.relay import user_channel
from tests.support.moderated_room import ModeratedRoom, open_moderated_room

pytestmark = pytest.mark.anyio


class WatchedRelay(MemoryRelay):
    """Keeps the events of cases and of blocks that were published, with their channels."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.blocks: list[tuple[str, dict[str, Any]]] = []

    async def publish(self, publications: Sequence[Publication]) -> None:
        await super().publish(publications)
        for channel, payload, _ in publications:
            if payload.startswith(b'e{"type":"case"'):
                self.told.append((channel, json.loads(payload[1:])))
            if payload.startswith(b'e{"type":"block"'):
                self.blocks.append((channel, json.loads(payload[1:])))

    def take(self, world: ModeratedRoom) -> list[tuple[str, str, str]]:
        """What the moderator was told since this was asked last: cases, changes and states."""
        told, self.told = self.told, []
        assert {channel for channel, _ in told} <= {user_channel(world.mod.id)}
        assert all(set(event) == {"type", "case", "change", "state"} for _, event in told)
        return [(event["case"], event["change"], event["state"]) for _, event in told]


async def test_the_queue_is_told_of_what_happens() -> None:
    relay = WatchedRelay()
    async with open_moderated_room(relay=relay) as world:
        body = {"room": world.room, "seq": 2, "reason": "insults"}
        case = (await world.ben("POST", "/api/moderation/reports", body)).json()["id"]
        assert relay.take(world) == [(case, "opened", "open")]
        await world.ben("POST", "/api/moderation/reports", body)  # a second time changes nothing
        await world.ben("POST", "/api/moderation/reports", body | {"seq": 99})
        await world.stranger("POST", f"/api/moderation/queue/{case}", {"verdict": "remove"})
        assert relay.take(world) == []
        await world.mod("POST", f"/api/rooms/{world.room}/join")
        await world.mod("POST", "/api/moderation/reports", body)
        assert relay.take(world) == [(case, "changed", "open")]
        await world.mod("POST", f"/api/moderation/queue/{case}", {"verdict": "remove"})
        assert relay.take(world) == [(case, "decided", "decided")]
        await world.apply()
        appeal = {"room": world.room, "seq": 2, "text": "a quotation"}
        await world.ann("POST", "/api/moderation/appeals", appeal)
        assert relay.take(world) == [(case, "changed", "open")]
        assert (await world.ann("POST", "/api/moderation/appeals", appeal)).status_code == 409
        await world.mod("POST", f"/api/moderation/queue/{case}", {"verdict": "allow"})
        assert relay.take(world) == [(case, "decided", "decided")]


async def test_the_queue_is_told_of_the_appeal_of_a_blocked_person() -> None:
    relay = WatchedRelay()
    async with open_moderated_room(relay=relay) as world:
        await world.mod("PUT", f"/api/moderation/blocks/{world.ann.id}", {"reason": "spam"})
        body = {"name": "Ann", "password": "a long password", "text": "it was not me"}
        case = (await world.rest("POST", "/api/moderation/appeals/block", body)).json()["id"]
        assert relay.take(world) == [(case, "opened", "open")]


async def test_moderators_are_told_of_blocks_that_begin_and_end() -> None:
    relay = WatchedRelay()
    async with open_moderated_room(relay=relay) as world:
        blocks = f"/api/moderation/blocks/{world.ann.id}"
        await world.mod("PUT", blocks, {"reason": "spam"})
        await world.mod("DELETE", blocks)
        await world.mod("DELETE", blocks)  # there is none any more
        told = [{"type": "block", "user": world.ann.id, "blocked": blocked} for blocked in (True, False)]
        assert relay.blocks == [(user_channel(world.mod.id), event) for event in told]
