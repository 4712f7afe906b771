-- Appends batches. ARGV: the mark; how many selectors the log may have; whether records are as given;
-- then for each batch how many selectors may be new, and its records of 49 bytes. Each batch gets the
-- last record of the log after it, and how many selectors were new: -1 if they were more than its
-- limit, -2 if the log is full.
if incarnation == '' then
    return {'NONE'}
end
local RECORD, SKEW, KEEP, PIECE = 49, 60, 100000, 1000
local mark, ceiling, as_given = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'

-- Never earlier than the record before, unless the clock was wrong then.
local at = now
if head.stamp > now and head.stamp <= now + SKEW then
    at = head.stamp
end

local batches, asked = {}, {}
for argument = 4, #ARGV, 2 do
    local batch = {limit = tonumber(ARGV[argument]), records = {}}
    local bytes = ARGV[argument + 1]
    for place = 1, #bytes, RECORD do
        local record = {
            selector = string.sub(bytes, place, place + 32),
            not_before = string.sub(bytes, place + 33, place + 40),
            expires = string.sub(bytes, place + 41, place + 48),
        }
        -- A watermark that was meant for now is raised to the time of this server.
        local given = number(record.not_before)
        if not as_given and given < at and given >= at - SKEW then
            record.not_before = packed(at)
        end
        batch.records[#batch.records + 1] = record
        asked[#asked + 1] = record.selector
    end
    batches[#batches + 1] = batch
end

-- What the log has.
local stored = {}
for piece, values in ipairs(all('HMGET', RECORDS, asked)) do
    for place, value in ipairs(values) do
        if value then
            stored[asked[(piece - 1) * MOST + place]] = {
                not_before = string.sub(value, 1, 8),
                expires = string.sub(value, 9, 16),
            }
        end
    end
end

-- What will be written: one record for a selector, at its first place.
local pending, order, count = {}, {}, head.count
local results = {}
for _, batch in ipairs(batches) do
    local new, seen = 0, {}
    for _, record in ipairs(batch.records) do
        local selector = record.selector
        if not (pending[selector] or stored[selector] or seen[selector]) then
            seen[selector] = true
            new = new + 1
        end
    end
    local refused
    if not as_given and new > batch.limit then
        refused = -1
    elseif not as_given and new > 0 and count + new > ceiling then
        refused = -2
    else
        count = count + new
        for _, record in ipairs(batch.records) do
            local selector = record.selector
            local known = pending[selector] or stored[selector]
            local from, to = record.not_before, record.expires
            if not known or later(from, known.not_before) or later(to, known.expires) then
                if known and later(known.not_before, from) then
                    from = known.not_before
                end
                if known and later(known.expires, to) then
                    to = known.expires
                end
                if not pending[selector] then
                    order[#order + 1] = selector
                end
                pending[selector] = {not_before = from, expires = to}
            end
        end
    end
    results[#results + 1] = head.sequence + #order
    results[#results + 1] = refused or new
end

local added, values, ends, endless = {}, {}, {}, {}
for place, selector in ipairs(order) do
    local record, known = pending[selector], stored[selector]
    local value = record.not_before .. record.expires
    added[place] = selector .. value
    values[#values + 1], values[#values + 2] = selector, value
    local expires = number(record.expires)
    if expires < EXACT then
        ends[#ends + 1], ends[#ends + 2] = decimal(expires), selector
    elseif known and number(known.expires) < EXACT then
        endless[#endless + 1] = selector
    end
end
-- The same mark at the same place shows the same records up to it, also if a request is sent again after
-- the log has lost its end: this time, its records may have other dates, or be others.
local hash = redis.sha1hex(head.mark .. mark .. table.concat(added))
mark = struct.pack('>I4I4', tonumber(string.sub(hash, 1, 8), 16), tonumber(string.sub(hash, 9, 16), 16))
-- An entry has the number of its last record.
for first = 1, #added, PIECE do
    local piece = table.concat(added, '', first, math.min(first + PIECE - 1, #added))
    head.sequence, head.mark = head.sequence + #piece / RECORD, mark
    local oldest = id(math.max(head.sequence - KEEP, 0))
    redis.call('XADD', STREAM, 'MINID', '~', oldest, id(head.sequence), 'r', mark .. piece)
end
all('HSET', RECORDS, values)
all('ZADD', ENDS, ends)
all('ZREM', ENDS, endless)
-- Also if there is nothing new: what covers the records is durable once this is.
redis.call('HSET', HEAD, 'sequence', decimal(head.sequence), 'mark', head.mark,
    'stamp', decimal(at), 'count', decimal(count))
return {OK, incarnation, at, results}
