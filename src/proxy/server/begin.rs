//! The first bytes of a connection tell the version of HTTP.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The first bytes of an HTTP/2 client (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a connection begins with.
pub(super) struct Begun {
    pub(super) is_http2: bool,
    /// Is to be read again.
    pub(super) first: Vec<u8>,
}

impl Begun {
    /// Reads until the version of HTTP is certain. Returns `None` if the peer sends nothing.
    pub(super) async fn read(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut first = [0; PREFACE.len()];
        let mut len = 0;
        while len < PREFACE.len() && PREFACE.starts_with(&first[..len]) {
            match io.read(&mut first[len..]).await? {
                0 => break,
                read => len += read,
            }
        }
        let first = first[..len].to_vec();
        Ok((!first.is_empty()).then_some(Self {
            is_http2: first == PREFACE,
            first,
        }))
    }
}
