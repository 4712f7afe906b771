//! The life of tokens and grants at the authorization server.

/// Starts a server, and a client for it.
macro_rules! server {
    ($server:ident, $http:ident) => {
        let (_folder, data) = folder();
        let $server = Server::start(&data);
        let $http = Http::to($server.url(""));
    };
}

mod codes;
mod endpoints;
mod tokens;
