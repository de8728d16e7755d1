"""What a client knows of a room or of a direct conversation, kept as the protocol says.

A view is strict: whatever a client need not expect (a repetition, a gap without notice, a message of a room before the
answer to `subscribe`) breaks a promise.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import anyio

from chat.domain.rights import Right

if TYPE_CHECKING:
    from tests.simulation.client import Client
    from tests.simulation.rights import Standing

Frame = dict[str, Any]


class State(Enum):
    """Of a room: nothing asked in this session; asked; listening; fetching pages; unsubscribed; not allowed."""

    NEW = "new"
    ASKED = "asked"
    LIVE = "live"
    PAGING = "paging"
    AWAY = "away"
    OUT = "out"


class RoomView:
    """A room. `cursor` is the newest seq up to which nothing is missing, from `start` on; None: never subscribed."""

    def __init__(self, client: Client, room: str, key: str, start: int | None) -> None:
        self.client = client
        self.room = room
        self.key = key
        self.name = client.name_of(key)
        self.cursor = start
        self.state = State.NEW
        self.seen: dict[int, str] = {}
        self._held: list[Frame] = []
        self._was_live = False
        self._leaving = False
        self._away = 0.0
        self._asked_as: Standing | None = None

    def begin_session(self) -> None:
        """A new session, in which nothing was asked yet."""
        self.state, self._held, self._was_live, self._leaving = State.NEW, [], False, False

    def catch_up(self) -> None:
        """Subscribe, from the cursor on."""
        self.state = State.ASKED
        standing = self.client.standing_in(self.key)
        self._asked_as = standing if standing.settled else None
        since = {} if self.cursor is None else {"since": self.cursor}
        self.client.send_command(self._on_answer, "subscribe", room=self.room, **since)

    def on_message(self, frame: Frame) -> None:
        """A live message."""
        if self.state is State.LIVE:
            self._accept_message(frame, live=True)
        elif self.state is State.PAGING:
            self._held.append(frame)
        elif self.state is State.AWAY:
            self._accuse(f"gets {frame['seq']} of {self.name} after it was unsubscribed")
        elif self.state is State.OUT:
            self._accuse(f"gets {frame['seq']} of {self.name} after it was removed")
        elif not self._was_live:
            self._accuse(f"gets {frame['seq']} of {self.name} before the subscription was answered")

    def on_gap(self, frame: Frame) -> None:
        """Live delivery was interrupted: subscribe again; the answer brings what comes until then."""
        self.client.tell(f"gets `gap` in {self.name} from {frame['from_seq']} on")
        if self._leaving:
            self.state = State.ASKED
            return
        if self.state is State.LIVE:
            self.catch_up()
        elif self.state is State.PAGING:
            self._held.append(frame)

    def on_member(self, frame: Frame) -> None:
        """The user's own membership changed."""
        self.client.tell(f"gets `member` with {frame['change']} in {self.name}")
        if frame["change"] in ("banned", "kicked") and self.state in (State.LIVE, State.PAGING):
            self._put_out()

    def _put_out(self) -> None:
        self.state, self._was_live, self._held, self._away = State.OUT, False, [], 1.0
        self.client.start_in_session(self._subscribe_again, State.OUT)

    def unsubscribe_for(self, seconds: float) -> None:
        """Unsubscribe for a while."""
        if self.state is not State.LIVE:
            return
        self._leaving, self._away = True, seconds
        self.client.send_command(self._on_unsubscribed, "unsubscribe", room=self.room)

    def seqs_of(self, client_id: str) -> list[int]:
        """The seqs at which a message was seen."""
        return [seq for seq, seen in self.seen.items() if seen == client_id]

    def describe_lack(self, newest: int) -> str:
        """What the client should have by now, and does not; empty if it has everything."""
        if not self.client.standing_in(self.key).has_right(Right.READ):
            listens = self.state in (State.LIVE, State.PAGING)
            return f"still listens to {self.name}, from which it was removed" if listens else ""
        if self.state is State.LIVE and self.cursor == newest:
            return ""
        return f"has {self.name} up to {self.cursor}, and never gets the rest, up to {newest}"

    def _on_unsubscribed(self, answer: Frame) -> None:
        if answer["type"] == "ok":
            self.state, self._was_live, self._leaving = State.AWAY, False, False
            self.client.tell(f"has left {self.name}")
            self.client.start_in_session(self._subscribe_again, State.AWAY)

    async def _subscribe_again(self, state: State) -> None:
        await anyio.sleep(self._away)
        if self.state is state:
            self.catch_up()

    def _on_answer(self, answer: Frame) -> None:
        standing = self.client.standing_in(self.key)
        strict = standing is self._asked_as
        if answer["type"] == "error":
            if answer["code"] == "forbidden" and not (strict and standing.has_right(Right.READ)):
                self._put_out()
            else:
                self.client.ask_again_later(self.catch_up, answer)
            return
        if strict and not standing.has_right(Right.READ):
            self._accuse(f"may still listen to {self.name}, from which it was removed")
        newest = answer["seq"]
        self.client.tell(f"listens to {self.name} from {self.cursor} on: {_describe_answer(answer)}")
        self._was_live = True
        if self.cursor is None:
            self.cursor = newest
        if answer.get("recovered") is False and newest < self.cursor:
            self._accuse(f"has {self.name} up to {self.cursor}, and gets {newest} as the newest")
        for item in answer.get("messages", ()):
            self._accept_message(item, live=False)
        if answer.get("recovered", True):
            self._end_of_answer(newest)
        else:
            self.state = State.PAGING
            self.client.start_in_session(self._read_pages, newest)

    def _end_of_answer(self, newest: int) -> None:
        if self.cursor != newest:
            self._accuse(f"is answered with {self.name} up to {newest}, and has it up to {self.cursor}")
        self.state = State.LIVE

    async def _read_pages(self, newest: int) -> None:
        """Read page by page what the answer did not bring."""
        while (cursor := self.cursor or 0) < newest:
            for item in await self.client.read_page(self.key, cursor):
                if item["seq"] <= newest:  # what is newer comes live
                    self._accept_message(item, live=False)
            if self.state is not State.PAGING:
                return
            if self.cursor == cursor:
                break
        self._end_of_answer(newest)
        held, self._held = self._held, []
        for frame in held:
            if frame["type"] == "gap":
                self.on_gap(frame)
            else:
                self.on_message(frame)

    def _accept_message(self, item: Frame, *, live: bool) -> None:
        seq, cursor = item["seq"], self.cursor or 0
        self.client.note_seen(self.key, item, live=live)
        standing = self.client.standing_in(self.key)
        if standing.settled and not standing.has_right(Right.READ):
            self._accuse(f"sees {seq} of {self.name}, from which it was removed")
        self.seen[seq] = item["client_id"]
        if seq <= cursor:
            self._accuse(f"sees {seq} of {self.name} again, after {cursor}")
        elif seq > cursor + 1:
            self._accuse(f"sees {seq} of {self.name} after {cursor}, without a `gap` for what is between")
        self.cursor = max(seq, cursor)

    def _accuse(self, what: str) -> None:
        self.client.accuse(what)


