-- The revocation of an unknown token, for wrk.
wrk.method = "POST"
wrk.headers["Authorization"] = "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.body = "token=unknown&token_type_hint=refresh_token&client_id=s6BhdRkqt3"
