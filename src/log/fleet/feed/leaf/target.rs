//! Where the relay is and who asks: a URL, and a file with a token.

use std::{fs, io, sync::Arc};

use futures::future::BoxFuture;
use hyper::{header::HeaderValue, http::uri::PathAndQuery};
use rustls::pki_types::ServerName;
use tokio::{
    net::{TcpStream, lookup_host},
    task::spawn_blocking,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    super::super::url::{Host, Url, files, is_local},
    connection::{Open, Opened, Place, Stream},
    fault::{Fault, TOKEN_FILE},
};
use crate::tls::Files;

/// A longer file is not one with a token.
const LONGEST_TOKEN: usize = 4096;

#[derive(Clone, Debug)]
pub(super) struct Target {
    host: String,
    port: u16,
    path: String,
    is_encrypted: bool,
    files: Files,
    token_file: Option<String>,
}

impl Target {
    /// Reads a URL without the parameters of the log.
    pub(super) fn read(url: &Url) -> Result<Self, Fault> {
        if url.user.is_some() || url.password.is_some() || url.path.contains('#') {
            return Err(Fault::misconfigured(format!(
                "the URL of the feed must have neither a user nor a fragment: {TOKEN_FILE} names the \
                 file with the token",
            )));
        }
        let wrong =
            || Fault::misconfigured("the URL of the feed is not valid: write https://HOST/feed");
        let [host] = &url.hosts[..] else {
            return Err(wrong());
        };
        let Host { name, port } = host.clone();
        if name.is_empty() || name.starts_with('/') {
            return Err(wrong());
        }
        let is_encrypted = url.scheme == "https";
        if !is_encrypted && !is_local(&name) {
            return Err(Fault::misconfigured(format!(
                "`http` is refused for {name}: only connections on this machine may lack TLS",
            )));
        }
        let path = format!("/{}", url.path);
        path.parse::<PathAndQuery>().map_err(|_| wrong())?;
        let mut parameters = url.parameters.clone();
        let files = files(&mut parameters, &|_| None)?;
        parameters.end()?;
        Ok(Self {
            port: port.unwrap_or(if is_encrypted { 443 } else { 80 }),
            path,
            host: name,
            is_encrypted,
            files,
            token_file: url.variable(TOKEN_FILE),
        })
    }

    pub(super) fn place(&self) -> Place {
        let Self { host, port, .. } = self;
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        Place {
            authority: format!("{host}:{port}"),
            path: self.path.clone(),
        }
    }

    /// Returns what opens a connection. The files are read each time.
    pub(super) fn open(self) -> Arc<Open> {
        let target = Arc::new(self);
        Arc::new(move || -> BoxFuture<'static, Result<Opened, Fault>> {
            Box::pin(connect(target.clone()))
        })
    }
}

async fn connect(target: Arc<Target>) -> Result<Opened, Fault> {
    let file = target.token_file.clone();
    let token = spawn_blocking(move || file.as_deref().map(token).transpose()).await;
    let token = token.map_err(|_| Fault::unavailable("the runtime of the log ends"))??;
    let place = target.place().authority;
    let failed = |error| Fault::connecting(&error, &place);
    let stream = dial(&target).await.map_err(failed)?;
    let stream: Box<dyn Stream> = if target.is_encrypted {
        Box::new(encrypt(&target, stream).await?)
    } else {
        Box::new(stream)
    };
    Ok(Opened { stream, token })
}

async fn encrypt(target: &Arc<Target>, stream: TcpStream) -> Result<TlsStream<TcpStream>, Fault> {
    let files = target.files.clone();
    let config = spawn_blocking(move || files.config()).await;
    let config = config.map_err(|_| Fault::unavailable("the runtime of the log ends"))?;
    let config = config.map_err(Fault::misconfigured)?;
    let host = ServerName::try_from(target.host.clone())
        .map_err(|_| Fault::misconfigured("the host in the URL of the feed is not a name"))?;
    let connected = TlsConnector::from(Arc::new(config)).connect(host, stream);
    let failed = |error| Fault::connecting(&error, &target.place().authority);
    connected.await.map_err(failed)
}

