-- Ends what take.lua has granted, once: whoever comes second finds no reservation and books nothing.
-- KEYS  the reservation, then the buckets, then the leases: all of one tenant.
-- ARGV  id, number of buckets, then for each bucket capacity, units per millisecond, and what is to be added.
-- Gives 1 when it was booked, 0 when there was nothing to end.
local buckets = tonumber(ARGV[2])
for n = 2 + buckets, #KEYS do redis.call('ZREM', KEYS[n], ARGV[1]) end
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
local now = now_ms()
for n = 1, buckets do
  -- The end of one request adds no more than one bucket of debt.
  local delta = math.min(tonumber(ARGV[2 + 3 * n]), tonumber(ARGV[3 * n]))
  book(KEYS[1 + n], tonumber(ARGV[1 + 3 * n]), delta, now)
end
return 1
