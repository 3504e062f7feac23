-- Append routed entries to one feed, or do nothing at all.
--
-- KEYS[1]   the feed's stream
-- ARGV[1]   the log index that the caller believes the feed has reached
-- ARGV[2]   the log index that the feed has reached after this call
-- ARGV[3..] for each entry: its log index, the number of its fields and values, these
--
-- Returns the index that the feed has reached. If it is not ARGV[2], nothing was
-- written: another fan-out was here first, or the stream was lost (-1). Because one
-- call checks and writes, two writers cannot leave a gap or a twin, and neither can a
-- FLUSHALL between two batches. XSETID moves the feed on even where nothing was routed
-- to it, so the stream itself is the cursor and no second key can disagree with it.
local function reached()
  local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
  if info.err then
    return -1
  end
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      return tonumber(string.match(info[i + 1], '^%d+'))
    end
  end
  return -1
end

local now = reached()
if now ~= tonumber(ARGV[1]) then
  return now
end
local i = 3
while i <= #ARGV do
  local n = tonumber(ARGV[i + 1])
  redis.call('XADD', KEYS[1], ARGV[i] .. '-0', unpack(ARGV, i + 2, i + 1 + n))
  i = i + 2 + n
end
redis.call('XSETID', KEYS[1], ARGV[2] .. '-0')
return tonumber(ARGV[2])
