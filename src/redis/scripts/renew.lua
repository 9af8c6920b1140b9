-- Keeps the leases of requests that still run; brings them back where they were lost.
-- KEYS  the leases of one limit.
-- ARGV  milliseconds a lease lives, then the ids.
local ends_ms = text(now_ms() + tonumber(ARGV[1]))
for n = 2, #ARGV do redis.call('ZADD', KEYS[1], ends_ms, ARGV[n]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return #ARGV - 1
