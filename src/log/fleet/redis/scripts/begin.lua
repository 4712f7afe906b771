-- Begins another life of the log, if the current one is still ARGV[1]: empty if there is none. ARGV[2]
-- is the new epoch.
if incarnation ~= ARGV[1] then
    return {OK, 0}
end
-- The stream accepts no number twice.
if redis.call('EXISTS', STREAM) == 1 then
    local about = redis.call('XINFO', 'STREAM', STREAM)
    for place = 1, #about, 2 do
        if about[place] == 'last-generated-id' then
            head.sequence = math.max(head.sequence, sequence_of(about[place + 1]))
        end
    end
end
redis.call('HSET', HEAD, 'format', FORMAT, 'epoch', ARGV[2], 'sequence', decimal(head.sequence),
    'mark', head.mark, 'stamp', decimal(head.stamp), 'count', redis.call('HLEN', RECORDS),
    'forgotten', head.forgotten)
return {OK, 1}
