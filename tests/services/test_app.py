"""What holds for every route: problem documents, headers, operations, roles, the OpenAPI document, the page."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from chat.domain.ids import new_id
from chat.errors import Fenced, StorageFailed, Unavailable
from chat.settings import Settings
from services.app import create_app, make_openapi
from services.common.health import PROBE_SECONDS, Health
from services.common.outer_layer import OuterLayer
from services.common.page_files import page_routes
from services.common.settings import select_settings
from services.common.shielding import shield_change
from tests.support.clocks import virtual_time
from tests.support.rest import BASE, open_rest

pytestmark = pytest.mark.anyio


async def test_what_is_not_there_is_404_and_what_comes_later_too() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        later = (
            "/api/push/key",
            f"/api/voice/{new_id()}/token",
        )
        for path in ("/nowhere", "/api", "/api/", "/api/rooms/", "/docs", "/redoc", "/openapi.json", *later):
            answer = await ann("GET", path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_wrong_method_is_405_and_names_the_right_ones() -> None:
    async with open_rest() as rest:
        for method, path, allowed in (("PUT", "/api/auth/login", "POST"), ("POST", "/healthz", "GET, HEAD")):
            answer = await rest(method, path)
            assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
            assert answer.headers["allow"] == allowed
        answer = await rest("DELETE", "/api/rooms")
        assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "POST"}


async def test_the_document_is_made_when_it_is_first_asked_for() -> None:
    async with open_rest() as rest:
        make_openapi.cache_clear()
        async with served(create_app(replace(rest.services, registry=CollectorRegistry()))) as http:
            assert (await http.get("/api/config")).is_success
            assert (await http.post("/api/config")).headers["allow"] == "GET, HEAD"
            assert make_openapi.cache_info().currsize == 0
            first = await http.get("/api/openapi.json")
            assert first.json() == make_openapi()
            assert (await http.get("/api/openapi.json")).content == first.content


async def test_every_answer_carries_the_security_headers() -> None:
    async with open_rest() as rest:
        for path in ("/healthz", "/nowhere", "/api/config", "/api/openapi.json"):
            headers = (await rest("GET", path)).headers
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'self'; ")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert "strict-transport-security" not in headers


async def test_the_policy_follows_the_host_that_was_called_and_no_nonsense() -> None:
    async with open_rest() as rest:
        for host, origin in (
            ("chat.example:8000", "ws://chat.example:8001"),
            ("[::1]:8000", "ws://[::1]:8001"),
            ("evil; script-src *", "ws://127.0.0.1:8001"),
        ):
            for path in ("/api/config", "/api/openapi.json"):
                policy = (await rest("GET", path, headers={"Host": host})).headers["content-security-policy"]
                assert f"connect-src 'self' {origin};" in policy


class Broken:
    """An engine that fails in one way or another."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def search_users(self, prefix: str, limit: int, *, after: str = "") -> Any:
        raise self.error

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    inner: Any = None


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Unavailable("the database is down"), 503, "unavailable"),
        (Fenced("an inner matter"), 500, "internal"),
        (ValueError("a private text"), 500, "internal"),
    ],
)
async def test_errors_of_engines_are_told_as_far_as_they_are_anyones_business(
    error: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    broken: Any = Broken(error)
    async with open_rest() as outer:
        broken.inner = outer.services.accounts
        async with open_rest(accounts=broken, keys=outer.services.keys) as rest:
            ann = await outer.user()
            ann.rest = rest
            answer = await ann("GET", "/api/users")
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert ("retry-after" in answer.headers) == (status == 503)
            assert (status == 503) == (str(error) in answer.text)
    assert "a private text" not in caplog.text
    assert ("ValueError" in caplog.text) == isinstance(error, ValueError)


async def test_head_is_answered_as_get_without_the_body() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        headers = {"Authorization": f"Bearer {ann.access}"}
        for path, operations in rest.checker.document["paths"].items():
            if "get" not in operations or "{" in path:
                continue
            got = await rest.http.get(path, headers=headers)
            head = await rest.http.head(path, headers=headers)
            assert head.status_code == got.status_code, path
            assert head.content == b""
            assert head.headers["content-type"] == got.headers["content-type"]
            if path != "/metrics":  # it counts this request, too
                assert head.headers["content-length"] == got.headers["content-length"]
        for path in ("/", "/api/openapi.json"):
            assert (await rest.http.head(path)).status_code == 200
        assert (await rest.http.head("/api/auth/login")).status_code == 405
        assert (await rest.http.head("/nowhere")).status_code == 404


async def test_health() -> None:
    async with open_rest() as rest:
        assert (await rest("GET", "/healthz")).json() == {"status": "ok"}
        ready = await rest("GET", "/readyz")
        names = ("accounts", "rooms", "history", "relay", "presence", "signing")
        assert (ready.status_code, ready.json()["engines"]) == (200, dict.fromkeys(names, "ok"))
        rest.services.health.drain()
        draining = await rest("GET", "/readyz")
        assert (draining.status_code, draining.json()["draining"], draining.json()["ready"]) == (503, True, False)
        assert (await rest("GET", "/healthz")).status_code == 200


async def test_a_role_that_cannot_sign_is_not_ready_and_says_why() -> None:
    async with open_rest() as rest:
        ann = await rest.user("ann")
        rest.clock.now -= 2 * 3600 * 1000  # it was ahead when the key was made, and is right now
        ready = await rest("GET", "/readyz")
        assert ready.status_code == 503
        assert "check the clock of the server" in ready.json()["engines"]["signing"]
        login = {"name": ann.name, "password": "a long password"}
        refused = await rest("POST", "/api/auth/login", login)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert refused.json()["detail"] == ready.json()["engines"]["signing"]
        await rest.services.keys.refresh_keys()
        assert (await rest("GET", "/readyz")).status_code == 200
        assert (await rest("POST", "/api/auth/login", login)).status_code == 200


@virtual_time
async def test_an_engine_that_cannot_be_reached_is_named() -> None:
    async def fine() -> None:
        await anyio.lowlevel.checkpoint()

    async def failing() -> None:
        raise Unavailable("down")

    async def full() -> None:
        raise StorageFailed("the disk is full", state="full")

    health = Health({"fine": fine, "failing": failing, "hanging": anyio.sleep_forever, "storage": full})
    async with open_rest(health=health) as rest:
        with anyio.fail_after(PROBE_SECONDS + 1):
            answer = await rest("GET", "/readyz")
        assert answer.status_code == 503
        states = {"fine": "ok", "failing": "unreachable", "hanging": "unreachable", "storage": "full"}
        assert answer.json()["engines"] == states


async def test_metrics_name_routes_and_never_what_stands_in_a_path(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="rookery")
    async with open_rest() as rest:
        ann = await rest.user()
        await ann("POST", "/api/invites/secret-token")
        await rest.http.request("BREW", "/secret-path")
        text = (await rest("GET", "/metrics")).text
        assert 'rookery_http_requests_total{method="POST",route="/api/invites/{token}",status="404"} 1.0' in text
        assert 'rookery_http_requests_total{method="other",route="-",status="404"} 1.0' in text
        assert "secret" not in text
    assert "secret" not in caplog.text
    assert "POST /api/invites/{token} 404" in caplog.text


@pytest.mark.parametrize(
    ("roles", "served"),
    [
        (("auth",), {"/api/auth/jwks.json"}),
        (("chat",), {"/api/config"}),
        (("auth", "chat"), {"/api/auth/jwks.json", "/api/config"}),
        ((), set()),
    ],
)
async def test_a_role_serves_its_part(roles: tuple[str, ...], served: set[str]) -> None:
    async with open_rest(roles=roles) as rest:
        for path in ("/api/auth/jwks.json", "/api/config"):
            assert (await rest.http.get(path)).is_success == (path in served)
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await rest("GET", path)).is_success
        document = await rest("GET", "/api/openapi.json")
        assert document.status_code == (200 if roles else 404)
        assert not roles or document.json() == make_openapi()


