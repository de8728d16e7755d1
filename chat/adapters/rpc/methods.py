"""What the bindings serve and call: a table of methods, each with its messages and how they become domain types.

A binding moves bytes. It knows neither the generated messages nor the domain: `Dispatcher` (the server's side) and
`Caller` (the client's) stand between, so both bindings mean the same by construction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

Q = TypeVar("Q")
"""What is asked, in the domain's types."""
A = TypeVar("A")
"""What is answered; of a stream, one item of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method(Generic[Q, A]):
    """One method of a service. A method streams its answers, or gives one.

    `repeatable` tells whether a client may send the call again when it does not know what became of it.
    """

    service: str
    name: str
    request: type[Message]
    response: type[Message]
    write_request: Callable[[Q], Message]
    """Client: of the domain."""
    read_request: Callable[[Any], Q]
    """Server: checks the rules of fields; raises `Invalid`."""
    write_answer: Callable[[A], Message]
    """Server."""
    read_answer: Callable[[Any], A]
    """Client: raises `ValueError` for what this version cannot read."""
    streams: bool = False
    repeatable: bool = True
    path: str = field(init=False)
    """As in the `:path` of HTTP/2."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", f"/{self.service}/{self.name}")


@dataclass(frozen=True, slots=True)
class Unary(Generic[Q, A]):
    """A method and the function that serves it."""

    method: Method[Q, A]
    function: Callable[[Q], Awaitable[A]]


@dataclass(frozen=True, slots=True)
class Streaming(Generic[Q, A]):
    """A method and the function that serves it. The client hears that the stream has begun once it is entered."""

    method: Method[Q, A]
    function: Callable[[Q], AbstractAsyncContextManager[AsyncIterator[A]]]


@dataclass(frozen=True, slots=True)
class Service:
    """A service by its full name, and what it serves."""

    name: str
    endpoints: Sequence[Unary[Any, Any] | Streaming[Any, Any]]
