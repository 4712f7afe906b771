-- What the scripts of the journal begin with, after the head of all scripts. The entries are in ENTRIES, by
-- their places as digits.
local ENTRIES, PLACES, ENTRY_KEYS, ENTRY_ENDS, DUES = unpack(KEYS, 9)

-- An entry: its version (4 bytes), the call that has written it (8), the one that has changed it last (8),
-- when it expires (8), whether it is due (1) and when (8), the length of its key (1), its key and its
-- content.
local function entry_at(place)
    local bytes = redis.call('HGET', ENTRIES, place)
    if not bytes then
        return nil
    end
    local length = string.byte(bytes, 38)
    return {
        place = place,
        version = struct.unpack('>I4', bytes),
        written_by = string.sub(bytes, 5, 12),
        changed_by = string.sub(bytes, 13, 20),
        expires = string.sub(bytes, 21, 28),
        due = string.sub(bytes, 29, 29) == '1' and string.sub(bytes, 30, 37) or '',
        key = string.sub(bytes, 39, 38 + length),
        content = string.sub(bytes, 39 + length),
    }
end

local function bytes_of(entry)
    local due = entry.due == '' and '0' .. NOTHING or '1' .. entry.due
    return struct.pack('>I4', entry.version) .. entry.written_by .. entry.changed_by .. entry.expires .. due
        .. string.char(#entry.key) .. entry.key .. entry.content
end

-- Stores an entry that was changed.
local function store(entry)
    redis.call('HSET', ENTRIES, entry.place, bytes_of(entry))
    if entry.due == '' then
        redis.call('ZREM', DUES, entry.place)
    else
        redis.call('ZADD', DUES, decimal(number(entry.due)), entry.place)
    end
end

local function is_kept(entry)
    return entry and number(entry.expires) > now
end

local function remove(place)
    local entry = entry_at(place)
    if entry and redis.call('HGET', ENTRY_KEYS, entry.key) == place then
        redis.call('HDEL', ENTRY_KEYS, entry.key)
    end
    redis.call('HDEL', ENTRIES, place)
    for _, places in ipairs({PLACES, ENTRY_ENDS, DUES}) do
        redis.call('ZREM', places, place)
    end
end

-- Removes entries that have expired. Returns how many there were.
local function forget_entries(most)
    local gone = redis.call('ZRANGE', ENTRY_ENDS, '-inf', decimal(now), 'BYSCORE', 'LIMIT', 0, most)
    for _, place in ipairs(gone) do
        remove(place)
    end
    return #gone
end

-- A reply with entries is not much longer than this.
local LONGEST, length = 4 * 1024 * 1024, 0
local reply = {}

-- Adds an entry to the reply. Returns whether there is room for another one.
local function add(entry)
    for _, part in ipairs({entry.place, entry.version, entry.due, entry.content}) do
        reply[#reply + 1] = part
    end
    length = length + #entry.content
    return length < LONGEST
end

-- Only a server that can write something durable may answer.
local function prove(by)
    redis.call('HSET', HEAD, 'proof', by)
end
