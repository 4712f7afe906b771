-- Removes at most ARGV[1] records that have expired.
if incarnation == '' then
    return {'OK', 0, 0}
end
local piece = tonumber(ARGV[1])
local expired = redis.call('ZRANGE', ENDS, '-inf', decimal(now), 'BYSCORE', 'LIMIT', 0, piece)
for _, selector in ipairs(expired) do
    local record = redis.call('HGET', RECORDS, selector)
    if record and later(string.sub(record, 9), head.forgotten) then
        head.forgotten = string.sub(record, 9)
    end
    redis.call('HDEL', RECORDS, selector)
    redis.call('ZREM', ENDS, selector)
end
if #expired > 0 then
    redis.call('HSET', HEAD, 'count', redis.call('HLEN', RECORDS), 'forgotten', head.forgotten)
end
return {'OK', #expired, #expired == piece and 1 or 0}
