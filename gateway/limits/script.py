"""The counting of `counting.py` once more, as Redis runs it: all limits of a call in one step, so in one round trip.

Numbers stay below 2**53, where Lua's are exact. The clock is Redis' own unless the caller names a time: processes whose clocks
differ then still count in the same windows. Every key of a call carries the client as its hash tag, so a cluster has them in one
slot. Counts of one client and operation are fields of one hash; calls under way are a sorted set, scored by when they lapse.
"""

from hashlib import sha1

# KEYS: the hash of this client and operation, the hash of this client, then a sorted set for each limit on calls under way.
# ARGV: microseconds or 0; the name of this call's lease; the lease in milliseconds; then of each limit
#   kind, name, quota, window in milliseconds, gap in microseconds, burst, 1 if in the shadow, the index of its key.
# Answer: "admitted remaining reset" of each limit, admitted 1 or 0.
CHARGE = """
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local lease = tonumber(ARGV[3])
local ceil, floor, max, min = math.ceil, math.floor, math.max, math.min
local DAY = 86400000

local function hash(key, name, ...)
  local fields = {...}
  for i, field in ipairs(fields) do fields[i] = name .. field end
  local found = redis.call('HMGET', key, unpack(fields))
  for i, value in ipairs(found) do found[i] = tonumber(value or 0) end
  return unpack(found)
end

local function keep(key, life, ...)
  life = ceil(life) + 60000  -- a minute more, should a clock be put back
  redis.call('HSET', key, ...)
  if redis.call('PTTL', key) < life then redis.call('PEXPIRE', key, life) end
end

local look = {}

function look.sliding(key, name, quota, window)
  local ms = floor(now / 1000)
  local number, count, previous = hash(key, name, ':n', ':c', ':p')
  local at = floor(ms / window)
  local ahead = at - number
  if ahead == -1 then
    ms, at = number * window, number
  elseif ahead > 0 then
    if ahead == 1 then previous = count else previous = 0 end
    count = 0
  end
  previous = min(previous, quota)
  count = count + 1
  local rest = window - ms % window
  local left = quota - floor(previous * rest / window) - count
  local take = function() keep(key, 2 * window, name .. ':n', at, name .. ':c', count, name .. ':p', previous) end
  if left > 0 then return 1, left, ceil(rest / 1000), take end
  local admitted, others = 0, count - 1
  if left == 0 then admitted, others = 1, count end
  local room, wait = quota - others, 1
  if room <= 0 then wait = rest + 1
  elseif previous > 0 then wait = max(rest - floor((room * window - 1) / previous), 1) end
  return admitted, 0, ceil(wait / 1000), take
end

function look.gcra(key, name, quota, window, gap, burst)
  local slack = burst * gap
  local due = hash(key, name, ':d')
  if due > now + slack + window * 1000 then
    due = now + slack
    keep(key, (slack + gap) / 1000, name .. ':d', due)
  end
  local after = max(due, now) + gap
  local room = now + slack - after
  local take = function() keep(key, (slack + gap) / 1000, name .. ':d', after) end
  if room >= gap then return 1, floor(room / gap), ceil((after - now) / 1000000), take end
  if room >= 0 then return 1, 0, ceil((gap - room) / 1000000), take end
  return 0, 0, ceil(-room / 1000000), take
end

local function civil(days)  -- the first days of this month and the next, counted from 1970-01-01
  local z = days + 719468
  local era = floor(z / 146097)
  local doe = z - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local mp = floor((5 * doy + 2) / 153)
  local first = days - (doy - floor((153 * mp + 2) / 5))
  local year = yoe + era * 400
  if mp >= 10 then year = year + 1 end
  local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  local lengths = {31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, leap and 29 or 28}  -- from March
  return first, first + lengths[mp + 1]
end

local function period(kind, ms)
  local day = floor(ms / DAY)
  if kind == 'day' then return day * DAY, (day + 1) * DAY end
  local first, following = civil(day)
  return first * DAY, following * DAY
end

local function calendar(kind)
  return function(key, name, quota)
    local ms = now / 1000
    local start, count = hash(key, name, ':b', ':c')
    local begin, finish = period(kind, ms)
    if begin > start then count = 0
    elseif begin < start and ms >= start - DAY then begin, finish = period(kind, start) end
    local left = quota - count - 1
    local take = function() keep(key, finish - ms + DAY, name .. ':b', begin, name .. ':c', count + 1) end
    return left >= 0 and 1 or 0, max(left, 0), ceil((finish - ms) / 1000), take
  end
end
look.day, look.month = calendar('day'), calendar('month')

function look.concurrent(key, name, quota)
  local ms = floor(now / 1000)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', ms)
  local left = quota - redis.call('ZCARD', key) - 1
  local take = function()
    redis.call('ZADD', key, ms + lease, ARGV[2])
    redis.call('PEXPIRE', key, ceil(lease))
  end
  return left >= 0 and 1 or 0, max(left, 0), left > 0 and 0 or 1, take
end

local answer, takes, refused = {}, {}, false
for i = 4, #ARGV, 8 do
  local kind, name, key = ARGV[i], ARGV[i + 1], KEYS[tonumber(ARGV[i + 7])]
  local quota, window, gap, burst = tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4]), tonumber(ARGV[i + 5])
  local admitted, remaining, reset, take = look[kind](key, name, quota, window, gap, burst)
  answer[#answer + 1] = string.format('%d %d %d', admitted, remaining, reset)
  if admitted == 1 then takes[#takes + 1] = take
  elseif ARGV[i + 6] ~= '1' then refused = true end
end
if not refused then
  for _, take in ipairs(takes) do take() end
end
return table.concat(answer, ' ')
"""

# KEYS: sorted sets. ARGV: microseconds or 0; the lease's name; the lease in milliseconds. A call still under way counts on.
RENEW = """
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, math.floor(now / 1000) + ARGV[3], ARGV[2])
  redis.call('PEXPIRE', key, ARGV[3])
end
return redis.status_reply('OK')
"""
# KEYS: sorted sets. ARGV: the lease's name.
RELEASE = """
for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end
return redis.status_reply('OK')
"""
SCRIPTS = {sha1(text.encode(), usedforsecurity=False).hexdigest(): text for text in (CHARGE, RENEW, RELEASE)}
CHARGE_SHA, RENEW_SHA, RELEASE_SHA = SCRIPTS
