"""A session that carries out the commands it reads, and costs no task while it is idle.

Rule 1: a command that need not wait is carried out in place.
Rule 2: a command that must wait (for a read of history, for a right that is not cached) runs in the one task of the
session, in the edge's task group, and the session's later commands queue behind it. So a client's messages keep the
client's order.
Rule 3: the task ends with the session: its cancel scope is the session's, and each command has a deadline.
Rule 4: each command is answered, whatever happens. An error in one ends neither the session nor the edge.
Rule 5: `auth` and `subscribe` wait in an intake of the node, and are answered together with those of other sessions;
meanwhile the session's later commands queue, too, and the intake has the session carry on.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple

import anyio

from chat.errors import Refused, RookeryError, Unavailable
from chat.tokens import Claims
from chat.tracing import use_span
from chat.wire import commands
from chat.wire.close import CloseCode
from gateway.connection import Connection
from gateway.counters import CommandTiming
from gateway.handlers.admission import take_from_budget
from gateway.handlers.connecting import begin_session
from gateway.handlers.later import COMMAND_SECONDS, OUR_FAULT, TAKEN_IN, Later, TakenIn
from gateway.handlers.table import BUDGETS, HANDLERS, NAMES
from gateway.node import Node
from gateway.penalties import BAD_COMMAND_COST
from gateway.phase import CLOSING, NEW
from gateway.session import C, Queued, Session
from gateway.websocket.protocol import ServerWebSocket

logger = logging.getLogger(__name__)
_FAILED = "a command of type %s failed"
_NOT_TRACED = nullcontext()


class Waiting(NamedTuple):
    """A command that is not answered yet, and what is left of it."""

    later: Later | TakenIn
    command: commands.Command


class CommandSession(Session):
    """See the module. `_queue` holds the payloads that wait behind a command; None while none waits."""

    __slots__ = ("_queue",)

    def __init__(self, node: Node, connection: Connection, *, deflate: bool) -> None:
        super().__init__(node, connection, deflate=deflate)
        self._queue: deque[bytes] | None = None

    def on_data(self, data: bytes) -> None:
        """Bytes of frames arrived."""
        self.heard_at, self.probed_at = self.node.wheel.now, None
        if self.websocket is None:
            payloads, self.websocket = self.idle_websocket.receive(data)
        else:
            payloads = self.websocket.receive(data)
        if self.websocket is not None and not self._heed_websocket(self.websocket):
            payloads = []
        for at, payload in enumerate(payloads):
            if self._queue is not None:
                self._queue.extend(payloads[at:])  # rule 2
                self.note_begun(len(payloads) - at)
                break
            self._handle_message(payload)
        if self.websocket is not None:  # a command may have closed the session
            self._write_output(self.websocket)

    def _heed_websocket(self, websocket: ServerWebSocket) -> bool:
        """Answer pings, and have them paid. False if the peer cannot: then its messages do not count."""
        if websocket.pongs is not None:
            self.connection.gather(websocket.take_pongs())  # before the answers to what came behind the pings
        return not websocket.charge or self._pay_charge(websocket)

    def _write_output(self, websocket: ServerWebSocket) -> None:
        """Write what the close handshake takes, and end with it; or let go of a WebSocket that is idle again."""
        output = websocket.take_output()
        if output:
            self.connection.gather(output)
        if websocket.closed:
            if self.phase < CLOSING:
                self._begin_closing()
            self.connection.end_writing()
        elif websocket.idle:
            self.websocket = None

    def _pay_charge(self, websocket: ServerWebSocket) -> bool:
        """Pay for pings and for what inflated beyond measure. False if the peer cannot: the connection has failed."""
        charge, websocket.charge = websocket.charge, 0
        if self.pay_penalty(charge):
            return True
        websocket.fail(CloseCode.POLICY_VIOLATION, "too many pings, or messages that inflate too much")
        return False

    def authenticate(self, claims: Claims, token: str) -> None:
        """The handshake carried a valid token: commands wait until the session is in every table."""
        self.expires_ms = claims.expires_ms
        begin_session(self, claims, token, None)
        self._open_queue()

    def _open_queue(self) -> None:
        """A command waits: those that come meanwhile queue behind it."""
        self._queue = deque()
        self.note_begun()

    def _handle_message(self, payload: bytes) -> None:
        """Carry a command out, or have it wait."""
        waiting = self._begin_command(payload)
        if waiting is not None:
            self._open_queue()
            self._wait_for(waiting)

    def _wait_for(self, waiting: Waiting) -> None:
        """Start the session's task (rule 2), unless an intake has the command (rule 5)."""
        if waiting.later is not TAKEN_IN:
            self.node.tasks.start_soon(self._run_task, waiting)

    def _begin_command(self, payload: bytes) -> Waiting | None:
        """Carry a command out in place (rule 1). What is left of it; None if it is answered."""
        if self.phase >= CLOSING:
            return None
        try:
            command = commands.decode_command(payload)
        except commands.BadCommand as error:
            self.answer_error(error.id, error)
            if self.phase is NEW:
                self.close(CloseCode.BAD_FIRST_FRAME, "the first frame is not `auth`")
            elif not self.pay_penalty(BAD_COMMAND_COST):
                self.close(CloseCode.POLICY_VIOLATION, "too many frames that are not commands")
            return None
        if self.phase is NEW and type(command) is not commands.AuthCommand:
            self.close(CloseCode.BAD_FIRST_FRAME, "the first frame is not `auth`")
            return None
        self.node.counters.commands += 1
        self.timing = CommandTiming(NAMES[type(command)])
        try:
            take_from_budget(self, BUDGETS[type(command)], command)
            with _NOT_TRACED if self.timing.span is None else use_span(self.timing.span):
                later = HANDLERS[type(command)](self, command)
        except (Refused, Unavailable) as error:
            self.answer_error(command.id, error)
        except Exception:  # rule 4
            logger.exception(_FAILED, type(command).__name__, extra=self._name_request(command))
            self.answer_error(command.id, RookeryError(OUR_FAULT))
        else:
            if later is TAKEN_IN:
                self.timing = None  # the intake has it
            if later is not None:
                return Waiting(later, command)
        self.end_command()
        return None

    def take_queued(self, kind: type[C], accepts: Callable[[C], bool], most: int) -> list[Queued[C]]:
        """See `Session.take_queued`."""
        taken: list[Queued[C]] = []
        queue, timing = self._queue, None
        while queue and len(taken) < most and self.phase < CLOSING:
            try:
                command = commands.decode_command(queue[0])
            except commands.BadCommand:
                break  # it is answered in its turn
            if type(command) is not kind or not accepts(command):
                break
            queue.popleft()
            if timing is None or timing.span is not None:  # all begin at this moment
                timing = CommandTiming(NAMES[kind])
            taken.append(self._admit_queued(command, timing))
        if taken:
            self.note_ended(len(taken))  # the command at the queue's head owes for them all
        return taken

    def _admit_queued(self, command: C, timing: CommandTiming) -> Queued[C]:
        self.node.counters.commands += 1
        try:
            take_from_budget(self, BUDGETS[type(command)], command)
        except Refused as error:
            return Queued(command, timing, error)
        return Queued(command, timing)

    def carry_on(self) -> None:
        """See `Session.carry_on`."""
        waiting = self._next_waiting()
        if waiting is not None:
            self._wait_for(waiting)

    def _next_waiting(self) -> Waiting | None:
        """A command is answered: carry out those behind it, up to one that must wait. Without one, the queue ends."""
        while self._queue and self.phase < CLOSING:
            self.note_ended()
            waiting = self._begin_command(self._queue.popleft())
            if waiting is not None:
                return waiting
        self._end_queue()
        return None

    def _end_queue(self) -> None:
        """No command waits any more. What is left in the queue is dropped: there is some only if the session ends."""
        dropped, self._queue = self._queue, None
        if dropped is not None:
            self.note_ended(1 + len(dropped))

    def on_lost(self) -> None:
        """The connection is gone, and with it what queued behind a command that an intake has."""
        super().on_lost()
        if self._scope is None:  # else the task ends the queue
            self._end_queue()

    async def _run_task(self, waiting: Waiting | None) -> None:
        """Carry out a command that must wait, then those that queued behind it, in order."""
        # The queue owes one answer as long as it is there, whichever command is carried out; each that is queued owes
        # its own.
        ended = False
        try:
            with anyio.CancelScope() as self._scope:  # rule 3
                while self.phase < CLOSING and waiting is not None and waiting.later is not TAKEN_IN:
                    await self._finish_command(waiting.later, waiting.command)
                    self.node.mux.flush()
                    waiting = self._next_waiting()
                ended = waiting is None or waiting.later is TAKEN_IN
        finally:
            self._scope = None
            if not ended:
                self._end_queue()
        self.node.mux.flush()

    def _name_request(self, command: commands.Command) -> dict[str, str]:
        """What a line of the log says about a command: its session and its id."""
        return {"request": f"{self.id}/{command.id}"}

    async def _finish_command(self, later: Later, command: commands.Command) -> None:
        try:
            span = None if self.timing is None else self.timing.span
            with use_span(span), anyio.fail_after(COMMAND_SECONDS):  # rule 3
                await later()
        except RookeryError as error:
            self.answer_error(command.id, error)
        except TimeoutError:
            self.answer_error(command.id, Unavailable("the command took too long; try again"))
        except Exception:  # rule 4
            logger.exception(_FAILED, type(command).__name__, extra=self._name_request(command))
            self.answer_error(command.id, RookeryError(OUR_FAULT))
        self.end_command()
