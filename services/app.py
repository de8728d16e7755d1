"""The HTTP application of a process: the routes of its roles, and what every role serves."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

import anyio
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from chat.engines.executor import ThreadExecutor
from chat.wire.events import encode
from chat.wire.pages import AttentionList, DirectMessages, FoundMessages, PinList, RoomMessages
from services.auth.login_rates import LoginRates
from services.common import operator_routes, problems
from services.common.addresses import client_address, limit_key
from services.common.bodies import BodyLimit
from services.common.budgets import CallBudgets
from services.common.collaborators import Services
from services.common.cross_origin import allow_origins
from services.common.outer_layer import OuterLayer
from services.common.page_files import page_routes
from services.common.struct_schemas import add_struct_schemas
from services.common.version import product_version


def load_routers(part: str) -> list[APIRouter]:
    """The routers of a part of REST. They are imported here: what a process does not serve is half of its start.

    Raises `LookupError` for a part that there is not.
    """
    if part == "auth":
        from services.auth import email_routes, own_account, profile, recovery_routes, routes

        return [routes.router, own_account.router, profile.router, email_routes.router, recovery_routes.router]
    if part == "chat":
        return [*_load_chat(), *load_routers("notification"), *load_routers("moderation")]
    if part == "notification":
        from services.notification import push_routes, settings_routes, unsubscribe_routes

        return [settings_routes.router, push_routes.router, unsubscribe_routes.router]
    if part == "moderation":
        from services.moderation import instance_routes, logo_routes, moderator_routes, user_routes

        return [user_routes.router, moderator_routes.router, instance_routes.router, logo_routes.router]
    raise LookupError(part)


def _load_chat() -> list[APIRouter]:
    from services.chat import attention, config, history, invites, members, preferences, privacy, rooms, search, users

    rooms_and_messages = [rooms.router, members.router, invites.router, history.router, search.router, attention.router]
    return [*rooms_and_messages, users.router, privacy.router, preferences.router, config.router]


def create_app(collaborators: Services, roles: Collection[str] = ("auth", "chat")) -> ASGIApp:
    """The ASGI application. `auth` serves `/api/auth/*`; `moderation` `/api/moderation/*`; `chat` these, all other
    `/api/*`, and the page; every process `/healthz`, `/readyz` and `/metrics`. One application per
    `collaborators.registry`."""
    app = _make_bare_app()
    if {"chat", "moderation"} <= set(roles):
        roles = set(roles) - {"moderation"}  # `chat` serves it
    for role in roles:
        add_routes(app, load_routers(role))
    add_routes(app, [operator_routes.router])
    if roles:
        app.add_route("/api/openapi.json", _DocumentRoute().send_document, include_in_schema=False)
    if "chat" in roles:
        app.router.routes.extend(page_routes())
    app.state.services = collaborators
    app.state.rest_routes = [route for route in app.router.routes if isinstance(route, APIRoute)]
    app.state.login_rates = LoginRates(collaborators)
    app.state.budgets = CallBudgets(collaborators)
    problems.install_handlers(app)
    settings = collaborators.settings
    limited = BodyLimit(
        app,
        limit=settings.limits.body_bytes,
        read_address=lambda scope: limit_key(client_address(scope, settings.http)),
    )
    layered = OuterLayer(limited, settings=collaborators.settings, registry=collaborators.registry)
    return allow_origins(layered, collaborators.settings.origins)


def add_routes(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Let the application serve the routes of these routers, as they are.

    `FastAPI.include_router` would read the signatures of all their functions again, within the first request: for a
    tenth of a second, nobody else would be answered.
    """
    for router in routers:
        app.router.routes.extend(router.routes)


class _DocumentRoute:
    """Serves the OpenAPI document. It is made when somebody first asks for it, since that takes as long as a quarter of
    all else that a process does until it is ready; and off the event loop, which others share."""

    def __init__(self) -> None:
        self._executor = ThreadExecutor()
        self._turns = anyio.CapacityLimiter(1)
        self._encoded: bytes | None = None

    async def send_document(self, _request: Request) -> Response:
        if self._encoded is None:
            self._encoded = await self._executor.run_blocking(_encode_openapi, self._turns)
        return Response(self._encoded, media_type="application/json")


@cache
def _encode_openapi() -> bytes:
    return encode(make_openapi())


@cache
def make_openapi() -> dict[str, Any]:
    """The OpenAPI document of all roles: the public contract does not depend on who serves which part."""
    app = _make_bare_app()
    add_routes(app, [*load_routers("auth"), *load_routers("chat"), operator_routes.router])
    document = problems.complete_document(app.openapi())
    add_struct_schemas(document, (RoomMessages, DirectMessages, FoundMessages, PinList, AttentionList))
    return document


def _make_bare_app() -> FastAPI:
    # The interactive pages load scripts from elsewhere, which the content security policy forbids.
    return FastAPI(
        title="Rookery",
        version=product_version(),
        description="The REST part of the public contract; errors are problem documents with a `code`.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
