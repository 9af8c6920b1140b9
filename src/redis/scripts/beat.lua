-- A replica is alive. KEYS: the replicas. ARGV: its name, milliseconds until it counts as gone without another beat.
-- Gives the time, how many are alive, and 1 when this one was not among them before.
local now, lives_ms = now_ms(), tonumber(ARGV[2])
-- First of all, so that it fails where take.lua would: a full Redis lets a script go on that has written before.
local is_new = redis.call('ZADD', KEYS[1], text(now + lives_ms), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now))
-- After a clock has stepped back, names would stay for as long as the step was.
redis.call('ZREMRANGEBYSCORE', KEYS[1], text(now + lives_ms + 1000), '+inf')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { text(now), redis.call('ZCARD', KEYS[1]), is_new }
