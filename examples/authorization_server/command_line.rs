//! The command line.

#[derive(Debug)]
pub(crate) enum Command {
    /// Print the help.
    Help,
    /// Run the server.
    Serve {
        /// `--jwt`, which means the same as `ACCESS_TOKENS=jwt`.
        jwt: bool,
    },
}

impl Command {
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut jwt = false;
        for argument in arguments {
            match &*argument {
                "--help" | "-h" => return Ok(Self::Help),
                "--jwt" => jwt = true,
                _ => return Err(format!("unknown argument {argument}; try --help")),
            }
        }
        Ok(Self::Serve { jwt })
    }
}

pub(crate) const HELP: &str = "\
A small authorization server with revocation: RFC 6749, 7009, 7636, 7662, 8414, 9068.

    authorization_server [--jwt]

    --jwt            access tokens are JWTs; the same as ACCESS_TOKENS=jwt
    --help           print this help

All settings are optional environment variables. The value in brackets is the default.

    ACCESS_TOKENS    opaque or jwt [opaque]
    LISTEN           the address to listen on, host:port [127.0.0.1:8089]
    TLS_LISTEN       the address to listen on with TLS and client certificates [none]
    ISSUER           the issuer identifier: https, or http on this machine [http://LISTEN]
    DATA             the file that holds the state [target/authorization_server.redb]
    LOG              the URL of a PostgreSQL database in place of DATA, which several servers share
                     [none]
    FEED_TOKENS      a file with the tokens of gateways that follow the revocations at /feed [none]
    KEYS             the folder of keys and certificates [DATA with the extension .keys]
    TRUSTED_PROXIES  networks whose Client-Cert, X-Forwarded-For and Forwarded are believed,
                     separated by commas [none]
    CORS_ORIGINS     origins whose apps may call, separated by commas [http://127.0.0.1:5173]
    CLIENTS          a JSON file of registered clients [the clients of the demo]
    DEMO_EXPOSE      1 to allow an address that is not loopback [refused]
    RUST_LOG         a level, off, or a list such as warn,tower_revocation=debug [info]
";
