"""A session that carries out the commands it reads, and costs no task while it is idle.

Rule 1: a command that need not wait is carried out in place.
Rule 2: a command that must wait (for a read of history, for a right that is not cached) runs in the one task of the
session, in the edge's task group, and the session's later commands queue behind it. So a client's messages keep the
client's order.
Rule 3: the task ends with the session: its cancel scope is the session's, and each command has a deadline.
Rule 4: each command is answered, whatever happens. An error in one ends neither the session nor the edge.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import nullcontext
from functools import partial

import anyio

from chat.errors import Refused, RookeryError, Unavailable
from chat.tokens import Claims
from chat.tracing import use_span
from chat.wire import commands
from chat.wire.close import CloseCode
from gateway.connection import Connection
from gateway.counters import CommandTiming
from gateway.handlers.admission import take_from_budget
from gateway.handlers.connecting import welcome_session
from gateway.handlers.later import Later
from gateway.handlers.table import BUDGETS, HANDLERS, NAMES
from gateway.node import Node
from gateway.penalties import BAD_COMMAND_COST
from gateway.phase import Phase
from gateway.session import Session

logger = logging.getLogger(__name__)
_FAILED = "a command of type %s failed"
_NOT_TRACED = nullcontext()
_OUR_FAULT = "the command failed on our side; try again"
COMMAND_SECONDS = 15.0


class CommandSession(Session):
    """See the module. `_queue` holds the payloads that wait behind the task; None while there is no task."""

    __slots__ = ("_queue",)

    def __init__(self, node: Node, connection: Connection, *, deflate: bool) -> None:
        super().__init__(node, connection, deflate=deflate)
        self._queue: deque[bytes] | None = None

    def on_data(self, data: bytes) -> None:
        """Bytes of frames arrived."""
        self.heard_at, self.probed_at = self.node.wheel.now, None
        websocket = self.websocket
        payloads = websocket.receive(data)
        if websocket.pongs is not None:
            self.connection.gather(websocket.take_pongs())  # before the answers to what came behind the pings
        if websocket.charge and not self._pay_charge():
            payloads = []
        for payload in payloads:
            if self._queue is not None:
                self._queue.append(payload)  # rule 2
                self.note_begun()
            else:
                self._handle_message(payload)
        output = websocket.take_output()
        if output:
            self.connection.gather(output)
        if websocket.closed:
            if self.phase < Phase.CLOSING:
                self._begin_closing()
            self.connection.end_writing()

    def _pay_charge(self) -> bool:
        """Pay for pings and for what inflated beyond measure. False if the peer cannot: the connection has failed."""
        charge, self.websocket.charge = self.websocket.charge, 0
        if self.pay_penalty(charge):
            return True
        self.websocket.fail(CloseCode.POLICY_VIOLATION, "too many pings, or messages that inflate too much")
        return False

    def authenticate(self, claims: Claims, token: str) -> None:
        """The handshake carried a valid token: commands wait until the session is in every table."""
        self.phase = Phase.AUTHENTICATING
        self.expires_ms = claims.expires_ms
        self._start_task(partial(welcome_session, self, claims, token, None), commands.Command(id=0))

    def _handle_message(self, payload: bytes) -> None:
        """Carry a command out, or start the task that does."""
        waiting = self._begin_command(payload)
        if waiting is not None:
            self._start_task(*waiting)

    def _begin_command(self, payload: bytes) -> tuple[Later, commands.Command] | None:
        """Carry a command out in place (rule 1). What is left to be awaited, and its command; None if nothing is."""
        if self.phase >= Phase.CLOSING:
            return None
        try:
            command = commands.decode_command(payload)
        except commands.BadCommand as error:
            self.answer_error(error.id, error)
            if self.phase is Phase.NEW:
                self.close(CloseCode.BAD_FIRST_FRAME, "the first frame is not `auth`")
            elif not self.pay_penalty(BAD_COMMAND_COST):
                self.close(CloseCode.POLICY_VIOLATION, "too many frames that are not commands")
            return None
        if self.phase is Phase.NEW and type(command) is not commands.AuthCommand:
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
            self.answer_error(command.id, RookeryError(_OUR_FAULT))
        else:
            if later is not None:
                return later, command
        self.end_command()
        return None

    def _start_task(self, later: Later, command: commands.Command) -> None:
        """Start the session's task; commands that come meanwhile queue behind it (rule 2)."""
        self._queue = deque()
        self.note_begun()
        self.node.tasks.start_soon(self._run_task, later, command)

    async def _run_task(self, later: Later, command: commands.Command) -> None:
        """Carry out a command that must wait, then those that queued behind it, in order."""
        # The task owes one answer as long as it runs, whichever command it is at; each queued message owes its own.
        waiting: tuple[Later, commands.Command] | None = (later, command)
        try:
            with anyio.CancelScope() as self._scope:  # rule 3
                while self.phase < Phase.CLOSING:
                    if waiting is not None:
                        await self._finish_command(*waiting)
                        self.node.mux.flush()
                    if not self._queue:
                        break
                    self.note_ended()
                    waiting = self._begin_command(self._queue.popleft())
        finally:
            self._scope = None
            dropped, self._queue = self._queue, None  # there are some only if the session was closed
            for _ in range(1 + len(dropped or ())):
                self.note_ended()
        self.node.mux.flush()

    def _name_request(self, command: commands.Command) -> dict[str, str]:
        """What a line of the log says about a command: its session and its id."""
        return {"request": f"{self.id}/{command.id}"}

    async def _finish_command(self, later: Later, command: commands.Command) -> None:
        # A session that is being begun waits for its turn first: its deadline runs from there.
        beginning = self.phase is Phase.AUTHENTICATING
        try:
            span = None if self.timing is None else self.timing.span
            async with self.node.welcomes.take_turn() if beginning else nullcontext():
                with use_span(span), anyio.fail_after(COMMAND_SECONDS):  # rule 3
                    await later()
        except RookeryError as error:
            self.answer_error(command.id, error)
        except TimeoutError:
            self.answer_error(command.id, Unavailable("the command took too long; try again"))
        except Exception:  # rule 4
            logger.exception(_FAILED, type(command).__name__, extra=self._name_request(command))
            self.answer_error(command.id, RookeryError(_OUR_FAULT))
        self.end_command()
        if beginning and self.phase is Phase.AUTHENTICATING:  # it was refused before it entered any table
            self.close(CloseCode.SERVICE_RESTART, "the session could not be begun", retry=True)
