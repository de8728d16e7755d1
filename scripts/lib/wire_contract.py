"""The commands, answers and events of `chat.wire`, as JSON Schemas that refer to each other by name.

The documents of the protocol are made from these: see `scripts/lib/asyncapi.py`.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Struct

from chat.wire import commands, events

Schema = dict[str, Any]
REF = "#/components/schemas/"
_WIDTH = 110


@dataclass(frozen=True)
class Frame:
    """A kind of frame: a command, an answer or an event.

    `key` names it among all messages, `schema` among the schemas, `tag` is its `type` on the wire.
    """

    kind: type[Struct]
    key: str
    schema: str
    title: str

    @property
    def tag(self) -> str:
        """The `type` of the frame."""
        return str(self.kind.__struct_config__.tag)

    @property
    def about(self) -> tuple[str, str]:
        """The first sentence of the docstring, and the rest of it, filled anew."""
        paragraphs = [" ".join(part.split()) for part in (inspect.getdoc(self.kind) or "").split("\n\n")]
        first, _, rest = re.sub(r"(?<=[.!?]) ", "\0", paragraphs[0], count=1).partition("\0")
        return first, "\n\n".join(textwrap.fill(part, _WIDTH) for part in (rest, *paragraphs[1:]) if part)


def list_commands() -> list[Frame]:
    """All commands, in the order of `AnyCommand`."""
    kinds: tuple[type[Struct], ...] = commands.AnyCommand.__args__
    tags = [str(kind.__struct_config__.tag) for kind in kinds]
    return [Frame(kind, tag, f"command.{tag}", f"Command {tag}") for kind, tag in zip(kinds, tags, strict=True)]


def list_answers() -> list[Frame]:
    """`ok`, the `ok` of commands that carries more, in the order of the commands, and `error`."""
    found = [Frame(events.OkAnswer, "ok", "answer.ok", "Answer ok")]
    for command in list_commands():
        kind = _answer_of(command)
        if kind is not events.OkAnswer:
            key = f"ok{command.tag.capitalize()}"
            found.append(Frame(kind, key, f"answer.{key}", f"Answer ok to {command.tag}"))
    return [*found, Frame(events.ErrorAnswer, "error", "answer.error", "Answer error")]


def _answer_of(command: Frame) -> type[Struct]:
    kind: type[Struct] = getattr(events, command.kind.__name__.removesuffix("Command") + "Ok", events.OkAnswer)
    return kind


def list_events() -> list[Frame]:
    """All events, in the order of `AnyEvent`."""
    kinds: tuple[type[Struct], ...] = events.AnyEvent.__args__
    tags = [str(kind.__struct_config__.tag) for kind in kinds]
    return [Frame(kind, f"{tag}Event", f"event.{tag}", f"Event {tag}") for kind, tag in zip(kinds, tags, strict=True)]


class Contract:
    """All frames, and the schemas of them and of what they are made of."""

    def __init__(self) -> None:
        self.commands = list_commands()
        self.answers = list_answers()
        self.events = list_events()
        self.frames = [*self.commands, *self.answers, *self.events]
        self._names = {frame.kind.__name__: frame.schema for frame in self.frames}
        self._names |= {"HistoryMessage": "history.room", "HistoryDirectMessage": "history.direct"}

    @property
    def class_names(self) -> dict[str, str]:
        """Name of a schema → that of its struct."""
        return {schema: name for name, schema in self._names.items()}

    @property
    def summaries(self) -> dict[str, str]:
        """Name of a frame's schema → the first sentence about it."""
        return {frame.schema: frame.about[0] for frame in self.frames}

    def find_answer(self, command: Frame) -> Frame:
        """What `ok` is for a command: of `SubscribeCommand`, that is `SubscribeOk` if there is such a struct."""
        kind = _answer_of(command)
        return next(answer for answer in self.answers if answer.kind is kind)

    @cached_property
    def schemas(self) -> dict[str, Schema]:
        """Every schema by its name: first what frames are made of, then the frames, in the order of the frames."""
        shared: dict[str, Schema] = {}
        framed: dict[str, Schema] = {}
        kinds = [frame.kind for frame in self.frames]
        _, components = msgspec.json.schema_components(kinds, ref_template="{name}")
        order = list(self._names)
        for name, schema in sorted(components.items(), key=lambda item: (*_place(item[0], order), item[0])):
            kind = self._kinds.get(name)
            if kind is None:
                shared[name] = _without_title(schema)
                continue
            framed[self._names.get(name, name)] = self._finish(kind, _resolve_names(schema, self._names, shared))
        return dict(sorted(shared.items())) | framed

    @cached_property
    def _kinds(self) -> dict[str, type[Struct]]:
        found = {frame.kind.__name__: frame.kind for frame in self.frames}
        for kind in (events.HistoryMessage, events.HistoryDirectMessage, events.Person, events.RoomActivity):
            found[kind.__name__] = kind
        return found

    def _finish(self, kind: type[Struct], schema: Schema) -> Schema:
        """A struct's schema, as it is on the wire."""
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        properties: dict[str, Schema] = {}
        required = ["type"] if "type" in schema["properties"] else []
        for name, given in schema["properties"].items():
            field = fields.get(name)
            if field is None:
                properties[name] = {"const": kind.__struct_config__.tag}
                continue
            may_lack = issubclass(kind, commands.Command) or kind.__struct_config__.omit_defaults
            always = field.required or not may_lack or field.default_factory is str  # which is never left out
            required += [name] if always else []
            properties[name] = given if issubclass(kind, commands.Command) else _as_said(given)
        finished: Schema = {"description": _describe(kind)} if _describe(kind) else {}
        finished |= {"type": "object", "required": required, "properties": properties}
        if issubclass(kind, commands.ConversationCommand | events.ConversationEvent):
            finished["oneOf"] = [{"required": ["room"]}, {"required": ["with"]}]
        return finished

    def make_example(self, frame: Frame) -> Any:
        """A frame that a client may send or get: every field that is always there, with values of its type."""
        return self._example({"$ref": REF + frame.schema})

    def _example(self, schema: Schema) -> Any:
        if "$ref" in schema:
            return self._example(self.schemas[schema["$ref"].removeprefix(REF)])
        if "properties" in schema:
            # Of `room` and `with` one is there.
            names = {*schema["required"], *schema.get("oneOf", [schema])[0]["required"]}
            return {name: self._example(given) for name, given in schema["properties"].items() if name in names}
        if "anyOf" in schema:
            return self._example(schema["anyOf"][0])
        if "items" in schema:
            return [self._example(schema["items"])]
        if "additionalProperties" in schema and "examples" not in schema:
            return {self._example({"$ref": f"{REF}Uuid"}): self._example(schema["additionalProperties"])}
        values = [schema["const"]] if "const" in schema else schema.get("examples") or schema.get("enum")
        return values[0] if values else {"boolean": True, "string": "ada"}[schema["type"]]


