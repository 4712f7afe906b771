-- Returns the lease of the log in milliseconds: that of the first node that said one.
local lease = redis.call('HGET', HEAD, 'lease')
if not lease then
    lease = ARGV[1]
    redis.call('HSET', HEAD, 'lease', lease)
end
return {OK, tonumber(lease)}
