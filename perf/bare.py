"""What the servers take without us: the least that a message can cost in time. Shared by benchmarks.

Each is measured one operation at a time, with the driver that the product uses and a pause between them, on an
otherwise idle connection: what a message waits for when nobody else is there.
"""

from __future__ import annotations

import socket
import time
import uuid
from urllib.parse import urlsplit

import anyio
import hiredis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from bson import ObjectId

from chat.adapters.kafka.connection import client_options
from chat.adapters.kafka.topics import TopicAdmin, plan_topic
from chat.adapters.mongo.client import open_mongo
from chat.adapters.mongo.messages import to_document
from chat.adapters.mongo.schema import migrate
from chat.adapters.redis.stream import pack_command
from chat.settings import KafkaSettings, MongoSettings, parse_address
from perf.store import make_messages

PAUSE_SECONDS = 0.003


async def kafka(servers: str, count: int) -> list[float]:
    """Seconds from aiokafka's `send`, idempotent and with `acks=all`, to its consumer having the record."""
    topic = f"perf-bare-{uuid.uuid4().hex[:8]}"
    settings = KafkaSettings(brokers=tuple(parse_address(each) for each in servers.split(",")))
    async with TopicAdmin.open(settings) as topics:
        await topics.apply_plans(
            [plan_topic(topic, partitions=1, replication=1, min_insync=1, retention_hours=1, record_bytes=0)]
        )
    options = client_options(settings, 5.0)
    producer = AIOKafkaProducer(enable_idempotence=True, acks="all", **options)
    consumer = AIOKafkaConsumer(topic, auto_offset_reset="earliest", **options)
    took = []
    async with producer, consumer:
        for number in range(count + 20):
            begun = time.perf_counter()
            await producer.send(topic, b"x" * 250)
            await consumer.getone()
            if number >= 20:
                took.append(time.perf_counter() - begun)
            await anyio.sleep(PAUSE_SECONDS)
    return took


async def mongo(url: str, count: int) -> list[float]:
    """Seconds of an insert of one message with our indexes, journaled by a majority."""
    took = []
    settings = MongoSettings(url=url, database=f"perf-{uuid.uuid4().hex[:12]}", timeout_seconds=60)
    async with open_mongo(settings) as database:
        await migrate(database)
        key = ObjectId()
        for number, message in enumerate(make_messages(count + 20)):
            document = {**to_document(key, message), "seq": number}
            begun = time.perf_counter()
            await database.latest.messages.insert_one(document)
            if number >= 20:
                took.append(time.perf_counter() - begun)
            await anyio.sleep(PAUSE_SECONDS)
        await database.client.drop_database(database.latest.name)
    return took


def redis(url: str, count: int, pause: float = PAUSE_SECONDS) -> list[float]:
    """Seconds from a PUBLISH to the message on a subscribed connection, on two blocking sockets: no loop, no driver."""
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 6379)
    channel = f"perf-{uuid.uuid4().hex}"
    took = []
    with socket.create_connection(address) as publisher, socket.create_connection(address) as subscriber:
        for sock in (publisher, subscriber):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        subscriber.sendall(pack_command("SUBSCRIBE", channel))
        reader = hiredis.Reader()
        reader.feed(subscriber.recv(65536))
        assert reader.gets()
        command = pack_command("PUBLISH", channel, b"x" * 250)
        for number in range(count + 20):
            begun = time.perf_counter()
            publisher.sendall(command)
            while True:
                reader.feed(subscriber.recv(65536))
                if reader.gets():
                    break
            if number >= 20:
                took.append(time.perf_counter() - begun)
            publisher.recv(65536)
            time.sleep(pause)
    return took
