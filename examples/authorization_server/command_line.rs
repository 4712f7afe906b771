//! What the command line says.

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Command {
    /// To say what can be set.
    Help,
    /// To serve, with this setting or that.
    Serve {
        /// `--jwt`: as `ACCESS_TOKENS=jwt`.
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
                _ => return Err(format!("there is no {argument}: --help says what there is")),
            }
        }
        Ok(Self::Serve { jwt })
    }
}

pub(crate) const HELP: &str = "\
A small authorization server that revokes: RFC 6749, 7009, 7636, 7662, 8414, 9068.

    authorization_server [--jwt]

    --jwt            access tokens are JWTs; the same as ACCESS_TOKENS=jwt
    --help           prints this

It needs no setting. These are read from the environment:

    ACCESS_TOKENS    opaque (default) or jwt
    LISTEN           where to listen: 127.0.0.1:8089
    TLS_LISTEN       where to listen for TLS, which asks for client certificates: nowhere
    ISSUER           the issuer identifier, https or of this machine: http://<LISTEN>
    DATA             the file that holds the state: target/authorization_server.redb
    KEYS             the folder of keys and certificates: DATA, ending in .keys
    TRUSTED_PROXIES  networks whose Client-Cert, X-Forwarded-For and Forwarded are believed, by commas: none
    CORS_ORIGINS     origins whose apps may call, by commas: http://127.0.0.1:5173
    CLIENTS          a JSON file of registered clients: those of the demo
    DEMO_EXPOSE      1 to listen beyond this machine, which is refused otherwise
";
