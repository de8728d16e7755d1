"""Rate limits on Redis: a list of times for each key, and one script: processes cannot count past each other."""

from __future__ import annotations

from collections.abc import Callable

from chat.adapters.redis.client import KeyCall, RedisClient, Script

_TAKE = Script("""
-- KEYS[1]: the times of the calls that may still count, in ms, oldest first.
-- ARGV: now in ms (0: the server's clock), limit, window in ms. Answers 0, or the ms to wait.
local now, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local newest = tonumber(redis.call('LINDEX', KEYS[1], -1))
if newest and newest > now + 1000 then
  redis.call('DEL', KEYS[1])  -- the clock was set back: these would count for as long
end
local oldest = tonumber(redis.call('LINDEX', KEYS[1], 0))
while oldest and oldest <= now - window do
  redis.call('LPOP', KEYS[1])
  oldest = tonumber(redis.call('LINDEX', KEYS[1], 0))
end
if limit <= 0 then
  return window
end
local count = redis.call('LLEN', KEYS[1])
if count >= limit then
  -- With a limit that was lowered meanwhile, more than one call must leave the window first.
  return tonumber(redis.call('LINDEX', KEYS[1], count - limit)) + window - now
end
redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
if redis.call('PTTL', KEYS[1]) < window then
  redis.call('PEXPIRE', KEYS[1], window)
end
return 0
""")


class RedisRateLimiter:
    """Implements `chat.ports.limits.RateLimiter`; `RedisRateLimiter(client)`.

    Time is the server's, the same for all processes; `clock` (milliseconds) replaces it in tests. A key holds at most
    `limit` times, and is gone when its window has passed. Redis restarted empty begins all counts afresh.
    """

    def __init__(self, client: RedisClient, *, clock: Callable[[], int] | None = None) -> None:
        self._client = client
        self._clock = clock

    async def count_call(self, key: str, *, limit: int, window_s: float) -> int:
        """Cancelled, the call may have been counted."""
        now = self._clock() if self._clock is not None else 0
        window = max(1, round(window_s * 1000))
        (wait,) = await self._client.run_calls([KeyCall(_TAKE, self._key_of(key), (now, limit, window))])
        return int(wait)

    async def reset_count(self, key: str) -> None:
        await self._client.run_calls([KeyCall("DEL", self._key_of(key))])

    def _key_of(self, key: str) -> str:
        return self._client.key_name("limit", key)
