"""The commands `auth` and `refresh`: from a token to a live session, and from one token to the next."""

from __future__ import annotations

import logging
from functools import partial

from chat.errors import Blocked, Conflict, Unauthorized, Unavailable
from chat.tokens import Claims
from chat.wire import commands, events
from chat.wire.close import CloseCode
from chat.wire.relay import user_channel
from gateway.handlers.displacing import has_room
from gateway.handlers.later import Later
from gateway.phase import Phase
from gateway.session import Session

logger = logging.getLogger(__name__)


def handle_auth(session: Session, command: commands.AuthCommand) -> Later | None:
    """Check the token, and begin the session. A token that is not valid ends the connection with 4001."""
    if session.phase is Phase.AUTHENTICATING:
        raise Conflict("`auth` is under way")
    try:
        claims = session.node.keys.verify_token(command.token)
    except Unauthorized as error:
        session.answer_error(command.id, error)
        session.close(CloseCode.TOKEN_INVALID, "the token is not valid")
        return None
    if session.phase is Phase.LIVE:
        _extend_session(session, claims)
        _greet_client(session, command.id)
        return None
    session.phase = Phase.AUTHENTICATING
    return partial(welcome_session, session, claims, command.token, command.id)


async def welcome_session(session: Session, claims: Claims, token: str, id: int | None) -> None:  # noqa: A002
    """Enter the session in every table, and answer `auth`; `id` is None if the token came with the handshake.

    The user's channel is subscribed before the authority is asked, so a block that comes in between is not missed.
    If an engine fails or takes too long before the session is admitted, the session ends: otherwise it would go on
    without its account having been checked.
    """
    session.enter_tables(claims)
    admitted = False
    try:
        admitted = await _admit_session(session, token, id)
    finally:
        if not admitted and session.phase is Phase.LIVE:
            session.answer_error(id, Unavailable("the session could not be begun; try again"))
            session.close(CloseCode.SERVICE_RESTART, "the session could not be begun", retry=True)


async def _admit_session(session: Session, token: str, id: int | None) -> bool:  # noqa: A002
    """Whether the session may go on. If not, it was closed, or its connection is lost. Raises `Unavailable`."""
    node = session.node
    channel = node.hub.open_channel(user_channel(session.user))
    channel.begin_joining(session)  # what comes for the user waits until `auth` is answered (rule 3 of the hub)
    await node.subscriptions.ensure_ready(channel)
    try:
        info = await node.authority.check_token(token)
    except Unauthorized as error:
        session.answer_error(id, error)
        session.close(CloseCode.TOKEN_INVALID, error.message)
        return False
    except Blocked:
        session.close(CloseCode.BLOCKED, "the account is blocked")
        return False
    if not await has_room(session):
        limit = node.limits.sessions_per_user
        message = f"at most {limit} sessions a user; close one"
        session.answer_with(events.ErrorAnswer(id=id, code="too_many_sessions", message=message))
        session.close(CloseCode.RATE_LIMITED, "too many sessions")
    if session.phase is not Phase.LIVE:  # closed just now, or while the authority was asked
        return False
    session.name, session.display_name = info.name, info.display_name
    await _enter_presence(session)
    if id is not None:
        _greet_client(session, id)
    if not channel.finish_joining(session, 0):
        session.close(CloseCode.SERVICE_RESTART, "live delivery was interrupted; resume", retry=True)
    return True


async def _enter_presence(session: Session) -> None:
    """Enter the session in presence. If the engine is down, the session goes on, and the next refresh enters it."""
    try:
        await session.node.presence.enter_session(session.user, session.id, session.state)
    except Unavailable:
        logger.warning("presence is not available; a session is entered later")


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
