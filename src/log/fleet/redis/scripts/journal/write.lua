-- Writes entries with different keys. ARGV: the mark of the call; then for each entry its key, when it
-- expires (8 bytes), when it is due (8, or an empty string), and its content. Returns for each its place,
-- or that of the earlier entry with its key, and whether this call has written it, now or before.
--
-- Places are microseconds since 1970, or the next number: an entry that the server has lost does not share
-- its place with another one.
local mark = ARGV[1]
local newest = redis.call('ZRANGE', PLACES, 0, 0, 'REV')[1]
local last = math.max(now * 1000000 + tonumber(time[2]), tonumber(newest or 0),
    tonumber(redis.call('HGET', HEAD, 'place') or 0))

local keys = {}
for argument = 2, #ARGV, 4 do
    keys[#keys + 1] = ARGV[argument]
end
local known = {}
for piece, places in ipairs(all('HMGET', ENTRY_KEYS, keys)) do
    for number, place in ipairs(places) do
        known[keys[(piece - 1) * MOST + number]] = place or nil
    end
end

local entries, of_keys, places, ends, dues = {}, {}, {}, {}, {}
for argument = 2, #ARGV, 4 do
    local key, expires, due, content = unpack(ARGV, argument, argument + 3)
    local place = known[key]
    local entry = place and entry_at(place)
    if not is_kept(entry) then
        if place then
            remove(place)
        end
        last = last + 1
        place = decimal(last)
        entry = {
            version = 0, written_by = mark, changed_by = NOTHING, expires = expires, due = due, key = key,
            content = content,
        }
        entries[#entries + 1], entries[#entries + 2] = place, bytes_of(entry)
        of_keys[#of_keys + 1], of_keys[#of_keys + 2] = key, place
        places[#places + 1], places[#places + 2] = place, place
        ends[#ends + 1], ends[#ends + 2] = decimal(number(expires)), place
        if due ~= '' then
            dues[#dues + 1], dues[#dues + 2] = decimal(number(due)), place
        end
    end
    reply[#reply + 1] = place
    reply[#reply + 1] = entry.written_by == mark and 1 or 0
end
all('HSET', ENTRIES, entries)
all('HSET', ENTRY_KEYS, of_keys)
all('ZADD', PLACES, places)
all('ZADD', ENTRY_ENDS, ends)
all('ZADD', DUES, dues)
-- Also if there is nothing new: an earlier entry is durable once this is.
redis.call('HSET', HEAD, 'place', decimal(last))
return {OK, reply}
