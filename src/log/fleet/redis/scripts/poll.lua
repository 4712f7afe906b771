-- Reads a page. ARGV: the cursor's sequence and mark; how many records; the next step of a scan and
-- its incarnation, or two empty strings; whether to write something, as a proof; the member; what it
-- reports, or an empty string; its name; then members to strike out, and their beats.
if incarnation == '' then
    return {'NONE'}
end
local after, mark, size = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local scan, scanned, prove = ARGV[4], ARGV[5], ARGV[6] == '1'
local member, report, name = ARGV[7], ARGV[8], ARGV[9]
local SILENT = 10

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
    local beat = before and number(before) or 0
    redis.call('HSET', MEMBERS, member, packed(beat + 1) .. report .. name)
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

local records, upto, upto_mark, next_scan = {}, from, mark, ''
if scan == '' then
    local entries = {}
    if from < head.sequence then
        entries = redis.call('XRANGE', STREAM, id(from + 1), '+', 'COUNT', size)
    end
    if from < head.sequence and (not entries[1] or sequence_of(entries[1][1]) ~= from + 1) then
        -- All that is left is in the table of records.
        if after > 0 and history == 'SAME' then
            history = 'SWEPT'
        end
        scan, scanned = '0', incarnation
    else
        for _, entry in ipairs(entries) do
            records[#records + 1] = string.sub(entry[2][2], 9)
        end
        local last = entries[#entries]
        if last then
            upto, upto_mark = sequence_of(last[1]), string.sub(last[2][2], 1, 8)
        elseif from == 0 then
            upto_mark = NOTHING
        end
    end
end
if scan ~= '' then
    -- A server that has restarted has another order.
    if scanned ~= incarnation then
        scan = '0'
    end
    local found = redis.call('HSCAN', RECORDS, scan, 'COUNT', size)
    next_scan = found[1]
    for place = 1, #found[2], 2 do
        records[#records + 1] = found[2][place] .. found[2][place + 1]
    end
    upto, upto_mark = head.sequence, head.mark
end

-- The table of records has each selector once.
local expected = scan ~= '' and head.count or head.sequence - from
local milliseconds = now * 1000 + math.floor(tonumber(time[2]) / 1000)
return {'OK', incarnation, history, upto, upto_mark, head.sequence, head.mark, next_scan,
    head.forgotten, milliseconds, expected, table.concat(records), listed, barrier, waits, members}