def _place(name: str, order: list[str]) -> tuple[int]:
    return (order.index(name) if name in order else -1,)


def _describe(kind: type[Struct]) -> str:
    return Frame(kind, "", "", "").about[1] if issubclass(kind, commands.Command | events.ServerFrame) else ""


def _as_said(schema: Schema) -> Schema:
    """A field of the server: it is left out where it has its default, so null never stands for that."""
    if "default" not in schema:
        return schema
    kept = {key: value for key, value in schema.items() if key != "default"}
    if schema["default"] is None:
        choices = [choice for choice in kept.pop("anyOf") if choice != {"type": "null"}]
        return choices[0] if len(choices) == 1 else {"anyOf": choices}
    return kept


def _without_title(schema: Schema) -> Schema:
    """Of a description only the first paragraph: what follows is about the code."""
    kept = {key: value for key, value in schema.items() if key != "title"}
    if "description" in kept:
        kept["description"] = " ".join(kept["description"].split("\n\n")[0].split())
    return kept


def _type_first(schema: Schema) -> Schema:
    first = {key: schema[key] for key in ("description", "type") if key in schema}
    return first | schema


def _resolve_names(node: Any, names: dict[str, str], shared: dict[str, Schema]) -> Any:
    """References by the names of the document. A type with a title becomes a schema of its own, in `shared`."""

    def resolve(inner: Any, *, top: bool = False) -> Any:
        if isinstance(inner, list):
            return [resolve(item) for item in inner]
        if not isinstance(inner, dict):
            return inner
        if set(inner) == {"$ref"}:
            name = str(inner["$ref"])
            return {"$ref": REF + names.get(name, name)}
        title = inner.get("title")
        if isinstance(title, str) and not top:
            kept = {key: resolve(value) for key, value in inner.items() if key not in ("title", "default")}
            shared[title] = _type_first(kept)
            extra = {"default": inner["default"]} if "default" in inner else {}
            return {"$ref": f"{REF}{title}"} | extra
        return _type_first({key: resolve(value) for key, value in inner.items()})

    return resolve(node, top=True)
