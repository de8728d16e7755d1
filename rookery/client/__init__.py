"""The client library: a sans-IO core and a client on AnyIO, for asyncio, uvloop and trio.

async with connect("wss://chat.example.org/ws", token=account.token) as client:
    await client.subscribe(room)
    await client.send(room, "hello")
    async for event in client:
        ...
"""

from chat.concurrency import Backoff
from rookery.client.account import Account, login, register
from rookery.client.client import Client, Statistics, connect
from rookery.client.core import Core
from rookery.client.errors import (
    AuthenticationFailed,
    Blocked,
    ClientClosed,
    ClientError,
    CommandRefused,
    ConnectionLost,
    HandshakeRejected,
    HttpError,
    TimedOut,
)
from rookery.client.events import (
    Connected,
    Deleted,
    DirectMessage,
    Disconnected,
    Edited,
    Event,
    EventsDropped,
    MemberChanged,
    Message,
    Missed,
    Moderated,
    Person,
    PresenceChanged,
    Reaction,
    Read,
    RefusedMessage,
    Rewound,
    RoomChanged,
    Stored,
    Typing,
    Unsubscribed,
)

__all__ = [
    "Account",
    "AuthenticationFailed",
    "Backoff",
    "Blocked",
    "Client",
    "ClientClosed",
    "ClientError",
    "CommandRefused",
    "Connected",
    "ConnectionLost",
    "Core",
    "Deleted",
    "DirectMessage",
    "Disconnected",
    "Edited",
    "Event",
    "EventsDropped",
    "HandshakeRejected",
    "HttpError",
    "MemberChanged",
    "Message",
    "Missed",
    "Moderated",
    "Person",
    "PresenceChanged",
    "Reaction",
    "Read",
    "RefusedMessage",
    "Rewound",
    "RoomChanged",
    "Statistics",
    "Stored",
    "TimedOut",
    "Typing",
    "Unsubscribed",
    "connect",
    "login",
    "register",
]
