"""What a client knows of a room or of a direct conversation, kept as the protocol tells a client to keep it.

A view is strict: whatever the edge says that a client need not expect (a repetition, a jump, a message of a room that
was not answered yet) breaks a promise.
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
        self.name = client.call(key)
        self.cursor = start
        self.state = State.NEW
        self.seen: dict[int, str] = {}
        self._held: list[Frame] = []
        self._was_live = False
        self._leaving = False
        self._away = 0.0
        self._asked_as: Standing | None = None

    def connected(self) -> None:
        """A new session, in which nothing was asked yet."""
        self.state, self._held, self._was_live, self._leaving = State.NEW, [], False, False

    def ask(self) -> None:
        """Subscribe, from the cursor on."""
        self.state = State.ASKED
        standing = self.client.standing(self.key)
        self._asked_as = standing if standing.settled else None
        since = {} if self.cursor is None else {"since": self.cursor}
        self.client.post(self._answered, "subscribe", room=self.room, **since)

    def on_message(self, frame: Frame) -> None:
        """A live message."""
        if self.state is State.LIVE:
            self._accept(frame, live=True)
        elif self.state is State.PAGING:
            self._held.append(frame)
        elif self.state is State.AWAY:
            self._accuse(f"hears {frame['seq']} of {self.name} after it was unsubscribed")
        elif self.state is State.OUT:
            self._accuse(f"hears {frame['seq']} of {self.name} after it was put out")
        elif not self._was_live:
            self._accuse(f"hears {frame['seq']} of {self.name} before the subscription was answered")

    def on_gap(self, frame: Frame) -> None:
        """Live delivery was interrupted: what comes until the answer is left to the answer."""
        self.client.tell(f"is told of a gap in {self.name} from {frame['from_seq']} on")
        if self._leaving:
            self.state = State.ASKED
            return
        if self.state is State.LIVE:
            self.ask()
        elif self.state is State.PAGING:
            self._held.append(frame)

    def on_member(self, frame: Frame) -> None:
        """The user's own membership changed."""
        self.client.tell(f"is told that it {frame['change']} in {self.name}")
        if frame["change"] in ("banned", "kicked") and self.state in (State.LIVE, State.PAGING):
            self._put_out()

    def _put_out(self) -> None:
        self.state, self._was_live, self._held, self._away = State.OUT, False, [], 1.0
        self.client.spawn(self._return, State.OUT)

    def leave(self, seconds: float) -> None:
        """Unsubscribe for a while."""
        if self.state is not State.LIVE:
            return
        self._leaving, self._away = True, seconds
        self.client.post(self._left, "unsubscribe", room=self.room)

    def seqs_of(self, client_id: str) -> list[int]:
        """Where a message stands, if it was seen."""
        return [seq for seq, seen in self.seen.items() if seen == client_id]

    def lacks(self, newest: int) -> str:
        """What the client does not have without asking, and should."""
        if not self.client.standing(self.key).has_right(Right.READ):
            listens = self.state in (State.LIVE, State.PAGING)
            return f"still listens to {self.name}, out of which it was put" if listens else ""
        if self.state is State.LIVE and self.cursor == newest:
            return ""
        return f"has {self.name} up to {self.cursor}, and never hears of the rest, up to {newest}"

    def _left(self, answer: Frame) -> None:
        if answer["type"] == "ok":
            self.state, self._was_live, self._leaving = State.AWAY, False, False
            self.client.tell(f"has left {self.name}")
            self.client.spawn(self._return, State.AWAY)

    async def _return(self, state: State) -> None:
        await anyio.sleep(self._away)
        if self.state is state:
            self.ask()

    def _answered(self, answer: Frame) -> None:
        standing = self.client.standing(self.key)
        strict = standing is self._asked_as
        if answer["type"] == "error":
            if answer["code"] == "forbidden" and not (strict and standing.has_right(Right.READ)):
                self._put_out()
            else:
                self.client.later(self.ask, answer)
            return
        if strict and not standing.has_right(Right.READ):
            self._accuse(f"may still listen to {self.name}, out of which it was put")
        newest = answer["seq"]
        self.client.tell(f"listens to {self.name} from {self.cursor} on: {_told(answer)}")
        self._was_live = True
        if self.cursor is None:
            self.cursor = newest
        if answer.get("recovered") is False and newest < self.cursor:
            self._accuse(f"has {self.name} up to {self.cursor}, and is told that {newest} is the newest")
        for item in answer.get("messages", ()):
            self._accept(item, live=False)
        if answer.get("recovered", True):
            self._end_of_answer(newest)
        else:
            self.state = State.PAGING
            self.client.spawn(self._page, newest)

    def _end_of_answer(self, newest: int) -> None:
        if self.cursor != newest:
            self._accuse(f"is answered with {self.name} up to {newest}, and has it up to {self.cursor}")
        self.state = State.LIVE

    async def _page(self, newest: int) -> None:
        """What the answer was too short for."""
        while (cursor := self.cursor or 0) < newest:
            for item in await self.client.page(self.key, cursor):
                if item["seq"] <= newest:  # what is newer comes live
                    self._accept(item, live=False)
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

    def _accept(self, item: Frame, *, live: bool) -> None:
        seq, cursor = item["seq"], self.cursor or 0
        self.client.saw(self.key, item, live=live)
        standing = self.client.standing(self.key)
        if standing.settled and not standing.has_right(Right.READ):
            self._accuse(f"sees {seq} of {self.name}, out of which it was put")
        self.seen[seq] = item["client_id"]
        if seq <= cursor:
            self._accuse(f"sees {seq} of {self.name} again, after {cursor}")
        elif seq > cursor + 1:
            self._accuse(f"sees {seq} of {self.name} after {cursor}, without a word of what was between")
        self.cursor = max(seq, cursor)

    def _accuse(self, what: str) -> None:
        self.client.accuse(what)


