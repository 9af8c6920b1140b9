-- One admission: checks every limit, then books all of them or none.
-- KEYS  the reservation, then the buckets, then the leases: all of one tenant.
-- ARGV  not_after (ms of this clock, 0 for never), id, milliseconds a reservation lives, milliseconds a lease lives,
--       number of buckets, then for each bucket capacity, units per millisecond, cost; for each lease its limit.
-- Gives 'granted', 'denied' or 'late', the time, and unless late the level of each bucket and the leases of each limit:
-- with this request when it was granted, without it when it was not.
local now = now_ms()
local not_after, id = tonumber(ARGV[1]), ARGV[2]
-- Nobody waits for the answer any more: whoever asked has decided without it.
if not_after > 0 and now > not_after then return { 'late', text(now) } end

local reservation_ms, lease_ms, buckets = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local granted = true
local levels, costs, rates, stepped_back = {}, {}, {}, {}
for n = 1, buckets do
  local capacity, per_ms, cost = tonumber(ARGV[3 + 3 * n]), tonumber(ARGV[4 + 3 * n]), tonumber(ARGV[5 + 3 * n])
  levels[n], stepped_back[n] = level_of(KEYS[1 + n], per_ms, now)
  costs[n], rates[n] = cost, per_ms
  if levels[n] + cost > capacity + tolerance and levels[n] > tolerance then granted = false end
end

local held = {}
for n = 1, #KEYS - 1 - buckets do
  local key, limit = KEYS[1 + buckets + n], tonumber(ARGV[5 + 3 * buckets + n])
  -- Nothing is written before the reservation: a full Redis lets a script go on that has written before.
  held[n] = redis.call('ZCOUNT', key, '(' .. text(now), '+inf')
  if held[n] >= limit then
    granted = false
    -- A clock that has stepped back would keep the leases of a dead replica for as long as the step was.
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, text(now + lease_ms + 1000), '+inf')) do
      redis.call('ZADD', key, text(now + lease_ms), member)
    end
  end
end

-- The same id again is the same request, sent twice on its way through a cluster that moves.
if granted and redis.call('SET', KEYS[1], 1, 'PX', reservation_ms, 'NX') then
  for n = 1, buckets do
    levels[n] = levels[n] + costs[n]
    keep(KEYS[1 + n], levels[n], rates[n], now)
  end
  for n = 1, #held do
    local key = KEYS[1 + buckets + n]
    redis.call('ZREMRANGEBYSCORE', key, '-inf', text(now))
    redis.call('ZADD', key, text(now + lease_ms), id)
    redis.call('PEXPIRE', key, string.format('%.0f', lease_ms))
    held[n] = held[n] + 1
  end
elseif not granted then
  for n = 1, buckets do
    if stepped_back[n] then keep(KEYS[1 + n], levels[n], rates[n], now) end
  end
end

local answer = { granted and 'granted' or 'denied', text(now) }
for n = 1, buckets do answer[#answer + 1] = text(levels[n]) end
for n = 1, #held do answer[#answer + 1] = held[n] end
return answer