def test_the_document_describes_every_route_in_full() -> None:
    document = make_openapi()
    assert document["openapi"].startswith("3.1")
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) > 45
    public = {"/healthz", "/readyz", "/metrics", "/api/config", "/api/auth/jwks.json", "/api/moderation/appeals/block"}
    public |= {"/api/push/key", "/api/instance/logo/{digest}"}
    public |= {f"/api/auth/{name}" for name in ("register", "login", "refresh", "logout", "email/verify")}
    public |= {"/api/auth/password/forgot", "/api/auth/password/reset", "/api/notifications/unsubscribe"}
    for path, method, operation in operations:
        where = f"{method} {path}"
        assert operation["description"], where
        assert ("security" in operation) == (path not in public), where
        assert {"500", "503"} <= operation["responses"].keys(), where
        assert ("413" in operation["responses"]) == (method in {"post", "put", "patch", "delete"}), where
        for status, response in operation["responses"].items():
            problem = "application/problem+json" in response.get("content", {})
            assert problem == (int(status) >= 400 and (path, status) != ("/readyz", "503")), where
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert "HTTPValidationError" not in document["components"]["schemas"]


def served(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE)


async def test_the_page_is_served_with_its_types_and_revalidated(tmp_path: Path) -> None:
    files = {"index.html": "text/html; charset=utf-8", "app.js": "text/javascript; charset=utf-8"}
    files |= {"style.css": "text/css; charset=utf-8", "icons/logo.svg": "image/svg+xml"}
    files |= {"app.webmanifest": "application/manifest+json", "secrets.env": "", "README": ""}
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"content of {name}")
    async with served(Starlette(routes=page_routes(tmp_path))) as http:
        for name, media_type in files.items():
            answer = await http.get("/" if name == "index.html" else f"/{name}")
            if not media_type:
                assert answer.status_code == 404
                continue
            assert (answer.text, answer.headers["content-type"]) == (f"content of {name}", media_type)
            assert answer.headers["cache-control"] == "no-cache"
            tag = answer.headers["etag"]
            for known in (tag, f'"other", W/{tag}'):
                again = await http.get(answer.request.url, headers={"If-None-Match": known})
                assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert (await http.head("/")).status_code == 200
        assert (await http.post("/")).status_code == 405


