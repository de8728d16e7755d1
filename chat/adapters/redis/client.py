"""redis-py, as presence and the rate limits use it: scripts by their digest, many with one round trip, in clusters too.

A call waits `Target.timeout_s` at most for a connection, for each attempt to make one, and for each reply; then it
raises `Unavailable`. It is never tried again here, because it may have taken effect. At most `connections` are open to
a server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha1
from typing import Any, NamedTuple, cast

import anyio
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from chat.adapters.redis.target import Target
from chat.errors import Unavailable

CONNECTIONS = 16


class Script:
    """A Lua script that takes one key, so that a cluster knows where to run it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha1(text.encode(), usedforsecurity=False).hexdigest()


class KeyCall(NamedTuple):
    """A script to run on a key, or a plain command by its name."""

    script: Script | str
    key: str
    arguments: Sequence[Any] = ()

    def to_command(self, *, whole: bool = False) -> tuple[Any, ...]:
        """The script by its digest, or with its whole text, for a server that does not know it."""
        if isinstance(self.script, str):
            return (self.script, self.key, *self.arguments)
        script = ("EVAL", self.script.text) if whole else ("EVALSHA", self.script.digest)
        return (*script, 1, self.key, *self.arguments)


class RedisClient:
    """Made by `RedisClient.open`. `cluster` tells whether the server is one; then channels are sharded."""

    def __init__(self, target: Target, client: Any, *, cluster: bool, connections: int) -> None:
        self.target = target
        self.cluster = cluster
        self._client = client
        self._free = anyio.Semaphore(connections)

    @classmethod
    @asynccontextmanager
    async def open(cls, target: Target, *, connections: int = CONNECTIONS) -> AsyncIterator[RedisClient]:
        """A client, closed when the context is left. Raises `Unavailable` when Redis cannot be reached now."""
        options: dict[str, Any] = {
            "socket_timeout": target.timeout_s,
            "socket_connect_timeout": target.timeout_s,
            "retry": Retry(NoBackoff(), 0),
        }
        pool = _make_pool(target, options, connections)
        client: Any = Redis(connection_pool=pool)
        try:
            cluster = await _is_cluster(target, client)
            if cluster:
                await _close_client(client, pool)
                client = RedisCluster.from_url(target.url, **options)
            yield cls(target, client, cluster=cluster, connections=connections)
        finally:
            await _close_client(client, pool)

    def key_name(self, *parts: str) -> str:
        """The name of a key: the prefix, and its parts."""
        return self.target.prefix + ":".join(parts)

    async def run_calls(self, calls: Sequence[KeyCall]) -> list[Any]:
        """Run the calls with one round trip (to each node concerned), and give their results; each is atomic."""
        if not calls:
            return []
        results = await self._execute_commands([call.to_command() for call in calls])
        unknown = [number for number, result in enumerate(results) if isinstance(result, NoScriptError)]
        if unknown:
            # EVAL also makes the server know the script. To run it once for each script and node would be enough, but
            # is not worth the code.
            again = await self._execute_commands([calls[number].to_command(whole=True) for number in unknown])
            for number, result in zip(unknown, again, strict=True):
                results[number] = result
        for result in results:
            if isinstance(result, RedisError):
                raise _unavailable_error(result)
        return results

    async def _execute_commands(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            with anyio.fail_after(self.target.timeout_s):
                await self._free.acquire()
            try:
                results: list[Any] = await pipeline.execute(raise_on_error=False)
            finally:
                self._free.release()
        except (RedisError, OSError) as error:  # TimeoutError is one of the latter
            raise _unavailable_error(error) from None
        return results


def _make_pool(target: Target, options: dict[str, Any], connections: int) -> Any:
    """The pool of one server; with sentinels, each new connection goes to the primary of that moment."""
    group = target.sentinels
    if group is None:
        return BlockingConnectionPool.from_url(
            target.url, max_connections=connections, timeout=target.timeout_s, **options
        )
    credentials = {"username": group.username, "password": group.password}
    tls = {key: value for key, value in target.options.items() if key.startswith("ssl_")}
    if target.tls is not None:
        tls["ssl"] = True
    make_manager, make_pool = cast("Any", Sentinel), cast("Any", SentinelConnectionPool)
    manager = make_manager(group.addresses, sentinel_kwargs={**credentials, **options, **tls})
    # More than `connections` are never in use: `RedisClient` counts them.
    return make_pool(group.name, manager, **target.options, **options, ssl=target.tls is not None)


async def _is_cluster(target: Target, client: Any) -> bool:
    try:
        return bool((await client.info("cluster")).get("cluster_enabled"))
    except (RedisError, OSError) as error:
        raise Unavailable(
            f"Redis at {target.name} cannot be reached ({type(error).__name__}); is ROOKERY_REDIS_URL right?"
        ) from None


async def _close_client(client: Any, pool: Any) -> None:
    with anyio.move_on_after(1.0, shield=True):
        await client.aclose()
        await pool.disconnect()
        if isinstance(pool, SentinelConnectionPool):
            await pool.sentinel_manager.aclose()


def _unavailable_error(error: Exception) -> Unavailable:
    return Unavailable(f"Redis does not answer ({type(error).__name__}); try again")
