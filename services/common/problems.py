"""Errors as RFC 9457 problem documents: every error of `chat.errors`, of the framework and of HTTP, in one place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from chat.domain.ids import rfc3339
from chat.errors import Blocked, RateLimited, Refused, RookeryError, Unauthorized, Unavailable
from chat.wire.events import encode
from services.common.invalid_fields import explain_invalid

MEDIA_TYPE = "application/problem+json"
BODY_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_long", 415: "unsupported_media_type"}


class Problem(BaseModel):
    """What an error response says (RFC 9457). `code` is stable and machine-readable; `detail` names the fix."""

    type: str = Field(description="about:blank: the code tells the kind")
    title: str = Field(description="the phrase of the HTTP status")
    status: int
    detail: str
    code: str
    field: str | None = Field(default=None, description="the field that is wrong, where one is; else left out")
    retry_after_ms: int | None = Field(default=None, description="with 429: when to come back; else left out")
    reason: str | None = Field(default=None, description="with `blocked`: why; else left out")
    until: str | None = Field(default=None, description="with `blocked`: when the block ends; left out for ever")


def make_problem(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: str | int | None
) -> Response:
    """A problem response. Of `more`, fields that are None are left out."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **{name: value for name, value in more.items() if value is not None},
    }
    return Response(encode(body), status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def answer_error(error: RookeryError) -> Response:
    """The response to an error of the tree. Errors that no client should see, as `Fenced`, are internal."""
    if not isinstance(error, Refused | Unavailable):
        return make_internal_problem()
    headers: dict[str, str] = {}
    retry: int | None = None
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, section 11.6.1; RFC 6750, section 3
    if isinstance(error, RateLimited):
        retry = error.retry_after_ms
        headers["Retry-After"] = str(max(1, math.ceil(retry / 1000)))
    if isinstance(error, Unavailable):
        headers["Retry-After"] = "1"
    more: dict[str, str | int | None] = {"field": error.field, "retry_after_ms": retry}
    if isinstance(error, Blocked):
        more |= {"reason": error.reason, "until": None if error.until is None else rfc3339(error.until)}
    return make_problem(error.status, error.code, error.message, headers, **more)


def make_internal_problem() -> Response:
    """The response to a defect. It says nothing of the defect, which may quote what a user wrote."""
    return make_problem(500, "internal", "the server failed to answer; the error was logged, so try again later")


def install_handlers(app: FastAPI) -> None:
    """Make the application answer every error with a problem document."""
    app.add_exception_handler(RookeryError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_defect)


async def _on_error(_request: Request, error: Any) -> Response:
    return answer_error(error)


async def _on_invalid(_request: Request, error: Any) -> Response:
    return answer_error(explain_invalid(error))


async def _on_http(request: Request, error: Any) -> Response:
    code = _CODES.get(error.status_code, "bad_request")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_list_allowed(request)) or headers.get("Allow", "")
    details = {
        404: "there is nothing at this path; check the address",
        405: "this path does not take that method; the header Allow names those that it takes",
    }
    return make_problem(error.status_code, code, details.get(error.status_code, str(error.detail)), headers)


def _list_allowed(request: Request) -> list[str]:
    """The methods of a path (RFC 9110, section 15.5.6): the framework names those of one of its routes only."""
    routes: Iterable[APIRoute] = request.app.state.rest_routes
    found: set[str] = set()
    for route in routes:
        if route.path_regex.match(request.url.path):
            found.update(route.methods or ())
    return sorted(found | {"HEAD"} if "GET" in found else found)


async def _on_defect(_request: Request, _error: Any) -> Response:
    return make_internal_problem()


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a route: these statuses answer with a problem document."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}} for status in statuses}


def complete_document(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the problems that a layer around all routes may answer, and their schema."""
    for operations in document["paths"].values():
        for method, operation in operations.items():
            body = (400, 408, 413, 415) if method.upper() in BODY_METHODS else ()
            rates = (429,) if "security" in operation else ()  # see `services.common.budgets`
            for status, response in problem_responses(*body, *rates, 500, 503).items():
                operation["responses"].setdefault(str(status), response)
    schemas = document["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document
