"""The routes for operators, in every role: health, readiness, metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from chat.wire.events import encode
from services.common.collaborators import With

router = APIRouter(tags=["operations"])


class Alive(BaseModel):
    """The process runs its event loop."""

    status: str


class Readiness(BaseModel):
    """Whether a balancer should send work to the process, and the state of each engine.

    A state is `ok`, `unreachable`, or, of the embedded storage, `full` or `failing`: its disk cannot be written.
    """

    ready: bool
    draining: bool
    engines: dict[str, str]


@router.get("/healthz", name="alive")
async def report_alive() -> Alive:
    """Alive: the event loop runs. It calls no engine, so a failing engine does not restart every process."""
    return Alive(status="ok")


@router.get("/readyz", name="ready", response_model=Readiness, responses={503: {"model": Readiness}})
async def report_readiness(services: With) -> Response:
    """Ready: not draining, and every engine answers. Otherwise 503, and the body names the engines that do not."""
    engines = await services.health.check_engines()
    draining = services.health.draining
    is_ready = not draining and all(state == "ok" for state in engines.values())
    body = {"ready": is_ready, "draining": draining, "engines": engines}
    return Response(encode(body), 200 if is_ready else 503, media_type="application/json")


@router.get("/metrics", name="metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def render_metrics(services: With) -> Response:
    """All metrics of the process in the Prometheus text format."""
    return Response(generate_latest(services.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
