-- Returns the newest entries. ARGV: whether to write something, as a proof; the place before which they
-- are; and how many. Returns also the place before which others may follow, or 0.
if ARGV[1] == '1' then
    prove('journal')
end
local limit, follow = tonumber(ARGV[3]), '0'
local places = redis.call('ZRANGE', PLACES, '(' .. ARGV[2], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, limit)
for number, place in ipairs(places) do
    local entry = entry_at(place)
    local is_full = is_kept(entry) and not add(entry)
    if is_full or number == limit then
        follow = place
        break
    end
end
return {OK, reply, follow}
