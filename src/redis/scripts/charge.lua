-- Books what a replica has allowed while it could not ask, once: whoever sends it again finds it done.
-- KEYS  the receipt, then the buckets: all of one tenant.
-- ARGV  milliseconds the receipt lives, when it was owed (ms of this clock, 0 for now), then for each bucket units per
--       millisecond, and what is to be added.
-- Gives 1 when it was booked, 0 when it was before.
if not redis.call('SET', KEYS[1], 1, 'PX', ARGV[1], 'NX') then return 0 end
local now, owed_at = now_ms(), tonumber(ARGV[2])
local waited_ms = owed_at > 0 and math.max(0, now - owed_at) or 0
for n = 1, #KEYS - 1 do
  local per_ms, amount = tonumber(ARGV[1 + 2 * n]), tonumber(ARGV[2 + 2 * n])
  -- What would have come back in the meantime is not owed any more.
  if amount > 0 then amount = math.max(0, amount - waited_ms * per_ms) end
  book(KEYS[1 + n], per_ms, amount, now)
end
return 1
