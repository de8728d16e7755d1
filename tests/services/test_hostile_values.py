"""What strangers write into any field of any call: never a defect, and each refusal is documented and names a field.

The calls come from the OpenAPI document, so a new call and a new field are tried without a word here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from chat.domain.cursors import FoundPlace, MemberPlace, UserPlace, pack_cursor
from tests.support.openapi_values import DOCUMENT, ID, make_valid, resolve
from tests.support.push import FakeBrowser
from tests.support.rest import User, open_rest
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio
ENDING = {("DELETE", "/api/auth/logins"), ("DELETE", "/api/rooms/{room}")}  # the others need the caller, and the room

TEXTS = [
    "",
    "a\0b",
    "\u200b",
    "\uffff",
    "é" * 22,
    "a" + "\u0301" * 500,
    "ﷺ" * 80,
    "İ" * 40,
    "\x01" * 60,
    "../../etc/passwd",
    "Europe/../Europe/Berlin",
    "%s{0}",
    "\r\nX: y",
    "²",
    "٣",
    "2２:00",
    "9" * 30,
    "9" * 4999,
    "https://[::1",
    "https://fcm.googleapis.com:99999/x",
    "a@b.\u202ede",
    "0001-01-01T00:00:00+23:59",
    "2026-01-01T00:00:00",
    "{00000000-0000-4000-8000-000000000000}",
    f"{ID}.abc.{'é' * 22}",
    pack_cursor(UserPlace("a" + "\u0301" * 900)),
    pack_cursor(MemberPlace("\0")),
    pack_cursor(FoundPlace(2**63, 1, "x")),
    pack_cursor(FoundPlace(-(2**63), 2**62, "\0")),
    "x" * 5000,
]
OTHERS: list[Any] = [None, True, -1, 2**53 + 1, 2**64 - 1, 1.5, 1e308, [], {}, [[]], {"a": {}}, [None]]


def list_hostile(schema: dict[str, Any], depth: int = 3) -> Iterator[Any]:
    """Hostile values in the place of this one, and of everything inside of it."""
    yield from TEXTS
    yield from OTHERS
    schema = resolve(schema)
    if not depth or schema["type"] != "object":
        return
    for name, inner in schema.get("properties", {}).items():
        for wrong in list_hostile(inner, depth - 1):
            yield {**make_valid(schema), name: wrong}
    if isinstance(inner := schema.get("additionalProperties"), dict):
        yield from ({key: make_valid(inner)} for key in TEXTS)
        yield from ({ID: wrong} for wrong in list_hostile(inner, depth - 1))


def list_operations() -> list[tuple[str, str]]:
    found = ((method.upper(), path) for path, operations in DOCUMENT["paths"].items() for method in operations)
    return [each for each in found if each not in ENDING]


def find_operation(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return found


def list_bodies(operation: dict[str, Any]) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return
    schema = resolve(content["schema"])
    valid = FakeBrowser().as_json() if "endpoint" in schema["properties"] else make_valid(schema)
    if {"room", "with"} <= valid.keys():
        del valid["with"]
    for field, inner in schema["properties"].items():
        yield from (json.dumps({**valid, field: wrong}, ensure_ascii=False) for wrong in list_hostile(inner))
        twice = json.dumps({"a": 1})[:-1] + ', "\\u0061": 1}'
        yield json.dumps({**valid, field: "HERE"}).replace('"HERE"', twice)


def fill_path(path: str, ids: dict[str, str], **values: str) -> str:
    for name, value in {**ids, **values}.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path


async def check_call(user: User, method: str, path: str, **more: Any) -> None:
    """The answer is checked against the document. Status and sentence are, here."""
    answer = await user(method, path, headers={"Content-Type": "application/json"}, **more)
    assert answer.status_code < 500, (method, path, more, answer.text)
    if answer.status_code < 400:
        return
    problem = answer.json()
    assert 10 < len(problem["detail"]) < 600, problem
    if answer.status_code == 422:
        assert problem.get("field") or problem["detail"].startswith("the body"), (method, path, more, problem)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_whatever_stands_in_a_field_the_answer_is_documented(method: str) -> None:
    async with open_rest(settings=make_settings(rate_limits=False, moderators=("mod",)), push_keys=("key",)) as rest:
        caller, other = await rest.user("mod"), await rest.user("ann")
        room = await caller.room()
        await other("POST", f"/api/rooms/{room}/join")
        await rest.say(f"room:{room}", caller, "hello world")
        ids = {"room": room, "user": other.id, "seq": "1", "case": ID, "invite": ID, "login": ID, "token": "x"}
        for path in (path for verb, path in list_operations() if verb == method):
            operation = find_operation(method, path)
            known = {"q": "hello"} if path == "/api/search" else {}
            for body in list_bodies(operation):
                await check_call(caller, method, fill_path(path, ids), content=body)
            for parameter in operation.get("parameters", []):
                name, place = parameter["name"], parameter["in"]
                for text in filter(None, TEXTS):
                    if place == "query":
                        await check_call(caller, method, fill_path(path, ids), params={**known, name: text})
                    elif place == "path" and "/" not in text:
                        await check_call(caller, method, fill_path(path, ids, **{name: text}))
