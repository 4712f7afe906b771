-- Uses up an identifier. ARGV: its client (16 bytes) and digest (32); when it expires; how many
-- identifiers its client may have; and the mark of the use. Returns 0 if it was not used before, 1 if
-- it was or has expired, 2 if it may have been used and forgotten, and 3 if the client has used up its
-- quota.
local use, expires, quota, mark = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local client = string.sub(use, 1, 16)
-- More than one use adds.
forget_uses(16)
if expires <= now then
    return {OK, 1}
end
if expires <= tonumber(redis.call('HGET', USE_COUNTS, 'forgotten') or 0) then
    return {OK, 2}
end
local known = redis.call('HGET', USES, use)
if known and known ~= mark then
    local ends = redis.call('ZSCORE', USE_ENDS, use)
    if not ends or tonumber(ends) > now then
        return {OK, 1}
    end
end
if not known then
    local function is_full()
        return tonumber(redis.call('HGET', USE_COUNTS, client) or 0) >= quota
    end
    -- Those that have expired do not count.
    if is_full() and forget_uses(1000) == 0 or is_full() then
        return {OK, 3}
    end
    redis.call('HINCRBY', USE_COUNTS, client, 1)
end
-- Also if it is the same use, sent again: it is as durable as the first time.
redis.call('ZADD', USE_ENDS, decimal(expires), use)
redis.call('HSET', USES, use, mark)
return {OK, 0}
