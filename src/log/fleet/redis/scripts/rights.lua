-- Tries what the other scripts do, on a key of its own. Returns what is refused.
local KEY = KEYS[1]
local calls = {
    {'TIME'}, {'INFO', 'replication'}, {'DEL', KEY},
    {'HSET', KEY, 'a', 'b'}, {'HGET', KEY, 'a'}, {'HMGET', KEY, 'a'}, {'HGETALL', KEY},
    {'HLEN', KEY}, {'HEXISTS', KEY, 'a'}, {'HSCAN', KEY, '0', 'COUNT', '1'}, {'HDEL', KEY, 'a'},
    {'XADD', KEY, 'MAXLEN', '~', '9', '1-0', 'a', 'b'}, {'XRANGE', KEY, '-', '+', 'COUNT', '1'},
    {'XINFO', 'STREAM', KEY}, {'EXISTS', KEY}, {'DEL', KEY},
    {'ZADD', KEY, '1', 'a'}, {'ZRANGE', KEY, '-inf', '1', 'BYSCORE', 'LIMIT', '0', '1'},
    {'ZSCORE', KEY, 'a'}, {'ZCARD', KEY}, {'ZREM', KEY, 'a'}, {'HINCRBY', KEY, 'a', '1'}, {'DEL', KEY},
}
for _, call in ipairs(calls) do
    local answer = redis.pcall(unpack(call))
    if type(answer) == 'table' and answer.err then
        return {call[1], answer.err}
    end
end
return {}
