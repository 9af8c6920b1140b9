-- In front of every script: Redis' own clock, and buckets as in src/access/bucket.ts. A bucket is the text
-- "USED AT": units used at the millisecond AT.
local tolerance = 1e-6

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end

local function text(number)
  return string.format('%.6f', number)
end

-- The level of a bucket now, and whether its time lies ahead because the clock has stepped back.
local function level_of(key, per_ms, now)
  local stored = redis.call('GET', key)
  if not stored then return 0, false end
  local used, at = string.match(stored, '^(%S+) (%S+)$')
  used, at = tonumber(used), tonumber(at)
  if not used or not at then return 0, false end
  if at > now then return used, true end
  return math.max(0, used - (now - at) * per_ms), false
end

-- Keeps a bucket until it is empty again, and a second longer.
local function keep(key, used, per_ms, now)
  if used <= 0 then
    redis.call('DEL', key)
  else
    local lives_ms = math.min(math.ceil(used / per_ms) + 1000, 1e14)
    redis.call('SET', key, text(used) .. ' ' .. text(now), 'PX', string.format('%.0f', lives_ms))
  end
end

local function book(key, per_ms, delta, now)
  local level = level_of(key, per_ms, now)
  keep(key, level + delta, per_ms, now)
end
