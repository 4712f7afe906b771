-- Changes different entries, if they have these versions. ARGV: the mark of the call; then for each
-- change its place, version, due date (8 bytes, or an empty string) and content. Returns whether each
-- entry was changed by this call, now or before.
local mark = ARGV[1]
for argument = 2, #ARGV, 4 do
    local place, version, due, content = unpack(ARGV, argument, argument + 3)
    local entry = entry_at(place)
    version = tonumber(version)
    local replaced = 0
    if is_kept(entry) and entry.version == version then
        entry.version, entry.due, entry.content, entry.changed_by = version + 1, due, content, mark
        store(entry)
        replaced = 1
    elseif entry and entry.version == version + 1 and entry.changed_by == mark then
        replaced = 1
    end
    reply[#reply + 1] = replaced
end
-- Also if this call comes again: what it has changed is durable once this is.
prove(mark)
return {OK, reply}