class DirectView:
    """A direct conversation. Live copies have no seq; `stored` brings it, and shows which copies did not come."""

    def __init__(self, client: Client, other: str, key: str) -> None:
        self.client = client
        self.other = other
        self.key = key
        self.name = client.name_of(key)
        self.cursor = 0
        self.known: set[str] = set()
        self._places: dict[int, str] = {}
        self._live: set[str] = set()
        self._syncing = False

    def begin_session(self) -> None:
        """A new session: what was live in the last one may come again."""
        self._live, self._syncing = set(), False

    def catch_up(self) -> None:
        """Catch up with history."""
        if not self._syncing:
            self._syncing = True
            self.client.send_command(self._on_answer, "sync", since=self.cursor, **{"with": self.other})

    def on_dm(self, frame: Frame) -> None:
        """A live copy."""
        client_id = frame["client_id"]
        self.client.note_live_copy(self.key, frame)
        if client_id in self._live:
            self.client.accuse(f"sees {self.client.name_of(client_id)} twice in one session")
        self._live.add(client_id)
        self.known.add(client_id)

    def on_stored(self, frame: Frame) -> None:
        """History has a message."""
        seq, client_id = frame["seq"], frame["client_id"]
        self._note_place(seq, client_id)
        if seq == self.cursor + 1 and client_id in self.known:
            self.cursor = seq
        elif seq > self.cursor:
            self.catch_up()

    def describe_lack(self, newest: int) -> str:
        """What the client should have by now, and does not; empty if it has everything."""
        if self.cursor == newest and not self._syncing:
            return ""
        return f"has {self.name} up to {self.cursor}, and never gets the rest, up to {newest}"

    def _on_answer(self, answer: Frame) -> None:
        self._syncing = False
        if answer["type"] == "error":
            self.client.ask_again_later(self.catch_up, answer)
            return
        self.client.tell(f"syncs {self.name} from {self.cursor} on: {_describe_answer(answer)}")
        if not answer["recovered"]:
            self._syncing = True
            self.client.start_in_session(self._read_pages, answer["seq"])
            return
        for item in answer["messages"]:
            self._accept_item(item)
        self._end_sync(answer["seq"])

    async def _read_pages(self, newest: int) -> None:
        while (cursor := self.cursor) < newest:
            for item in await self.client.read_page(self.key, cursor):
                self._accept_item(item)
            if self.cursor == cursor:
                break
        self._syncing = False
        self._end_sync(newest)

    def _end_sync(self, newest: int) -> None:
        if self.cursor < newest:
            self.client.accuse(f"is answered with {self.name} up to {newest}, and has it up to {self.cursor}")
        if self._places and max(self._places) > self.cursor:
            self.catch_up()

    def _accept_item(self, item: Frame) -> None:
        seq = item["seq"]
        if seq <= self.cursor:
            return  # `stored` was faster than the answer
        self.client.note_seen(self.key, item, live=False)
        if seq != self.cursor + 1:
            self.client.accuse(f"is given {seq} of {self.name} after {self.cursor}")
        self.known.add(item["client_id"])
        self._note_place(seq, item["client_id"])
        self.cursor = seq

    def _note_place(self, seq: int, client_id: str) -> None:
        if self._places.setdefault(seq, client_id) != client_id:
            self.client.accuse(f"gets two messages at {seq} of {self.name}")


def _describe_answer(answer: Frame) -> str:
    if "recovered" not in answer:
        return f"the newest is {answer['seq']}"
    count = len(answer["messages"])
    return f"{count} messages up to {answer['seq']}" if answer["recovered"] else f"not recovered up to {answer['seq']}"
