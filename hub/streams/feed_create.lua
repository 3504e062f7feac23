-- Make a feed's stream and its reader group where they are missing.
--
-- KEYS[1]   the feed's stream
-- ARGV[1]   the log index after which the feed begins
-- ARGV[2]   the group of the agency's own system
-- ARGV[3]   the log index through which that system has confirmed its feed
--
-- Returns the log index that the feed has reached, and 1 if it was made. A feed that is there keeps what it
-- has; one that was lost begins anew, and its reader goes on where the log last saw it.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[2], ARGV[3] .. '-0', 'MKSTREAM')
  redis.call('XSETID', KEYS[1], ARGV[1] .. '-0')
  return {tonumber(ARGV[1]), 1}
end
redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[2], ARGV[3] .. '-0')
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then
    return {tonumber(string.match(info[i + 1], '^%d+')), 0}
  end
end
return redis.error_reply('no last-generated-id in XINFO STREAM')
