"""The commands `auth` and `refresh`: from a token to a live session, and from one token to the next.

Many log in at once, so they are welcomed in batches (`gateway.intake`): the relay, the authority and presence are each
asked once for all of them.

Rule 1: who waited too long is refused before anything was done, and comes back later.
Rule 2: the user's channel is subscribed before the authority is asked, so a block that comes in between is not missed.
Rule 3: if an engine fails or takes too long before a session is admitted, the session ends: otherwise it would go on
without its account having been checked.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import anyio

from chat.errors import Blocked, Conflict, RookeryError, Unauthorized, Unavailable
from chat.ports.authority import TokenInfo
from chat.tokens import Claims
from chat.tracing import use_span
from chat.wire import commands, events
from chat.wire.close import CloseCode
from chat.wire.relay import user_channel
from gateway.counters import CommandTiming
from gateway.handlers.displacing import has_room, has_too_many
from gateway.handlers.later import COMMAND_SECONDS, TAKEN_IN, TakenIn
from gateway.hub import Channel
from gateway.node import Node
from gateway.phase import AUTHENTICATING, GONE, LIVE
from gateway.session import Session

logger = logging.getLogger(__name__)
WAIT_SECONDS = 60.0


class Arrival:
    """A session that is to be begun. `id` is None if the token came with the handshake; `came` is when it came, by the
    wheel."""

    __slots__ = ("admitted", "alone", "came", "channel", "claims", "id", "session", "timing", "token")

    def __init__(self, session: Session, claims: Claims, token: str, id: int | None) -> None:  # noqa: A002
        self.session = session
        self.claims = claims
        self.token = token
        self.id = id
        self.came = session.node.wheel.now
        self.timing: CommandTiming | None = session.timing
        self.channel: Channel | None = None
        self.admitted = False
        self.alone = False  # a task of its own goes on with it

    @property
    def live(self) -> bool:
        """Whether the session goes on: it was neither closed nor lost meanwhile."""
        return self.session.phase is LIVE

    def enter(self) -> Channel:
        """Enter the session in the edge's tables. What comes for the user waits until `auth` is answered (rule 3 of the
        hub)."""
        session = self.session
        session.enter_tables(self.claims)
        channel = self.channel = session.node.hub.open_channel(user_channel(session.user))
        channel.begin_joining(session)
        return channel

    def refuse(self, message: str) -> None:
        """The session could not be begun: the client comes back later."""
        self.session.timing = self.timing
        self.session.answer_error(self.id, Unavailable(message))
        self.session.close(CloseCode.SERVICE_RESTART, "the session could not be begun", retry=True)

    def end(self) -> None:
        """Carry out what the client sent behind its `auth`."""
        if self.session.phase is not GONE:
            self.session.timing = self.timing
            self.session.end_command()
        self.session.carry_on()


def handle_auth(session: Session, command: commands.AuthCommand) -> TakenIn | None:
    """Check the token, and begin the session. A token that is not valid ends the connection with 4001."""
    if session.phase is AUTHENTICATING:
        raise Conflict("`auth` is under way")
    try:
        claims = session.node.keys.verify_token(command.token)
    except Unauthorized as error:
        session.answer_error(command.id, error)
        session.close(CloseCode.TOKEN_INVALID, "the token is not valid")
        return None
    if session.phase is LIVE:
        _extend_session(session, claims)
        _greet_client(session, command.id)
        return None
    return begin_session(session, claims, command.token, command.id)


def begin_session(session: Session, claims: Claims, token: str, id: int | None) -> TakenIn:  # noqa: A002
    """Have the session welcomed, with others; `id` is that of its `auth`, None if the token came with the handshake."""
    session.phase = AUTHENTICATING
    session.node.welcomes.take_in(Arrival(session, claims, token, id))
    return TAKEN_IN


async def welcome_sessions(node: Node, arrivals: Sequence[Arrival]) -> None:
    """Enter the sessions in every table, and answer each `auth`. Raises nothing but a cancellation."""
    now = node.wheel.now
    begun = [each for each in arrivals if each.session.phase is AUTHENTICATING]
    for each in begun:
        if now - each.came > WAIT_SECONDS:  # rule 1
            each.refuse("too many sessions are being begun; come back later")
    begun = [each for each in begun if each.session.phase is AUTHENTICATING]
    span = begun[0].timing.span if len(begun) == 1 and begun[0].timing is not None else None
    try:
        with use_span(span), anyio.fail_after(COMMAND_SECONDS):
            await _admit_sessions(node, begun)
    except (RookeryError, TimeoutError):
        pass  # rule 3, below
    except Exception:
        logger.exception("sessions could not be begun")
    for each in begun:
        if not each.admitted and not each.alone and each.live:  # rule 3
            each.refuse("the session could not be begun; try again")
    for each in arrivals:
        if not each.alone:
            each.end()
    node.mux.flush()


async def _admit_sessions(node: Node, begun: Sequence[Arrival]) -> None:
    if not begun:
        return
    await node.subscriptions.ensure_all_ready([each.enter() for each in begun])  # rule 2
    answers = await node.authority.check_tokens([each.token for each in begun])
    checked = [each for each, answer in zip(begun, answers, strict=True) if _heed_authority(each, answer)]
    for each in checked:
        if has_too_many(each.session):
            each.alone = True
            node.tasks.start_soon(_admit_crowded, node, each)
    await _let_in(node, [each for each in checked if not each.alone])


def _heed_authority(arrival: Arrival, answer: TokenInfo | RookeryError) -> bool:
    """Whether the session may go on. If not, it is closed, or was closed while the authority was asked."""
    session = arrival.session
    if not arrival.live:
        return False
    session.timing = arrival.timing
    if isinstance(answer, TokenInfo):
        session.name, session.display_name = answer.name, answer.display_name
        return True
    if isinstance(answer, Blocked):
        session.close(CloseCode.BLOCKED, "the account is blocked")
    elif isinstance(answer, Unauthorized):
        session.answer_error(arrival.id, answer)
        session.close(CloseCode.TOKEN_INVALID, answer.message)
    return False


async def _admit_crowded(node: Node, arrival: Arrival) -> None:
    """The user has too many sessions. Whether one of them is dead takes a while to see: nobody else waits for that."""
    try:
        with anyio.fail_after(COMMAND_SECONDS):
            if await has_room(arrival.session):
                await _let_in(node, [arrival])
            elif arrival.live:
                _refuse_crowded(arrival)
    except (RookeryError, TimeoutError):
        pass  # rule 3, below
    except Exception:  # it must not end the edge, whose task this is
        logger.exception("a session could not be begun")
    if not arrival.admitted and arrival.live:  # rule 3
        arrival.refuse("the session could not be begun; try again")
    arrival.end()
    node.mux.flush()


def _refuse_crowded(arrival: Arrival) -> None:
    session, limit = arrival.session, arrival.session.node.limits.sessions_per_user
    session.timing = arrival.timing
    message = f"at most {limit} sessions a user; close one"
    session.answer_with(events.ErrorAnswer(id=arrival.id, code="too_many_sessions", message=message))
    session.close(CloseCode.RATE_LIMITED, "too many sessions")


async def _let_in(node: Node, arrivals: Sequence[Arrival]) -> None:
    """Enter the sessions in presence, and answer. If presence is down, they go on: its next refresh enters them."""
    entering = [each for each in arrivals if each.live]
    if not entering:
        return
    try:
        sessions = [each.session for each in entering]
        await node.presence.refresh_sessions([(each.user, each.id, each.state) for each in sessions])
    except Unavailable:
        logger.warning("presence is not available; sessions are entered later")
    for each in entering:
        each.admitted = True
        if each.live:
            _answer_arrival(each)
        else:  # it was reported as departed already, perhaps before it was entered
            node.departures.note_departure(each.session.user, each.session.id)


def _answer_arrival(arrival: Arrival) -> None:
    session = arrival.session
    if arrival.id is not None:
        _greet_client(session, arrival.id)
    if arrival.channel is not None and not arrival.channel.finish_joining(session, 0):
        session.close(CloseCode.SERVICE_RESTART, "live delivery was interrupted; resume", retry=True)


def _greet_client(session: Session, id: int) -> None:  # noqa: A002
    session.answer_with(
        events.AuthOk(
            id=id,
            user=events.Person(session.user, session.name, session.display_name),
            session=session.id,
            heartbeat_s=session.node.settings.heartbeat_seconds,
        )
    )


def _extend_session(session: Session, claims: Claims) -> None:
    if claims.user != session.user:
        raise Conflict("the token is another user's; open a session of that user", field="token")
    session.expires_ms = claims.expires_ms
    session.family = claims.family
    session.set_timer()


def handle_refresh(session: Session, command: commands.RefreshCommand) -> None:
    """Continue with a new token of the same user. A token that is not valid changes nothing."""
    _extend_session(session, session.node.keys.verify_token(command.token))
    session.answer_ok(command.id)
