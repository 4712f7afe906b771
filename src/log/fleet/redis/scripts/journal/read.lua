-- Returns entries. ARGV: whether to write something, as a proof; whether they are named by their keys;
-- then the keys, or the places. Returns also how many of them it has looked for.
if ARGV[1] == '1' then
    prove('journal')
end
local looked = 0
for argument = 3, #ARGV do
    local place = ARGV[argument]
    if ARGV[2] == '1' then
        place = redis.call('HGET', ENTRY_KEYS, place)
    end
    local entry = place and entry_at(place)
    looked = looked + 1
    if is_kept(entry) and not add(entry) then
        break
    end
end
return {OK, reply, looked}