def test_without_files_there_is_no_page(tmp_path: Path) -> None:
    assert page_routes(tmp_path / "nothing") == []


async def test_the_page_is_at_the_root() -> None:
    async with open_rest() as rest:
        answer = await rest("GET", "/")
        if answer.status_code == 200:
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
        else:
            assert not page_routes()


async def test_a_websocket_handshake_is_turned_away_and_told_where_to_go() -> None:
    async with open_rest() as rest:
        app = create_app(rest.services.__class__(**{**vars(rest.services), "registry": CollectorRegistry()}))
    headers = [(b"host", b"chat.test")]
    cases: list[tuple[dict[str, Any], int]] = [({"websocket.http.response": {}}, 404), ({}, 1008)]
    for extensions, expected in cases:
        sent: list[Message] = []

        async def receive() -> Message:
            await anyio.lowlevel.checkpoint()
            return {"type": "websocket.connect"}

        async def send(message: Message, sent: list[Message] = sent) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": "/ws", "headers": headers, "extensions": extensions, "scheme": "ws"}
        await app(scope, receive, send)
        assert (sent[0].get("status") or sent[0]["code"]) == expected
        if expected == 404:
            assert b"ws://chat.test:8001/ws" in sent[1]["body"]


def framed(app: Any) -> OuterLayer:
    return OuterLayer(app, settings=select_settings(Settings()), registry=CollectorRegistry())


@virtual_time
async def test_a_request_that_hangs_is_ended() -> None:
    async def hang(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.sleep_forever()

    async with served(framed(hang)) as http:
        answer = await http.get("/")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_a_defect_after_the_answer_began_does_not_answer_twice() -> None:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": False})
        raise RuntimeError

    async with served(framed(half)) as http:
        assert (await http.get("/")).text == "half"


async def test_other_kinds_of_scope_are_passed_on() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    nothing: Any = None
    await framed(app)({"type": "lifespan"}, nothing, nothing)
    assert seen == ["lifespan"]


@virtual_time
async def test_a_change_that_hangs_is_unavailable() -> None:
    with pytest.raises(Unavailable), shield_change():
        await anyio.sleep_forever()
