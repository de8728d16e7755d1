"""Planted defects: each replaces one part of the cluster by one that makes a mistake.

They are mistakes that programmers make, and that reviews and unit tests miss. The simulation must find each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup

from chat.domain.models import Message
from chat.domain.records import AnyRecord, Sent
from chat.errors import Fenced, Unavailable
from chat.ports.accounts import Accounts
from chat.ports.history import History
from chat.ports.log import Ack, Batch
from chat.ports.relay import Delivery, Publication, Relay
from chat.wire.relay import MESSAGE, MemberChanged
from gateway.access import AccessCache
from gateway.connection import Connection
from gateway.control import ControlHandler
from gateway.edge import Edge, EdgeParts
from gateway.fanout import FanOut
from gateway.hub import Channel, Hub, Subscriber
from gateway.node import Node
from gateway.subscriptions import ChannelSubscriptions
from tests.simulation.cluster import Parts
from tests.simulation.engines import MemoryHistory, MessageTable
from tests.simulation.process_log import Headers, ProcessConsumer, ProcessLog
from tests.simulation.process_relay import ProcessListener, ProcessRelay
from workers.persistence import PersistenceHandler
from workers.publications import message_publications
from workers.sequencer import Sequencer

# The log's ends.


class CommittingConsumer(ProcessConsumer):
    """Commits records before they are handled."""

    async def poll(self, max_records: int) -> Sequence[Batch]:
        batches = await super().poll(max_records)
        await self.commit(*batches)
        return batches


class HastyLog(ProcessLog):
    """Acknowledges a record when it is in the producer's buffer."""

    def produce(self, topic: str, key: str, value: bytes, ack: Ack, headers: Headers = ()) -> None:
        super().produce(topic, key, value, lambda _: None, headers)
        ack(None)


# The persistence worker.


class PublishingHandler(PersistenceHandler):
    """Publishes before it stores, because that is faster."""

    def __init__(self, history: History, accounts: Accounts, relay: Relay) -> None:
        super().__init__(history, accounts, relay)
        self._stored = history
        self._edges = relay

    async def handle_records(self, records: Sequence[AnyRecord]) -> None:
        sent = [record for record in records if isinstance(record, Sent)]
        last = await self._stored.newest_seqs({record.conversation for record in sent})
        publications: list[Publication] = []
        for record in sent:
            last[record.conversation] += 1
            message = Message(
                conversation=record.conversation,
                seq=last[record.conversation],
                sender=record.actor,
                sender_name=record.name,
                text=record.text,
                ts=record.ts,
                client_id=record.client_id,
            )
            message_publications(publications, message)
        await self._edges.publish(publications)
        await super().handle_records(records)


class ForgetfulHandler(PersistenceHandler):
    """Assumes that what is stored was also published."""

    def __init__(self, history: History, accounts: Accounts, relay: Relay) -> None:
        super().__init__(history, accounts, relay)
        self._stored = history

    async def handle_records(self, records: Sequence[AnyRecord]) -> None:
        sent = [(record.actor, record.client_id) for record in records if isinstance(record, Sent)]
        known = await self._stored.find_by_client_ids(sent)
        new = [each for each in records if not isinstance(each, Sent) or (each.actor, each.client_id) not in known]
        await super().handle_records(new)


class ResignedHandler(PersistenceHandler):
    """Ignores that the store failed, so the pool commits."""

    async def handle_records(self, records: Sequence[AnyRecord]) -> None:
        try:
            await super().handle_records(records)
        except Unavailable:
            return


class StubbornSequencer(Sequencer):
    """Keeps the seqs that it remembers, although another process may have owned the partition since."""

    def forget_seqs(self, conversations: Collection[str]) -> None:
        return


def stubborn_handler(history: History, accounts: Accounts, relay: Relay) -> PersistenceHandler:
    """A handler with that sequencer."""
    return PersistenceHandler(history, accounts, relay, sequencer=StubbornSequencer(history))


# The store.


class UnfencedTable(MessageTable):
    """Has no unique index on (conversation, seq): the last writer wins."""

    def check_batch(self, messages: Sequence[Message]) -> None:
        if any((message.sender, message.client_id) in self.places for message in messages):
            raise Fenced("the message is stored")

    def insert_message(self, message: Message) -> None:
        stored = self.messages.setdefault(message.conversation, [])
        stored[:] = [*(each for each in stored if each.seq != message.seq), message]
        stored.sort(key=lambda each: each.seq)
        self.places[message.sender, message.client_id] = message.conversation, message.seq


class RepetitiveTable(MessageTable):
    """Has no unique index on (sender, client_id)."""

    def check_batch(self, messages: Sequence[Message]) -> None:
        self.places.clear()
        super().check_batch(messages)


def history_with(table: Callable[[], MessageTable]) -> Callable[[], History]:
    """Makes histories on such a table."""
    return lambda: MemoryHistory(table())


# The relay.


class SilentListener(ProcessListener):
    """Reconnects, subscribes again, and does not report that deliveries were lost."""

    def report_interruption(self) -> list[Delivery]:
        return []


class RepeatingRelay(ProcessRelay):
    """Publishes again what must be published once."""

    async def publish(self, publications: Sequence[Publication]) -> None:
        await super().publish([Publication(channel, payload) for channel, payload, _ in publications])


# The edge.


