-- Begins another life of the log, if the current one is still ARGV[1]: empty if there is none. ARGV[2]
-- is the new epoch.
if incarnation ~= ARGV[1] then
    return {OK, 0}
end
-- If the head was lost, the stream knows the number and the mark of the last record. If the stream was
-- emptied, too: it accepts no number twice.
if redis.call('EXISTS', STREAM) == 1 then
    local about = redis.call('XINFO', 'STREAM', STREAM)
    for place = 1, #about, 2 do
        if about[place] == 'last-generated-id' then
            local last = about[place + 1]
            local entry = redis.call('XRANGE', STREAM, last, last)[1]
            if sequence_of(last) >= head.sequence and entry then
                head.mark = string.sub(entry[2][2], 1, 8)
            end
            head.sequence = math.max(head.sequence, sequence_of(last))
        end
    end
end
if not redis.call('HGET', HEAD, 'lease') then
    redis.call('HSET', HEAD, 'lease', ARGV[3])
end
redis.call('HSET', HEAD, 'format', FORMAT, 'epoch', ARGV[2], 'sequence', decimal(head.sequence),
    'mark', head.mark, 'stamp', decimal(head.stamp), 'count', redis.call('HLEN', RECORDS),
    'forgotten', head.forgotten)
return {OK, 1}
