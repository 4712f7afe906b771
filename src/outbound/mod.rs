//! The HTTPS client that this crate uses to ask other servers.
//!
//! [`RemoteKeys`](crate::jose::RemoteKeys) fetches keys with it, `introspect::upstream` asks an
//! introspection endpoint, `revoke::ForwardRevocation` forwards revocations, and `notify` tells
//! issuers about orders. The rules are the same for all of them:
//!
//! * **Scheme.** `https`, or `http` to this machine (`localhost`, `127.0.0.1`, `[::1]`). Some
//!   constructors accept `http` to other hosts; their names say so. A URI with userinfo or a
//!   fragment is refused.
//! * **Addresses.** Servers that you configure may have any address. A server that a *client* has
//!   registered must have a public address, unless private addresses are allowed. The client
//!   resolves a name once, checks the addresses and connects to one of those. There is no second
//!   lookup that could return others.
//! * **Responses.** Redirects are not followed. Compressed responses are errors. The size is
//!   limited, and one timeout covers everything from the name lookup to the last byte.
//! * **Proxies.** None is used, whatever the environment says.
//! * **Root certificates.** Those of the system, loaded with the first request. `SSL_CERT_FILE` and
//!   `SSL_CERT_DIR` in the environment replace them, and so does a `trusted_ca` setter.
//! * **Cryptography.** The rustls [`CryptoProvider`] that the application has installed, by
//!   `install_default` or by its first `ServerConfig::builder()`. Otherwise aws-lc-rs with the
//!   feature `tls-aws-lc-rs`, or ring with `tls-ring`. Otherwise every request by `https` fails,
//!   and the error says why. No other feature enables a provider: with a second provider in the
//!   build, rustls panics in an application that relies on the only one. Both features also enable
//!   TLS 1.2.
//!
//! [`Resolve`] replaces the resolver of the system.
//!
//! [`CryptoProvider`]: https://docs.rs/rustls/0.23/rustls/crypto/struct.CryptoProvider.html

mod address;
#[cfg(any(feature = "notify", feature = "upstream"))]
mod authorization;
mod client;
mod error;
mod resolver;
mod settings;
mod uri;

#[cfg(feature = "upstream")]
pub(crate) use self::authorization::basic_raw;
#[cfg(any(feature = "notify", feature = "upstream"))]
pub(crate) use self::authorization::{basic, bearer};
pub use self::resolver::Resolve;
pub(crate) use self::{
    client::HttpClient,
    error::{OutboundError, OutboundErrorKind},
    settings::{ConnectionSettings, parse_roots},
    uri::{check_client_uri, parse_client_uri, parse_operator_uri},
};
