-- Removes at most ARGV[1] records that have expired, as many used identifiers, and a tenth as many entries
-- of the journal. Returns how many records, and whether there may be more of any.
local piece = tonumber(ARGV[1])
local more = forget_uses(piece) == piece
if forget_entries(piece / 10) == piece / 10 then
    more = true
end
if incarnation == '' then
    return {OK, 0, more and 1 or 0}
end
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
more = more or #expired == piece
return {OK, #expired, more and 1 or 0}
