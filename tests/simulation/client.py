"""A client that follows the protocol: it sends again until it gets `ok`, and resumes where it was cut off."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import anyio
import msgspec
from anyio.abc import TaskGroup

from chat.domain.conversations import dm_key, room_key
from chat.domain.models import Message, User
from chat.domain.rights import Right
from chat.errors import Unavailable
from chat.wire.message_frames import history_item
from tests.simulation.ledger import Ledger, Sent
from tests.simulation.link import Broken, Link
from tests.simulation.rights import Standing
from tests.simulation.views import DirectView, Frame, RoomView

ANSWER_SECONDS = 20.0
COME_BACK = frozenset({1001, 1012, 4008, 4029})
AGAIN = frozenset({"unavailable", "overloaded", "rate_limited"})
PAGE = 7
Answered = Callable[[Frame], None]


class System(Protocol):
    """The part of the cluster that a client can reach."""

    ledger: Ledger
    drain_seconds: float

    def dial(self, who: str, rng: random.Random) -> Link:
        """A connection to some edge. Raises `Broken`."""
        ...

    def token(self, user: User) -> str:
        """An access token."""
        ...

    async def page(self, key: str, after: int, limit: int) -> Sequence[Message]:
        """A page of history, as REST gives it. Raises `Unavailable`."""
        ...


class Client:
    """A device of a user. For each room it draws where it starts: at the beginning, or with what comes next."""

    def __init__(
        self, name: str, user: User, *, system: System, rng: random.Random, rooms: list[str], others: list[User]
    ) -> None:
        self.name = name
        self.user = user
        self.rng = rng
        self._system = system
        self.ledger = system.ledger
        starts = [rng.choice((None, 0)) for _ in rooms]
        self.rooms = {
            room: RoomView(self, room, room_key(room), start) for room, start in zip(rooms, starts, strict=True)
        }
        self.directs = {other.id: DirectView(self, other.id, dm_key(user.id, other.id)) for other in others}
        self.views: list[RoomView | DirectView] = [*self.rooms.values(), *self.directs.values()]
        self.mine: list[Sent] = []
        self._link: Link | None = None
        self._tasks: TaskGroup | None = None
        self._pending: dict[int, Answered] = {}
        self._ready = anyio.Event()
        self._numbers = 0
        self._stalled = 0.0
        self._announced: int | None = None
        self._left_open: Link | None = None

    # What the views ask for.

    def tell(self, what: str) -> int:
        """Add a line to the story. Its step."""
        return self.ledger.story.tell(self.name, what)

    def accuse(self, what: str) -> None:
        """Note that a promise was broken."""
        self.ledger.story.accuse(self.name, what)

    def standing_in(self, key: str) -> Standing:
        """What the user may do in a conversation."""
        return self.ledger.rights.standing_of(self.user.id, key)

    def name_of(self, key: str) -> str:
        """How the story names a conversation or a message."""
        return self.ledger.story.name(key)

    def note_seen(self, key: str, item: Frame, *, live: bool) -> None:
        """A message with its seq was seen."""
        if live:
            self.tell(f"sees {item['seq']}={self.name_of(item['client_id'])} in {self.name_of(key)}")
        self.ledger.check_seen(self.name, key, item, live=live)

    def note_live_copy(self, key: str, frame: Frame) -> None:
        """The live copy of a direct message was seen."""
        self.tell(f"sees {self.name_of(frame['client_id'])} in {self.name_of(key)}")
        sent = self.ledger.sent.get(frame["client_id"])
        if sent is None or (sent.conversation, sent.text, sent.sender) != (key, frame["text"], frame["from"]["id"]):
            self.accuse("sees a direct message that nobody sent")

    def send_command(self, answered: Answered, type: str, **fields: Any) -> None:
        """Send a command in this session. `answered` is called with the answer, unless the session ends before."""
        if self._link is None:
            if isinstance(answered, Answer):
                answered.note_lost()
            return
        self._numbers += 1
        self._pending[self._numbers] = answered
        try:
            self._link.send_command({"type": type, "id": self._numbers, **fields})
        except Broken:
            self._link.close_socket()

    def start_in_session(self, work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        """Run something until this session ends."""
        if self._tasks is not None:
            self._tasks.start_soon(work, *arguments)

    def ask_again_later(self, ask: Callable[[], None], error: Frame) -> None:
        """Ask again after an error that may pass."""
        if error["code"] not in AGAIN:
            self.accuse(f"is refused: {error['code']}: {error['message']}")
            return

        async def again() -> None:
            await anyio.sleep(0.1 + self.rng.random())
            ask()

        self.start_in_session(again)

    async def read_page(self, key: str, after: int) -> list[Frame]:
        """A page of history after `after`, oldest first."""
        while True:
            try:
                messages = await self._system.page(key, after, PAGE)
            except Unavailable:
                await anyio.sleep(self.rng.random())
            else:
                return [msgspec.to_builtins(history_item(message)) for message in messages]

    # Connections.

    async def run(self) -> None:
        """Connect, and again whenever the connection ends, until cancelled."""
        while True:
            try:
                link = self._system.dial(self.name, self.rng)
                with anyio.fail_after(ANSWER_SECONDS):
                    await link.open()
                self._link = link
                await self._run_session(link)
            except (Broken, TimeoutError) as error:
                self.tell(f"has no connection: {str(error) or 'no answer'}")
            await anyio.sleep(0.02 + self.rng.random() ** 3)

    async def _run_session(self, link: Link) -> None:
        reason = ""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            for view in self.views:
                view.begin_session()
            self.send_command(self._on_auth_answer, "auth", token=self._system.token(self.user))
            try:
                await self._read_frames(link)
            except Broken as broken:
                reason = str(broken)
                self._judge_end(link)
            finally:
                self._link = self._tasks = None
                if self._ready.is_set():
                    self._ready = anyio.Event()
                pending, self._pending = self._pending, {}
                for answered in pending.values():
                    if isinstance(answered, Answer):
                        answered.note_lost()
                if self._left_open is not link:
                    link.close_socket()
            tasks.cancel_scope.cancel()
        raise Broken(reason)

    async def _read_frames(self, link: Link) -> None:
        self._announced = None
        while link.closed is None:
            while self._stalled > anyio.current_time():  # noqa: ASYNC110 - it may be put off meanwhile
                await anyio.sleep_until(self._stalled)
            for frame in await link.read_frames():
                self._handle_frame(frame)
        if link.closed in COME_BACK and self._announced != link.closed:
            self.accuse(f"is closed with {link.closed}, and got no `closing` before")
        raise Broken(f"closed with {link.closed}")

    def _judge_end(self, link: Link) -> None:
        """Check promise 6: an edge that drains sends `closing` to every client that reads."""
        server, mine = link.server, self._link is not link
        if mine or link.closed is not None or server.drained is None or not server.alive:
            return
        if self._stalled < server.drained and anyio.current_time() < server.drained + self._system.drain_seconds:
            self.accuse(f"lost {server.name}, which was drained, and got no `closing`")

    def _on_auth_answer(self, answer: Frame) -> None:
        if answer["type"] == "error":
            if answer["code"] not in AGAIN:
                self.accuse(f"is refused: {answer['code']}")
            return
        self.tell("is authenticated")
        self._ready.set()
        for view in self.views:
            view.catch_up()

    def _handle_frame(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind in ("ok", "error"):
            answered = self._pending.pop(frame["id"], None)
            if answered is None:
                self.accuse(f"gets an answer to {frame['id']}, which it did not send, or had an answer for")
            else:
                answered(frame)
        elif kind == "message":
            self.rooms[frame["room"]].on_message(frame)
        elif kind == "closing":
            self._announced = frame["code"]
        elif kind == "member" and frame["user"] == self.user.id:
            self.rooms[frame["room"]].on_member(frame)
        elif kind == "gap" and "room" in frame:
            self.rooms[frame["room"]].on_gap(frame)
        elif kind == "gap":
            self.directs[frame["with"]].catch_up()
        elif kind == "dm":
            sender = frame["from"]["id"]
            self.directs[frame["to"] if sender == self.user.id else sender].on_dm(frame)
        elif kind == "stored":
            self.directs[frame["with"]].on_stored(frame)

    def has_everything(self) -> bool:
        """Whether the client is authenticated, and has every message."""
        return self._ready.is_set() and not any(self.describe_lack(view) for view in self.views)

    def describe_lack(self, view: RoomView | DirectView) -> str:
        """What a view does not have yet; empty if it has everything."""
        return view.describe_lack(self.ledger.newest.get(view.key, 0))

    # What goes wrong at the client's end.

    def cut_connection(self, *, silently: bool = False) -> Link | None:
        """Lose the connection. If `silently`, the socket stays open and nobody reads it."""
        link, self._link = self._link, None
        if link is None:
            return None
        self.tell("vanishes" if silently else "is cut off")
        if silently:
            self._left_open = link
            link.abandon_socket()
        else:
            link.close_socket()
        return link

    def stop_reading(self, seconds: float) -> None:
        """Do not read for a while."""
        self.tell(f"does not read for {seconds:.1f} s")
        self._stalled = anyio.current_time() + seconds

    # What a client says.

    async def ask_and_wait(self, type: str, **fields: Any) -> Frame | None:
        """Send a command as soon as there is a session, and wait for the answer. None if the session ended before."""
        await self._ready.wait()
        answer = Answer()
        link = self._link
        self.send_command(answer, type, **fields)
        with anyio.move_on_after(ANSWER_SECONDS):
            return await answer.wait()
        self.tell(f"has waited for {type} too long")
        if link is not None:
            link.close_socket()
        return None

    async def repeat_until_ok(self, what: str, type: str, key: str, **fields: Any) -> int:
        """Send a command about a conversation until it is `ok`. How often it was sent; 0 if it was rightly refused."""
        standing, tries = self.standing_in(key), 0
        settled = standing.settled
        while True:
            tries += 1
            self.tell(f"wants to {what}" if tries == 1 else f"wants to {what} (attempt {tries})")
            answer = await self.ask_and_wait(type, **fields)
            strict = settled and standing is self.standing_in(key)
            if answer is not None and answer["type"] == "ok":
                if strict and not standing.has_right(Right.SEND):
                    self.accuse(f"could {what}, although it is {standing}")
                return tries
            if answer is not None and answer["code"] == "forbidden" and not (strict and standing.has_right(Right.SEND)):
                self.tell(f"may not {what}")
                return 0
            if answer is not None and answer["code"] not in AGAIN:
                self.accuse(f"is refused to {what}: {answer['code']}: {answer['message']}")
                return tries
            await anyio.sleep(self.rng.random() * 0.8)

    async def send_until_ok(self, sent: Sent, **where: str) -> None:
        """Send a message until it is acknowledged."""
        sent.first = sent.first or self.tell(f"begins {sent.label}")
        kind = "send" if "room" in where else "dm"
        tries = await self.repeat_until_ok(
            f"{kind} {sent.label} to {self.name_of(sent.conversation)}",
            kind,
            sent.conversation,
            text=sent.text,
            client_id=sent.client_id,
            **where,
        )
        if not tries:
            return
        step = self.tell(f"knows that {sent.label} is durable" + ("" if tries == 1 else f" after {tries} tries"))
        sent.acked = sent.acked or step
        self.mine.append(sent)


class Answer:
    """Waits for an answer."""

    def __init__(self) -> None:
        self._came = anyio.Event()
        self._answer: Frame | None = None

    def __call__(self, answer: Frame) -> None:
        self._answer = answer
        self._came.set()

    def note_lost(self) -> None:
        """The session ended."""
        self._came.set()

    async def wait(self) -> Frame | None:
        await self._came.wait()
        return self._answer
