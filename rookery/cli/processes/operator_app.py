"""`/healthz`, `/readyz` and `/metrics` of several processes as one, on the `--http` address of their supervisor.

Rule 1: alive means that every process which serves answers, so an orchestrator notices one that hangs.
Rule 2: ready means that each new connection finds a process that is ready: all whose socket is open. A process that is
        to be started later has no socket, and the others take its connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chat.settings import Address
from rookery.cli.processes.fetching import fetch_pages
from rookery.cli.processes.joined_metrics import PlacesCollector, join_metrics
from rookery.cli.processes.supervisor import PlaceState, Supervisor


class OperatorRoutes:
    """The routes of a supervisor."""

    def __init__(self, supervisor: Supervisor, own: Sequence[Collector]) -> None:
        self._supervisor = supervisor
        disable_created_metrics()  # type: ignore[no-untyped-call] # as in every role
        self._registry = CollectorRegistry()
        for collector in own:
            self._registry.register(collector)

    async def report_alive(self, _request: Request) -> Response:
        """200 when every process that serves answers (rule 1)."""
        addresses = self._list_addresses()
        answers = await fetch_pages(addresses, "/healthz")
        hanging = [number for number, address in addresses.items() if address and not _is_good(answers[number])]
        body: dict[str, Any] = {"status": "hangs" if hanging else "ok"}
        if hanging:
            body["processes"] = hanging
        return _answer(body, is_good=not hanging)

    async def report_readiness(self, _request: Request) -> Response:
        """200 when every new connection finds a process that is ready (rule 2)."""
        states = {place.number: place.state for place in self._supervisor.places}
        answers = await fetch_pages(self._list_addresses(), "/readyz")
        processes: dict[str, Any] = {}
        for number, state in states.items():
            found = answers[number]
            processes[str(number)] = {"state": state.value, "ready": _is_good(found), **_read_engines(found)}
        here = [number for number, state in states.items() if state is not PlaceState.WAITING]
        draining = self._supervisor.draining
        is_ready = bool(here) and not draining and all(_is_good(answers[number]) for number in here)
        return _answer({"ready": is_ready, "draining": draining, "processes": processes}, is_good=is_ready)

    async def render_metrics(self, _request: Request) -> Response:
        """The metrics of all processes that answer, and of the supervisor itself."""
        answers = await fetch_pages(self._list_addresses(), "/metrics")
        pages = {str(number): found[1].decode() for number, found in answers.items() if found and found[0] == 200}
        pages["supervisor"] = generate_latest(self._registry).decode()
        page = join_metrics(pages, [PlacesCollector(self._supervisor.places)])
        return Response(page, headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _list_addresses(self) -> dict[int, Address | None]:
        return {place.number: place.address for place in self._supervisor.places}


def make_operator_app(supervisor: Supervisor, own: Sequence[Collector]) -> Starlette:
    """The application; `own` are collectors of the supervisor's process."""
    routes = OperatorRoutes(supervisor, own)
    return Starlette(
        routes=[
            Route("/healthz", routes.report_alive),
            Route("/readyz", routes.report_readiness),
            Route("/metrics", routes.render_metrics),
        ]
    )


def _read_engines(found: tuple[int, bytes] | None) -> dict[str, Any]:
    """What a process says of its engines; nothing when its server refused the connection, with 503 and no body."""
    asked = orjson.loads(found[1]) if found is not None and found[1] else {}
    return {name: asked[name] for name in ("draining", "engines") if name in asked}


def _is_good(found: tuple[int, bytes] | None) -> bool:
    return found is not None and found[0] == 200


def _answer(body: dict[str, Any], *, is_good: bool) -> Response:
    return Response(orjson.dumps(body), 200 if is_good else 503, media_type="application/json")