async fn dial(target: &Target) -> io::Result<TcpStream> {
    let mut last = None;
    for address in lookup_host((&*target.host, target.port)).await? {
        if !target.is_encrypted && !address.ip().is_loopback() {
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other("the name has no usable address")))
}

/// Reads the bearer token.
fn token(file: &str) -> Result<HeaderValue, Fault> {
    let text = fs::read_to_string(file).map_err(|error| {
        Fault::misconfigured(format!(
            "the file {file} of {TOKEN_FILE} cannot be read: {error}"
        ))
    })?;
    bearer(text.trim_end_matches(['\r', '\n'])).ok_or_else(|| {
        Fault::misconfigured(format!(
            "the file {file} of {TOKEN_FILE} must have one token of A-Z a-z 0-9 -._~+/=, in one line",
        ))
    })
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || token.len() > LONGEST_TOKEN || !token.bytes().all(is_token) {
        return None;
    }
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt as _, net::TcpListener};

    use super::*;

    fn parse(url: &str) -> Result<Target, Fault> {
        Target::read(&Url::parse(url)?)
    }

    #[test]
    fn url_names_the_relay() {
        let target = parse("https://relay.example.com/a/feed?sslrootcert=/ca.pem").unwrap();
        assert_eq!(target.place().authority, "relay.example.com:443");
        assert_eq!(target.place().path, "/a/feed");
        assert_eq!(target.files.roots.unwrap().path, "/ca.pem");
        let target = parse("http://[::1]:8080").unwrap();
        assert_eq!(target.place().authority, "[::1]:8080");
        assert_eq!((target.port, &*target.path), (8080, "/"));
        assert_eq!(parse("http://localhost/feed").unwrap().port, 80);
    }

    #[test]
    fn url_that_is_not_usable_is_refused_without_its_secrets() {
        for url in [
            "https://",
            "https:///feed",
            "https://relay:port/feed",
            "https://relay:99999/feed",
            "http://relay.example.com/feed",
            "http://10.0.0.1/feed",
            "https://me:secret@relay/feed",
            "https://relay/feed#secret",
            "https://relay/feed?token=secret",
            "https://relay/feed?sslrootcert=",
            "https://relay/feed?sslcert=/a",
            "https://one,two/feed",
            "https://relay#secret",
            "https://relay/fe ed",
            "https://relay/feed?sslrootcert=/a&sslrootcert=/b",
        ] {
            let fault = parse(url).unwrap_err();
            assert_eq!(fault.kind, crate::log::LogErrorKind::Misconfigured, "{url}");
            assert!(!fault.to_string().contains("secret"), "{url}: {fault}");
        }
    }

    #[tokio::test]
    async fn port_without_tls_is_named() {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let response = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(response).await.unwrap();
            stream
        };
        let target = Arc::new(parse(&format!("https://localhost:{port}/feed")).unwrap());
        let (_stream, opened) = tokio::join!(serve, connect(target));
        let fault = opened.err().unwrap();
        assert_eq!(fault.kind, crate::log::LogErrorKind::Misconfigured);
        let line = fault.to_string();
        assert!(line.contains("does not speak TLS"), "{line}");
        assert!(line.contains("correct the port"), "{line}");
    }

    #[test]
    fn token_is_not_printed() {
        let value = bearer("abcdefghijklmnopqrst").unwrap();
        assert_eq!(value, "Bearer abcdefghijklmnopqrst");
        assert!(!format!("{value:?}").contains("abc"));
        for wrong in ["", "two words", "line\nbreak", "\u{fc}", &"x".repeat(5000)] {
            assert_eq!(bearer(wrong), None);
        }
    }
}
