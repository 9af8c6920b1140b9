-- Books what a replica has allowed while it could not ask.
-- KEYS  the buckets of one tenant.
-- ARGV  for each bucket capacity, units per millisecond, and what is to be added.
local now = now_ms()
for n = 1, #KEYS do
  book(KEYS[n], tonumber(ARGV[3 * n - 2]), tonumber(ARGV[3 * n - 1]), tonumber(ARGV[3 * n]), now)
end
return #KEYS
