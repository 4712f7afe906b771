-- Takes entries that are due, those first that are due for the longest time. ARGV: the mark of the call,
-- how many, and for how many seconds they are not due then. If the same call comes again, it returns the
-- same, unless another one has come meanwhile: those entries are due again later.
local mark, limit, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local taken = redis.call('HGET', HEAD, 'taken') or ''
if string.sub(taken, 1, 8) == mark then
    for place in string.gmatch(string.sub(taken, 9), '%d+') do
        local entry = entry_at(place)
        if entry and entry.changed_by == mark then
            add(entry)
        end
    end
else
    -- Those that are left could otherwise stand before the others for ever.
    forget_entries(100)
    taken = mark
    local until_then = packed(math.min(now + lease, EXACT))
    local due = redis.call('ZRANGE', DUES, '-inf', decimal(now), 'BYSCORE', 'LIMIT', 0, limit)
    for _, place in ipairs(due) do
        local entry = entry_at(place)
        if is_kept(entry) then
            entry.version, entry.due, entry.changed_by = entry.version + 1, until_then, mark
            store(entry)
            taken = taken .. place .. ','
            if not add(entry) then
                break
            end
        end
    end
end
if #reply > 0 then
    redis.call('HSET', HEAD, 'taken', taken)
end
return {OK, reply}
