#pragma once
// The two scripts that a Redis server runs for the ledger, each a whole trip: LedgerBook's work in Lua, on
// keys that all lie in one slot. Nothing newer than Redis 6.0 is called.
//
// A place is a sorted set: entries by the millisecond in which they expire. "ID:UNITS" is a lease in flight,
// "+EXPIRES:UNITS" all that ended and expire together, "=" holds the sum, negative so that it never lies
// among the times. A lease is a string that knows its entries; it lives as long as the last of them. The
// state is a hash, and so are the facts of which news is made, beside a sorted set of their subjects by age.

namespace tokenpool::detail {

/// What both scripts begin with.
inline constexpr const char* redis_places = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function units_of(entry) return tonumber(string.match(entry, ':(%d+)$')) end

local sums = {}
local function set_sum(place, sum, ...)
  sums[place] = sum
  redis.call('ZADD', place, -sum, '=', ...)
end

-- What is counted in a place; drops what has expired.
local function used(place)
  if sums[place] then return sums[place] end
  local sum = -tonumber(redis.call('ZSCORE', place, '=') or 0)
  local gone = redis.call('ZRANGEBYSCORE', place, '(0', now)
  if #gone > 0 then
    for _, entry in ipairs(gone) do sum = sum - units_of(entry) end
    redis.call('ZREMRANGEBYSCORE', place, '(0', now)
    set_sum(place, sum)
  end
  sums[place] = sum
  return sum
end
)lua";