class CarelessChannel(Channel):
    """Drops what came live while a session was reading history."""

    __slots__ = ()

    def finish_joining(self, subscriber: Subscriber, after: int) -> bool:
        joining = self.joining.get(subscriber)
        if joining is not None and joining.frames is not None and self.name.startswith("room:"):
            joining.frames.clear()
        return super().finish_joining(subscriber, after)


class CarelessHub(Hub):
    """A hub whose channels are `CarelessChannel`."""

    __slots__ = ()

    def open_channel(self, name: str) -> Channel:
        return self.channels.setdefault(name, CarelessChannel(name))


class BlindFanOut(FanOut):
    """Does not check the seq: with `holes`, it ignores a gap; with `repetitions`, it fans out a message again."""

    __slots__ = ()
    holes = False
    repetitions = False

    async def _fan_out_run(self, channel: Channel, run: Iterable[Delivery], *rest: Any) -> None:
        for delivery in run:
            payload = delivery.payload
            if payload and payload[0] == MESSAGE and channel.seq is not None:
                seq = int.from_bytes(payload[1:9], "big")
                if (self.holes and seq > channel.seq) or (self.repetitions and seq <= channel.seq):
                    channel.seq = seq - 1
            await super()._fan_out_run(channel, [delivery], *rest)


class HoleBlindFanOut(BlindFanOut):
    __slots__ = ()
    holes = True


class RepetitionBlindFanOut(BlindFanOut):
    __slots__ = ()
    repetitions = True


class HastySubscriptions(ChannelSubscriptions):
    """Lets history be read before the relay has confirmed the subscription."""

    __slots__ = ("_tasks",)
    _tasks: TaskGroup

    async def run_unsubscriptions(self) -> None:
        async with anyio.create_task_group() as self._tasks:
            await super().run_unsubscriptions()

    async def ensure_all_ready(self, channels: Collection[Channel]) -> None:
        rooms = [each for each in channels if each.name.startswith("room:")]
        if rooms:
            self._tasks.start_soon(self._subscribe_later, rooms)
        await super().ensure_all_ready([each for each in channels if each not in rooms])

    async def _subscribe_later(self, rooms: Collection[Channel]) -> None:
        while not all(each.ready for each in rooms):
            try:
                await super().ensure_all_ready(rooms)
            except Unavailable:
                await anyio.sleep(0.1)


class StaleAccess(AccessCache):
    """Keeps a role in the cache although a change of it was announced."""

    __slots__ = ()

    def forget_role(self, user: str, room: str) -> None:
        return


class LenientControl(ControlHandler):
    """Drops the role from the cache, but leaves sessions subscribed to the room."""

    __slots__ = ()

    def _handle_member_changed(self, change: MemberChanged) -> None:
        self._node.access.forget_role(change.user, change.room)


class DeafControl(ControlHandler):
    """Keeps sessions whose user's channel was interrupted."""

    __slots__ = ()

    def handle_interruption(self, channel: str) -> None:
        return


class LossyConnection(Connection):
    """Drops what a slow client does not read, and continues."""

    __slots__ = ()

    def _drop_outbox(self) -> None:
        if self._outbox:
            self._outbox, self._queued = self._outbox[:1], len(self._outbox[0])


class HoardingConnection(Connection):
    """Keeps all that a slow client does not read, without a bound."""

    __slots__ = ()

    def _drop_outbox(self) -> None:
        return


async def skip_drain(_node: Node) -> None:
    """Stop at once, without draining."""


def edge_with(**parts: Any) -> Callable[..., Edge]:
    """Makes edges with these parts instead of the right ones."""
    return partial(Edge, parts=EdgeParts(**parts))


DEFECTS: dict[str, Parts] = {
    "commit before store": Parts(log=partial(ProcessLog, consumer=CommittingConsumer)),
    "acknowledge before durable": Parts(log=HastyLog),
    "publish before store": Parts(handler=PublishingHandler),
    "do not publish again what is stored": Parts(handler=ForgetfulHandler),
    "commit what could not be stored": Parts(handler=ResignedHandler),
    "keep the sequence after a rebalance": Parts(handler=stubborn_handler),
    "no fence": Parts(history=history_with(UnfencedTable)),
    "no duplicate check": Parts(history=history_with(RepetitiveTable)),
    "an interruption of the relay that nobody reports": Parts(relay=partial(ProcessRelay, listener=SilentListener)),
    "a live copy may come twice": Parts(relay=RepeatingRelay),
    "no hold-back between history and live": Parts(edge=edge_with(hub=CarelessHub)),
    "a hole that the edge ignores": Parts(edge=edge_with(fan_out=HoleBlindFanOut)),
    "a repetition that the edge passes on": Parts(edge=edge_with(fan_out=RepetitionBlindFanOut)),
    "read history before the subscription is confirmed": Parts(edge=edge_with(subscriptions=HastySubscriptions)),
    "keep sessions whose channel was interrupted": Parts(edge=edge_with(control=DeafControl)),
    "a role that goes on in a cache": Parts(edge=edge_with(access=StaleAccess)),
    "a ban that leaves the banned one in the room": Parts(edge=edge_with(control=LenientControl)),
    "a full outbox is emptied without a word": Parts(edge=edge_with(connection=LossyConnection)),
    "an outbox without a bound": Parts(edge=edge_with(connection=HoardingConnection)),
    "stop without draining": Parts(edge=edge_with(drain=skip_drain)),
}
