-- Reads a page. ARGV: the cursor's sequence and mark; how many records; whether to write something, as a
-- proof; the member; what it reports, or an empty string; its name; then members to strike out, and their
-- beats.
if incarnation == '' then
    return {'NONE'}
end
local after, mark, size = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local prove, member, report, name = ARGV[4] == '1', ARGV[5], ARGV[6], ARGV[7]
local SILENT = 8
local milliseconds = now * 1000 + math.floor(tonumber(time[2]) / 1000)

-- Where the page begins. The stream lacks what was trimmed.
local history = 'SAME'
local from = after
if after == 0 then
    from = 0
elseif after > head.sequence then
    history = 'OTHER'
elseif after == head.sequence then
    history = mark == head.mark and 'SAME' or 'OTHER'
else
    local here = redis.call('XRANGE', STREAM, id(after), id(after))[1]
    if not here then
        history = 'SWEPT'
    elseif string.sub(here[2][2], 1, 8) ~= mark then
        history = 'OTHER'
    end
end
if history ~= 'SAME' then
    from = 0
end

-- A member: its beat (8 bytes), what it has applied (8), in which incarnation it has healed (16), `1`
-- if its appends wait for all members, and its name.
local listed = redis.call('HEXISTS', MEMBERS, member)
for place = SILENT, #ARGV, 2 do
    local silent = redis.call('HGET', MEMBERS, ARGV[place])
    if silent and string.sub(silent, 1, 8) == ARGV[place + 1] then
        redis.call('HDEL', MEMBERS, ARGV[place])
    end
end
local before = redis.call('HGET', MEMBERS, member)
-- A new member that has not healed would hold up the others.
if report ~= '' and (before or string.sub(report, 9, 24) == incarnation) then
    if history ~= 'SAME' then
        -- What another history has at this place says nothing about this one.
        report = NOTHING .. string.sub(report, 9)
    end
    -- Not a beat that it had before: others could take it for silent since then.
    local beat = before and number(before) + 1 or milliseconds
    redis.call('HSET', MEMBERS, member, packed(beat) .. report .. name)
elseif prove then
    redis.call('HSET', HEAD, 'proof', member)
end
local barrier, waits = 0, 0
local members = redis.call('HGETALL', MEMBERS)
for place = 2, #members, 2 do
    if string.sub(members[place], 17, 32) ~= incarnation then
        barrier = 1
    end
    if string.sub(members[place], 33, 33) == '1' then
        waits = 1
    end
end
if report == '' and #ARGV < SILENT then
    members = {}
end

-- A scan of the table of records, where the stream lacks some. The table has no order, and only the server
-- knows how far a scan has come. A cursor of a scan has no sequence. Its mark has 28 bits that name the
-- start of the scan, and 36 bits of the next step. So no node has to remember anything.
--
-- A start is the head of the log before the first step: what was appended since follows after the scan.
-- Scans share a start for as long as the stream goes back to it, so there are few. Each has its name (4
-- bytes), incarnation (16), sequence (8) and mark (8).
local START, STARTS, APART = 36, 16, 8192
local starts = redis.call('HGET', HEAD, 'starts') or ''

local function start_at(place)
    local start = string.sub(starts, place, place + START - 1)
    return {
        name = struct.unpack('>I4', start),
        incarnation = string.sub(start, 5, 20),
        sequence = number(string.sub(start, 21, 28)),
        mark = string.sub(start, 29, 36),
    }
end

-- A start of this incarnation. A server that has restarted has another order.
local function start_named(name)
    for place = 1, #starts, START do
        local start = start_at(place)
        if start.name == name and start.incarnation == incarnation then
            return start
        end
    end
end

local function newest_start()
    local first = redis.call('XRANGE', STREAM, '-', '+', 'COUNT', 1)[1]
    local oldest = first and sequence_of(first[1]) or head.sequence
    if #starts > 0 then
        local start = start_at(#starts - START + 1)
        local is_near = start.sequence == head.sequence
            or start.sequence >= oldest and head.sequence - start.sequence <= APART
        if start.incarnation == incarnation and is_near then
            return start
        end
    end
    local content = incarnation .. packed(head.sequence) .. head.mark
    -- Not zero, which is the beginning of the log.
    local name = tonumber(string.sub(redis.sha1hex(content), 1, 7), 16)
    name = math.max(name, 1)
    starts = string.sub(starts .. struct.pack('>I4', name) .. content, -START * STARTS)
    redis.call('HSET', HEAD, 'starts', starts)
    return {name = name, sequence = head.sequence, mark = head.mark}
end

-- An entry of the stream has the number of its last record. It begins with a mark, and has the records of
-- one append, or a piece of them. Returns as many entries as a page has records for, or nothing if the stream lacks some.
local MARK, RECORD = 8, 49
local function entries_after(last)
    local read, count, ask = {}, 0, 4
    while last < head.sequence and count < size do
        local entries = redis.call('XRANGE', STREAM, id(last + 1), '+', 'COUNT', ask)
        if #entries == 0 then
            return nil
        end
        for _, entry in ipairs(entries) do
            local records = (#entry[2][2] - MARK) / RECORD
            if sequence_of(entry[1]) ~= last + records then
                return nil
            end
            last, count = last + records, count + records
            read[#read + 1] = entry
            if count >= size then
                break
            end
        end
        -- An entry has up to 1,000 records. As many again as are needed if the next ones are like these.
        ask = math.max(math.ceil((size - count) * #read / count), 1)
    end
    return read
end

local start, step
if after == 0 and mark ~= NOTHING then
    local high, low = struct.unpack('>I4I4', mark)
    start, step = start_named(math.floor(high / 16)), high % 16 * 2 ^ 32 + low
end

local records, upto, upto_mark, more = {}, from, mark, false
if not start then
    local read = entries_after(from)
    if not read then
        -- All that is left is in the table of records.
        if after > 0 and history == 'SAME' then
            history = 'SWEPT'
        end
        start, step = newest_start(), 0
    else
        for _, entry in ipairs(read) do
            records[#records + 1] = string.sub(entry[2][2], MARK + 1)
        end
        local last = read[#read]
        if last then
            upto, upto_mark = sequence_of(last[1]), string.sub(last[2][2], 1, MARK)
        elseif from == 0 then
            upto_mark = NOTHING
        end
        more = upto < head.sequence
    end
end
if start then
    local found = redis.call('HSCAN', RECORDS, decimal(step), 'COUNT', size)
    step = tonumber(found[1])
    for place = 1, #found[2], 2 do
        records[#records + 1] = found[2][place] .. found[2][place + 1]
    end
    if step >= 2 ^ 36 then
        return {'STEP'}
    elseif step == 0 then
        upto, upto_mark, more = start.sequence, start.mark, start.sequence < head.sequence
    else
        upto, upto_mark = 0, struct.pack('>I4I4', start.name * 16 + math.floor(step / 2 ^ 32), step % 2 ^ 32)
        more = true
    end
end

-- The table of records has each selector once.
local expected = start and head.count or head.sequence - from
return {OK, incarnation, history, upto, upto_mark, more and 1 or 0, head.sequence, head.forgotten,
    milliseconds, expected, table.concat(records), listed, barrier, waits, members}