/// KEYS: places. Answers with used and the time until the last entry expires, for each.
inline constexpr const char* redis_read = R"lua(
local counts = {}
for _, place in ipairs(KEYS) do
  local sum = used(place)
  local last = redis.call('ZREVRANGEBYSCORE', place, '+inf', '(0', 'WITHSCORES', 'LIMIT', 0, 1)[2]
  counts[#counts + 1] = string.format('%.0f', sum)
  counts[#counts + 1] = string.format('%.0f', last and sum > 0 and last - now or 0)
end
return counts
)lua";

/// KEYS and ARGV are those of redis_question(), in the order in which they are read here.
inline constexpr const char* redis_ask = R"lua(
local state, facts, order = KEYS[1], KEYS[2], KEYS[3]
local keys_read, words_read = 3, 0
local function key() keys_read = keys_read + 1 return KEYS[keys_read] end
local function word() words_read = words_read + 1 return ARGV[words_read] end
local function number() return tonumber(word()) end
local function text(n) return string.format('%.0f', n) end

-- The epoch. A server that started anew may have come back with old data: for a moment, as for a new store, it
-- grants nothing, so that whoever was told of more leases than it has can say so, which begins an epoch, too.
local asker, candidate, run, told = word(), word(), word(), number()
local heard, fresh_for, keep = number(), number(), number()
local known = redis.call('HMGET', state, 'epoch', 'born', 'newest', 'leases', 'run', 'began', 'kept')
local epoch, born, newest = known[1], tonumber(known[2]), tonumber(known[3] or 0)
local leases, began, kept = tonumber(known[4] or 0), tonumber(known[6] or 0), tonumber(known[7] or 0)
if not epoch or (asker == epoch and leases < told) then
  epoch, born, leases, began = candidate, now, 0, 0
  redis.call('HSET', state, 'epoch', epoch, 'born', born, 'leases', 0, 'run', run, 'began', 0)
elseif run ~= '' and known[5] ~= run then
  began = now
  redis.call('HSET', state, 'run', run, 'began', began)
end
local opens = math.max(born + fresh_for, began + math.min(fresh_for, 5000))
if now + keep > kept + 3600000 then
  redis.call('HSET', state, 'kept', now + keep)
  for _, name in ipairs({state, facts, order}) do redis.call('PEXPIRE', name, keep + 3600000) end
end
if asker ~= '0' and asker ~= epoch then return {0, -1, 0, epoch, 0, leases} end

local function claim()
  return {key(), number(), number(), number(), word(), word() == '1'}
end
local PLACE, UNITS, AMOUNT, WINDOW, UNIT, ON_ARRIVAL = 1, 2, 3, 4, 5, 6

local function expiry(limit, counted)
  local exact = counted + limit[WINDOW] + 1
  if limit[AMOUNT] <= 256 then return exact end
  local step = math.max(math.floor(limit[WINDOW] / 128), 1)
  return math.ceil(exact / step) * step
end

-- Counts units in a place: those of a lease under its name, others with all that expire then.
local function enter(place, units, expires, lease)
  local entry = lease and lease .. ':' .. text(units)
  if not lease then
    local joint = units
    for _, other in ipairs(redis.call('ZRANGEBYSCORE', place, expires, expires)) do
      if string.sub(other, 1, 1) == '+' then
        joint = joint + units_of(other)
        redis.call('ZREM', place, other)
      end
    end
    entry = '+' .. text(expires) .. ':' .. text(joint)
  end
  set_sum(place, used(place) + units, expires, entry)
  local left = expires - now
  if redis.call('PTTL', place) < left then
    redis.call('PEXPIRE', place, text(left + math.floor(left / 8) + 1000))
  end
end

-- What was spent elsewhere.
for _ = 1, number() do
  local spent, expires, lease = claim(), now + number(), word()
  if expires <= now then
    if lease ~= '0' then key() end
  elseif lease == '0' then
    enter(spent[PLACE], spent[UNITS], expires)
  else
    local name = key()
    local open = redis.call('GET', name)
    local claims, is_known = open and cmsgpack.unpack(open) or {}, false
    for _, other in ipairs(claims) do is_known = is_known or other[PLACE] == spent[PLACE] end
    if not is_known then
      enter(spent[PLACE], spent[UNITS], expires, lease)
      claims[#claims + 1] = spent
      local left = math.max(redis.call('PTTL', name), expires - now)
      redis.call('SET', name, cmsgpack.pack(claims), 'PX', text(left))
    end
  end
end

-- How leases ended.
for _ = 1, number() do
  local name, lease, sent, cost = key(), word(), word() == '1', tonumber(word())
  local answered, arrived = number(), number()
  local open = redis.call('GET', name)
  for _, limit in ipairs(open and cmsgpack.unpack(open) or {}) do
    local place, units = limit[PLACE], limit[UNITS]
    local sum = used(place)
    if redis.call('ZREM', place, lease .. ':' .. text(units)) == 1 then
      sums[place] = sum - units
      if not sent or limit[UNIT] == 'in_flight' then units = 0 end
      if sent and cost and limit[UNIT] == 'cost' then units = cost end
      local expires = expiry(limit, now - (limit[ON_ARRIVAL] and math.max(answered, arrived) or answered))
      if units > 0 and expires > now then enter(place, units, expires) else set_sum(place, sums[place]) end
    end
  end
  redis.call('DEL', name)
end

-- News. A fact is {kind, until, cause, reason, number}.
local REST, EJECTED, ENDED, ENABLED = 0, 1, 2, 3
local newest_before = newest
local function fact_of(subject)
  local packed = redis.call('HGET', facts, subject)
  return packed and cmsgpack.unpack(packed)
end
local function forget(subject)
  redis.call('HDEL', facts, subject)
  redis.call('ZREM', order, subject)
end
local function passes(fact) return fact[1] == REST or fact[1] == ENDED end
local function hear(kind, subject, ends, cause, reason)
  local fact = fact_of(subject)
  local rests = fact and fact[1] == REST and fact[2] > now
  local ejected = fact and fact[1] == EJECTED
  if kind == ENABLED then
    for _, other in ipairs(redis.call('HKEYS', facts)) do
      if string.sub(other, 1, #subject + 1) == subject .. ' ' then forget(other) end
    end
  elseif kind == ENDED then
    if not rests or fact[5] > heard then return end
    ends = fact[2]
  elseif ejected or (kind == REST and rests and fact[2] >= ends) then
    return
  end
  newest = newest + 1
  redis.call('HSET', facts, subject, cmsgpack.pack({kind, ends, cause, reason, newest}))
  redis.call('ZADD', order, newest, subject)
end
for _ = 1, number() do
  local kind, subject, left, cause, reason = number(), word(), number(), word(), word()
  hear(kind, subject, now + left, cause, reason)
end
if newest > newest_before then
  redis.call('HSET', state, 'newest', newest)
  for _, name in ipairs({facts, order}) do redis.call('PEXPIRE', name, math.max(kept - now, keep) + 3600000) end
end

-- The lease: all of its claims or none.
local granted, refused, retry_in = 0, -1, 0
local function room_in(limit, excess)
  if limit[UNIT] == 'in_flight' then return 20 end
  local soonest, last, from = expiry(limit, now), nil, 0
  repeat
    local entries =
      redis.call('ZRANGEBYSCORE', limit[PLACE], '(0', '+inf', 'WITHSCORES', 'LIMIT', from, 16)
    for i = 1, #entries, 2 do
      if excess <= 0 then break end
      excess, last = excess - units_of(entries[i]), tonumber(entries[i + 1])
    end
    from = from + 16
  until excess <= 0 or #entries < 32
  return math.min(last or soonest, soonest) - now
end
local lease = word()
if lease ~= '0' then
  local name, lives_for, claims = key(), number(), {}
  for i = 1, number() do claims[i] = claim() end
  if redis.call('EXISTS', name) == 1 then
    granted = 1
  elseif now < opens then
    retry_in = opens - now
  else
    granted = 1
    for i, limit in ipairs(claims) do
      local excess = used(limit[PLACE]) + limit[UNITS] - limit[AMOUNT]
      if excess > 0 then
        granted, refused, retry_in = 0, i - 1, room_in(limit, excess)
        break
      end
    end
    if granted == 1 then
      local left = 1
      for _, limit in ipairs(claims) do
        local expires = expiry(limit, now + lives_for)
        enter(limit[PLACE], limit[UNITS], expires, lease)
        left = math.max(left, expires - now)
      end
      redis.call('SET', name, cmsgpack.pack(claims), 'PX', text(left))
      leases = redis.call('HINCRBY', state, 'leases', 1)
    end
  end
end

local answer = {granted, refused, retry_in, epoch, newest, leases}
if heard < newest then
  for _, subject in ipairs(redis.call('ZRANGEBYSCORE', order, '(' .. text(heard), '+inf')) do
    local fact = fact_of(subject)
    if not fact or (passes(fact) and fact[2] <= now) then
      forget(subject)
    else
      local left = passes(fact) and fact[2] - now or 0
      for _, part in ipairs({fact[1], subject, left, fact[3], fact[4]}) do answer[#answer + 1] = part end
    end
  end
end
return answer
)lua";

}  // namespace tokenpool::detail