class DirectView:
    """A direct conversation. Live copies have no seq; `stored` brings it, and shows what did not come."""

    def __init__(self, client: Client, other: str, key: str) -> None:
        self.client = client
        self.other = other
        self.key = key
        self.name = client.call(key)
        self.cursor = 0
        self.known: set[str] = set()
        self._places: dict[int, str] = {}
        self._live: set[str] = set()
        self._syncing = False

    def connected(self) -> None:
        """A new session: what was live in the last one may come again."""
        self._live, self._syncing = set(), False

    def ask(self) -> None:
        """Catch up with history."""
        if not self._syncing:
            self._syncing = True
            self.client.post(self._answered, "sync", since=self.cursor, **{"with": self.other})

    def on_dm(self, frame: Frame) -> None:
        """A live copy."""
        client_id = frame["client_id"]
        self.client.saw_copy(self.key, frame)
        if client_id in self._live:
            self.client.accuse(f"sees {self.client.call(client_id)} twice in one session")
        self._live.add(client_id)
        self.known.add(client_id)

    def on_stored(self, frame: Frame) -> None:
        """History has a message."""
        seq, client_id = frame["seq"], frame["client_id"]
        self._place(seq, client_id)
        if seq == self.cursor + 1 and client_id in self.known:
            self.cursor = seq
        elif seq > self.cursor:
            self.ask()

    def lacks(self, newest: int) -> str:
        """What the client does not have without asking, and should."""
        if self.cursor == newest and not self._syncing:
            return ""
        return f"has {self.name} up to {self.cursor}, and never hears of the rest, up to {newest}"

    def _answered(self, answer: Frame) -> None:
        self._syncing = False
        if answer["type"] == "error":
            self.client.later(self.ask, answer)
            return
        self.client.tell(f"syncs {self.name} from {self.cursor} on: {_told(answer)}")
        if not answer["recovered"]:
            self._syncing = True
            self.client.spawn(self._page, answer["seq"])
            return
        for item in answer["messages"]:
            self._take(item)
        self._end(answer["seq"])

    async def _page(self, newest: int) -> None:
        while (cursor := self.cursor) < newest:
            for item in await self.client.page(self.key, cursor):
                self._take(item)
            if self.cursor == cursor:
                break
        self._syncing = False
        self._end(newest)

    def _end(self, newest: int) -> None:
        if self.cursor < newest:
            self.client.accuse(f"is answered with {self.name} up to {newest}, and has it up to {self.cursor}")
        if self._places and max(self._places) > self.cursor:
            self.ask()

    def _take(self, item: Frame) -> None:
        seq = item["seq"]
        if seq <= self.cursor:
            return  # `stored` was faster than the answer
        self.client.saw(self.key, item, live=False)
        if seq != self.cursor + 1:
            self.client.accuse(f"is given {seq} of {self.name} after {self.cursor}")
        self.known.add(item["client_id"])
        self._place(seq, item["client_id"])
        self.cursor = seq

    def _place(self, seq: int, client_id: str) -> None:
        if self._places.setdefault(seq, client_id) != client_id:
            self.client.accuse(f"is told of two messages at {seq} of {self.name}")


def _told(answer: Frame) -> str:
    if "recovered" not in answer:
        return f"the newest is {answer['seq']}"
    count = len(answer["messages"])
    return f"{count} messages up to {answer['seq']}" if answer["recovered"] else f"not recovered up to {answer['seq']}"
