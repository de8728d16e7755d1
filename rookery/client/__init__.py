"""The client library: a sans-IO core and a client on AnyIO, for asyncio, uvloop and trio.

async with connect("wss://chat.example.org/ws", token=account.token) as client:
    await client.subscribe(room)
    await client.send(room, "hello")
    async for event in client:
        ...
"""

from chat.concurrency import Backoff
from chat.wire.events import ActivityEvent as Activity
from chat.wire.events import BlockEvent as BlockChanged
from chat.wire.events import CaseEvent as CaseChanged
from chat.wire.events import DeletedEvent as Deleted
from chat.wire.events import DirectMessageEvent as DirectMessage
from chat.wire.events import EditedEvent as Edited
from chat.wire.events import InstanceEvent as InstanceChanged
from chat.wire.events import MemberEvent as MemberChanged
from chat.wire.events import MessageEvent as Message
from chat.wire.events import ModeratedEvent as Moderated
from chat.wire.events import Person
from chat.wire.events import PinnedEvent as Pinned
from chat.wire.events import PreferencesEvent as PreferencesChanged
from chat.wire.events import PresenceEvent as PresenceChanged
from chat.wire.events import ReactionEvent as Reaction
from chat.wire.events import ReadEvent as Read
from chat.wire.events import RefusedEvent as RefusedMessage
from chat.wire.events import RoomEvent as RoomChanged
from chat.wire.events import StoredEvent as Stored
from chat.wire.events import TypingEvent as Typing
from chat.wire.events import UserEvent as UserChanged
from rookery.client.account import Account, login, register
from rookery.client.client import Client, Statistics, connect
from rookery.client.core import Core
from rookery.client.errors import AccountBlocked as Blocked
from rookery.client.errors import (
    AuthenticationFailed,
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
    Disconnected,
    Event,
    EventsDropped,
    Missed,
    Rewound,
    Unsubscribed,
)

__all__ = [
    "Account",
    "Activity",
    "AuthenticationFailed",
    "Backoff",
    "BlockChanged",
    "Blocked",
    "CaseChanged",
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
    "InstanceChanged",
    "MemberChanged",
    "Message",
    "Missed",
    "Moderated",
    "Person",
    "Pinned",
    "PreferencesChanged",
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
    "UserChanged",
    "connect",
    "login",
    "register",
]
