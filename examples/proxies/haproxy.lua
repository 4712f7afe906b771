-- Asks the sidecar whether a request may pass. Loaded by haproxy.cfg.

local url = os.getenv("VERIFY_URL")
-- In milliseconds. HAProxy 2.6 asks four times before it gives up, so the request is refused after
-- 2 s. (From 2.8 on, `httpclient.retries` sets how often.)
local limit = 500

-- What the sidecar needs of the request. A field may be there more than once.
local asked = { "authorization", "dpop", "cookie" }

local function first(headers, name)
    local values = headers and headers[name]
    return values and (values[0] or values[1])
end

local function refuse(txn, status, headers)
    local reply = txn:reply()
    reply:set_status(status)
    for _, name in ipairs({ "www-authenticate", "retry-after", "cache-control" }) do
        local value = first(headers, name)
        if value then reply:add_header(name, value) end
    end
    txn:done(reply)
end

core.register_action("verify", { "http-req" }, function(txn)
    txn:set_var("txn.permitted", false)
    local sent = txn.http:req_get_headers()
    local headers = {
        -- For routes without a token: list the address of HAProxy in `trusted_proxies`.
        ["x-forwarded-method"] = { txn.sf:method() },
        ["x-forwarded-uri"] = { txn.sf:pathq() },
    }
    for _, name in ipairs(asked) do
        local values = {}
        for _, value in pairs(sent[name] or {}) do table.insert(values, value) end
        if #values > 0 then headers[name] = values end
    end

    local response = core.httpclient():get({ url = url, headers = headers, timeout = limit })
    local status = response and response.status
    if status == 200 then
        txn:set_var("txn.token_subject", first(response.headers, "x-token-subject") or "")
        txn:set_var("txn.token_client", first(response.headers, "x-token-client") or "")
        txn:set_var("txn.permitted", true)
    elseif status and status >= 400 and status < 600 then
        refuse(txn, status, response.headers)
    else
        refuse(txn, 503, { ["retry-after"] = { "1" } })
    end
end)
