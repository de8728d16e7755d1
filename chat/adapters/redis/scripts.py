"""The Lua scripts of presence on Redis, which keep the rules of `presence`. Each has one key, so that a cluster knows
where to run it. Times are in ms, and a now of `0` is the server's clock.

A user is a hash: `s:SESSION` → `RANK DEADLINE` for each session, `shown` (the rank that others see; 2 online, 1 away,
0 offline), `fall` (when a state that is lower than shown shall show), `ended` and `ended_at` (when the last session
ended: in ms, and in words). A queue is a sorted set of users by the time at which a sweeper has to look at them.
"""

from __future__ import annotations

from chat.adapters.redis.client import Script

_NOW = """
local function read_clock(given)
  if given ~= '0' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function whole(number)
  return string.format('%.0f', number)
end
"""

CHANGE = Script(
    _NOW
    + """
-- KEYS[1]: the user's hash. ARGV: now, what (enter, leave or sweep), channel, the command to publish with, the
-- caller's clock in ms and in words, expiry, damping, how long the last visit is remembered, the payloads to publish
-- when others see rank 0 (in which "@" stands for the end of the last session), 1 and 2; then for enter sessions and
-- their ranks in turns, for leave sessions. Answers when to look again, 0 for never, and how often it published.
local key, what, channel, publish = KEYS[1], ARGV[2], ARGV[3], ARGV[4]
local now, expiry, damping, remembered = read_clock(ARGV[1]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local first_session = 13

local sessions, shown, fall, ended_at = {}, 0, nil, nil
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  local field, value = fields[i], fields[i + 1]
  if string.sub(field, 1, 2) == 's:' then
    local rank, deadline = string.match(value, '^(%d) (%d+)$')
    sessions[field] = { tonumber(rank), tonumber(deadline) }
  elseif field == 'shown' then
    shown = tonumber(value)
  elseif field == 'fall' then
    fall = tonumber(value)
  elseif field == 'ended_at' then
    ended_at = value
  end
end

local function aggregate()
  local highest = 0
  for _, session in pairs(sessions) do
    highest = math.max(highest, session[1])
  end
  return highest
end

local published = 0
-- Rule 1: the state that others see changes, and is published, in the same step as the sessions.
local function show(rank)
  if rank == shown then
    return
  end
  shown = rank
  redis.call('HSET', key, 'shown', rank)
  local payload = ARGV[10 + rank]
  if rank == 0 then
    payload = string.gsub(payload, '"@"', ended_at and '"' .. ended_at .. '"' or 'null')
  end
  redis.call(publish, channel, payload)
  published = published + 1
end

-- Sessions end: those that leave, and those that were not refreshed (rule 3), except when they come back right now.
local gone = {}
if what == 'leave' then
  for i = first_session, #ARGV do
    if sessions['s:' .. ARGV[i]] then
      gone['s:' .. ARGV[i]] = true
    end
  end
end
local entering = {}
if what == 'enter' then
  for i = first_session, #ARGV, 2 do
    entering['s:' .. ARGV[i]] = tonumber(ARGV[i + 1])
  end
end
for field, session in pairs(sessions) do
  if session[2] <= now and not entering[field] then
    gone[field] = true
  end
end
if next(gone) then
  for field in pairs(gone) do
    sessions[field] = nil
    redis.call('HDEL', key, field)
  end
  if not next(sessions) then
    ended_at = ARGV[6]
    redis.call('HSET', key, 'ended', ARGV[5], 'ended_at', ended_at)
  end
  -- Rule 2: the departure shows later, and not at all if a session comes meanwhile.
  if aggregate() ~= shown then
    fall = now + damping
    redis.call('HSET', key, 'fall', whole(fall))
  end
end

-- Sessions begin, change, and live on. What rises shows at once, and calls a fall off. A state that is lower than shown
-- also shows at once, as when somebody is away: but while a fall is awaited, it waits for that (rule 2).
if next(entering) then
  for field, rank in pairs(entering) do
    sessions[field] = { rank, now + expiry }
    redis.call('HSET', key, field, rank .. ' ' .. whole(now + expiry))
  end
  local rank = aggregate()
  if not (fall and rank < shown) then
    if fall then
      fall = nil
      redis.call('HDEL', key, 'fall')
    end
    show(rank)
  end
end

if fall and fall <= now then
  fall = nil
  redis.call('HDEL', key, 'fall')
  show(aggregate())
end

local look = fall
for _, session in pairs(sessions) do
  if not look or session[2] < look then
    look = session[2]
  end
end
-- A sweeper looks at the user long before this time is over. It is for users whom no queue holds, as after a crash.
redis.call('PEXPIRE', key, look and 2 * (expiry + damping) + 60000 or remembered)
return { look and whole(look) or '0', published }
"""
)

LOOK = Script(
    _NOW
    + """
-- KEYS[1]: a queue. ARGV: now, ms from now, users. Has each user looked at by then. The score always changes, if only
-- by a thousandth: so a sweeper that claimed the user before this change sees that there was one, and does not take the
-- user out of the queue (rule 4, and SETTLE).
local at = read_clock(ARGV[1]) + tonumber(ARGV[2])
for i = 3, #ARGV do
  local before = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i]))
  if not before or at < before then
    redis.call('ZADD', KEYS[1], at, ARGV[i])
  else
    redis.call('ZINCRBY', KEYS[1], '0.001', ARGV[i])
  end
end
return 0
"""
)

CLAIM = Script(
    _NOW
    + """
-- KEYS[1]: a queue. ARGV: now, lease in ms, how many. Answers users to look at now, each with the score that it gives
-- them. The score is the end of the lease: until then no other sweeper finds them, and then they are due again, in case
-- this one died (rule 3).
local now = read_clock(ARGV[1])
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', whole(now), 'LIMIT', 0, ARGV[3])
local claimed = {}
for _, user in ipairs(due) do
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), user)
  claimed[#claimed + 1] = user
  claimed[#claimed + 1] = redis.call('ZSCORE', KEYS[1], user)
end
return claimed
"""
)

SETTLE = Script(
    """
-- KEYS[1]: a queue. ARGV: user, the score of the claim, when to look again (0: never), in turns. A user with another
-- score has changed since the claim, and stays in the queue (rule 4), to be looked at no later than asked.
for i = 1, #ARGV, 3 do
  local user, look = ARGV[i], tonumber(ARGV[i + 2])
  local score = redis.call('ZSCORE', KEYS[1], user)
  if score == ARGV[i + 1] then
    if look == 0 then
      redis.call('ZREM', KEYS[1], user)
    else
      redis.call('ZADD', KEYS[1], look, user)
    end
  elseif look > 0 and (not score or look < tonumber(score)) then
    redis.call('ZADD', KEYS[1], look, user)
  end
end
return 0
"""
)
