"""Every field of every route: what is wrong with it is said in a sentence that names it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from services.common.invalid_fields import write_sentence
from tests.support.openapi_values import DOCUMENT, ID, make_valid, resolve
from tests.support.rest import open_rest
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio
MACHINE = re.compile(r"[Ii]nput|should|[Ff]ield required|instance of|unable to|ctx|\{|None")
ADMIN = make_settings(rate_limits=False, moderators=("mod",))


def make_wrong(schema: dict[str, Any]) -> Iterator[Any]:
    """Values of another type, and those just outside of each bound."""
    nullable = {"type": "null"} in schema.get("anyOf", [])
    schema = resolve(schema)
    array = schema["type"] == "array"
    yield from (each for each in ([1], {"a": 1}, None) if each is not None or not nullable)
    if array:
        yield "neither"
        yield [ID] * (schema.get("maxItems", 0) + 1)
        return
    if schema["type"] == "string":
        yield 7
        if schema.get("minLength"):
            yield "x" * (schema["minLength"] - 1)
        if "maxLength" in schema:
            yield "x" * (schema["maxLength"] + 1)
    else:
        yield "neither"
    if "enum" in schema or schema.get("format") == "uuid" or "pattern" in schema:
        yield "!"
    if schema["type"] == "integer":
        yield 1.5
        yield from (int(schema["minimum"]) - 1,) if "minimum" in schema else ()
        yield from (int(schema["maximum"]) + 1,) if "maximum" in schema else ()


def list_body_fields() -> Iterator[tuple[str, str, str]]:
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body:
                yield from ((method.upper(), path, field) for field in resolve(body["schema"])["properties"])


def list_query_fields() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query" and method == "get":
                    yield path, parameter["name"], parameter["schema"]


def fill_path(path: str) -> str:
    return re.sub(r"\{seq\}", "1", re.sub(r"\{(room|user|case|token)\}", ID, path))


def check_sentence(problem: dict[str, Any], field: str) -> None:
    assert problem["code"] == "invalid"
    assert problem["field"].split(".")[0] == field
    assert not MACHINE.search(problem["detail"]), problem["detail"]
    assert len(problem["detail"]) > 10


@pytest.mark.parametrize(("method", "path", "field"), list(list_body_fields()))
async def test_a_wrong_field_of_a_body_is_named_in_a_sentence(method: str, path: str, field: str) -> None:
    body = DOCUMENT["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    properties = resolve(body)["properties"]
    left_out = {"room" if field == "with" else "with"}
    valid = {name: make_valid(schema) for name, schema in properties.items() if name not in left_out}
    async with open_rest(settings=ADMIN) as rest:
        moderator = await rest.user("mod")
        for wrong in make_wrong(properties[field]):
            answer = await moderator(method, fill_path(path), {**valid, field: wrong})
            assert answer.status_code == 422, (wrong, answer.text)
            check_sentence(answer.json(), field)
        if field in resolve(body).get("required", ()):
            missing = {name: value for name, value in valid.items() if name != field}
            answer = await moderator(method, fill_path(path), missing)
            check_sentence(answer.json(), field)
            assert answer.json()["detail"] == f"`{field}` is missing; send it"


@pytest.mark.parametrize(("path", "field", "schema"), list(list_query_fields()))
async def test_a_wrong_parameter_is_named_in_a_sentence(path: str, field: str, schema: dict[str, Any]) -> None:
    known = resolve(schema)
    async with open_rest(settings=ADMIN) as rest:
        moderator = await rest.user("mod")
        for wrong in make_wrong(schema):
            if not isinstance(wrong, str | float) or (known["type"] == "string" and wrong in {"", "neither"}):
                continue
            answer = await moderator("GET", fill_path(path), params={"q": "word", field: wrong})
            if answer.status_code == 422:
                check_sentence(answer.json(), field)
            else:
                assert known["type"] == "string"
                assert wrong in {7, "7"}


async def test_what_a_person_typed_wrong_when_registering() -> None:
    async with open_rest() as rest:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"password": "short"}, "`password` has too few characters: give 8 or more"),
            ({"password": "x" * 1025}, "`password` has too many characters: give 1024 or fewer"),
            ({"password": 12345678}, "`password` must be a string"),
            ({"email": "nobody"}, "`email` is not an e-mail address; write it as name@example.org"),
        ]
        for given, says in wrong:
            answer = await rest("POST", "/api/auth/register", {"name": "ann", "password": "a long password"} | given)
            assert answer.json()["detail"] == says
        answer = await rest("POST", "/api/auth/register")
        assert answer.json()["detail"] == "the body is missing; send it"
        answer = await rest("POST", "/api/auth/register", [1])
        assert answer.json()["detail"] == "the body must be a JSON object"


async def test_an_error_without_a_sentence_still_names_the_field() -> None:
    assert write_sentence("a", "of_tomorrow", "Value error, It is odd", {}) == "`a` is not valid: it is odd"
