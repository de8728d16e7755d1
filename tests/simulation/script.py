"""What the clients of a run do."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial

import anyio

from chat.domain.conversations import dm_key
from tests.simulation.client import Client
from tests.simulation.ledger import Sent
from tests.simulation.plan import ROUND_SECONDS, Plan, identity

BURST = 6


class Script:
    """What one client does: a few actions in a row."""

    def __init__(self, client: Client, plan: Plan, number: int) -> None:
        self._client = client
        self._rng: random.Random = client.rng
        self._plan = plan
        self._number = number
        self._sent = 0
        self._busy = 0
        self._actions: dict[Callable[[], Awaitable[None]], int] = {
            self._send_message: 10,
            self._send_burst: 5,
            self._send_again: 2,
            self._edit_message: 2,
            self._delete_message: 1,
            self._leave_room: 3,
            self._reconnect: 2,
        }
        if client.directs:
            self._actions[self._send_dm] = 5

    @property
    def done(self) -> bool:
        """Whether no request is under way."""
        return not self._busy

    async def run(self) -> None:
        """Do the actions of a round, until all are acknowledged."""
        self._busy += 1
        pause = 2 * ROUND_SECONDS / self._plan.actions  # on the whole, something is said until the end
        actions, weights = list(self._actions), list(self._actions.values())
        for _ in range(self._plan.actions):
            await anyio.sleep(self._rng.random() * pause)
            (act,) = self._rng.choices(actions, weights)
            await act()
        self._busy -= 1

    async def send_last_words(self) -> None:
        """Send a last message to every conversation: a client that missed something without knowing finds the gap."""
        self._busy += 1
        for view in self._client.rooms.values():
            await self._client.send_until_ok(self._compose_message(view.key), room=view.room)
        for other, direct in self._client.directs.items():
            await self._client.send_until_ok(self._compose_message(direct.key), to=other)
        self._busy -= 1

    def _compose_message(self, key: str) -> Sent:
        self._sent += 1
        label = f"{self._client.name}:{self._sent}"
        padding = "." * (self._rng.randint(1, 2) // 2 * self._plan.text_bytes)
        client_id = identity(16 + self._number, self._sent)
        sent = Sent(label, self._client.user.id, client_id, key, f"this is {label}{padding}")
        self._client.ledger.note_message(sent)
        return sent

    async def _send_message(self) -> None:
        view = self._rng.choice(list(self._client.rooms.values()))
        await self._client.send_until_ok(self._compose_message(view.key), room=view.room)

    async def _send_burst(self) -> None:
        """Send several messages at once, without waiting for an `ok` in between."""
        view = self._rng.choice(list(self._client.rooms.values()))
        async with anyio.create_task_group() as tasks:
            for _ in range(self._rng.randint(2, BURST)):
                tasks.start_soon(partial(self._client.send_until_ok, self._compose_message(view.key), room=view.room))

    async def _send_dm(self) -> None:
        other = self._rng.choice(list(self._client.directs))
        await self._client.send_until_ok(self._compose_message(dm_key(self._client.user.id, other)), to=other)

    async def _send_again(self) -> None:
        """Send again a message that was acknowledged, as a program does that has forgotten it."""
        rooms = {view.key: room for room, view in self._client.rooms.items()}
        mine = [sent for sent in self._client.mine if sent.conversation in rooms]
        if mine:
            sent = self._rng.choice(mine)
            await self._client.repeat_until_ok(
                f"send {sent.label} again",
                "send",
                sent.conversation,
                room=rooms[sent.conversation],
                text=sent.text,
                client_id=sent.client_id,
            )

    def _pick_changeable(self) -> tuple[Sent, dict[str, object]] | None:
        """A message of the client whose seq is known, and the fields by which a command names it."""
        found = [
            (sent, {"room": view.room, "seq": seq})
            for sent in self._client.mine
            for view in self._client.rooms.values()
            for seq in view.seqs_of(sent.client_id)
            if not sent.withdrawing
        ]
        return self._rng.choice(found) if found else None

    async def _edit_message(self) -> None:
        found = self._pick_changeable()
        if found is None:
            return
        sent, where = found
        text = f"{sent.text}, edit {len(sent.edits) + 1}"
        sent.edits.append(text)
        tries = await self._client.repeat_until_ok(f"edit {sent.label}", "edit", sent.conversation, text=text, **where)
        if not tries:
            return
        sent.retried = sent.retried or tries > 1
        sent.acked_edits.append(text)

    async def _delete_message(self) -> None:
        found = self._pick_changeable()
        if found is not None:
            sent, where = found
            sent.withdrawing = True
            tries = await self._client.repeat_until_ok(f"delete {sent.label}", "delete", sent.conversation, **where)
            sent.withdrawn = tries > 0

    async def _leave_room(self) -> None:
        """Unsubscribe from a room for a while; perhaps send a message as soon as it is subscribed again."""
        view, seconds = self._rng.choice(list(self._client.rooms.values())), self._rng.random() * 2
        view.unsubscribe_for(seconds)
        if self._rng.random() < 0.5:
            await anyio.sleep(seconds + 0.05)
            await self._client.send_until_ok(self._compose_message(view.key), room=view.room)

    async def _reconnect(self) -> None:
        self._client.cut_connection()
