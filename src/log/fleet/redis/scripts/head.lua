-- What all scripts begin with. Numbers of Lua are doubles, so dates stay strings of 8 bytes: FOREVER
-- is 2^64 - 1. Strings are never compared by `<`, which follows the locale.
local HEAD, RECORDS, STREAM, ENDS, MEMBERS, USES, USE_ENDS, USE_COUNTS = unpack(KEYS)
local FORMAT = 1
local EXACT = 2 ^ 53
local NOTHING = string.rep('\0', 8)

-- The number in 8 bytes. Not exact from 2^53 on.
local function number(bytes)
    local high, low = struct.unpack('>I4I4', bytes)
    return high * 2 ^ 32 + low
end

local function packed(number)
    return struct.pack('>I4I4', math.floor(number / 2 ^ 32), number % 2 ^ 32)
end

local function later(one, other)
    local high, low = struct.unpack('>I4I4', one)
    local other_high, other_low = struct.unpack('>I4I4', other)
    return high > other_high or high == other_high and low > other_low
end

-- Lua would write 14 digits.
local function decimal(number)
    return string.format('%.0f', number)
end

local function id(sequence)
    return decimal(sequence) .. '-0'
end

local function sequence_of(id)
    return tonumber(string.match(id, '^(%d+)'))
end

-- Calls a command for all arguments. A call takes a limited number of them.
local MOST = 2000
local function all(command, key, arguments)
    local results = {}
    for first = 1, #arguments, MOST do
        local last = math.min(first + MOST - 1, #arguments)
        results[#results + 1] = redis.call(command, key, unpack(arguments, first, last))
    end
    return results
end

local time = redis.call('TIME')
local now = tonumber(time[1])

-- Removes identifiers that were used and have expired, and remembers the latest expiry. Returns how many
-- there were.
local function forget_uses(most)
    local gone = redis.call('ZRANGE', USE_ENDS, '-inf', decimal(now), 'BYSCORE', 'LIMIT', 0, most,
        'WITHSCORES')
    for place = 1, #gone, 2 do
        local use = gone[place]
        redis.call('HDEL', USES, use)
        redis.call('ZREM', USE_ENDS, use)
        local client = string.sub(use, 1, 16)
        if redis.call('HINCRBY', USE_COUNTS, client, -1) <= 0 then
            redis.call('HDEL', USE_COUNTS, client)
        end
    end
    if #gone > 0 then
        local forgotten = tonumber(redis.call('HGET', USE_COUNTS, 'forgotten') or 0)
        forgotten = math.max(forgotten, tonumber(gone[#gone]))
        redis.call('HSET', USE_COUNTS, 'forgotten', decimal(forgotten))
    end
    return #gone / 2
end

local info = redis.call('INFO', 'replication')
if not string.find(info, 'role:master', 1, true) then
    return {'REPLICA'}
end
-- What each answer begins with: how many replicas there are.
local OK = 'OK ' .. (string.match(info, 'connected_slaves:(%d+)') or '')

local head = {}
do
    local names = {'format', 'epoch', 'sequence', 'mark', 'stamp', 'count', 'forgotten'}
    local values = redis.call('HMGET', HEAD, unpack(names))
    for place, name in ipairs(names) do
        head[name] = values[place] or nil
    end
    for _, name in ipairs({'format', 'sequence', 'stamp', 'count'}) do
        head[name] = tonumber(head[name] or 0)
    end
    head.mark = head.mark or NOTHING
    head.forgotten = head.forgotten or NOTHING
end
if head.format > FORMAT then
    return {'FORMAT'}
end
-- Somebody has removed a key, or a part of it: the log has lost records, and another life begins.
if head.count ~= redis.call('HLEN', RECORDS) then
    head.epoch = nil
end

-- One life of the log: as long as nobody begins another one, on one server that has not restarted.
local incarnation = ''
if head.epoch then
    local server = string.match(info, 'master_replid:(%x+)')
    incarnation = string.sub(redis.sha1hex(head.epoch .. server), 1, 16)
end
