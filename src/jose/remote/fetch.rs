//! What does the source say now?

use std::{
    error::Error as StdError,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Request, StatusCode,
    header::{
        ACCEPT, ACCEPT_ENCODING, AGE, CACHE_CONTROL, CONTENT_ENCODING, HeaderValue, USER_AGENT,
    },
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

use super::{
    RemoteError, Resolve,
    address::{Checked, checked_uri, is_refused},
};
use crate::jose::KeySet;

/// Room for the head of an answer.
const MAX_HEAD: usize = 64 * 1024;

type HttpsClient = Client<HttpsConnector<HttpConnector<Checked>>, Empty<Bytes>>;

/// How a source is reached, and how much of it is read.
#[derive(Clone)]
pub(super) struct Reach {
    pub(super) timeout: Duration,
    pub(super) max_size: usize,
    /// `None`: the system's.
    pub(super) roots: Option<Arc<RootCertStore>>,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) allow_private: bool,
}

pub(super) struct Fetcher {
    reach: Reach,
    client: OnceLock<HttpsClient>,
}

/// What a source said.
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    /// For how long, if it says.
    pub(super) lifetime: Option<Duration>,
}

impl Fetcher {
    pub(super) fn new(reach: Reach) -> Self {
        Self {
            reach,
            client: OnceLock::new(),
        }
    }

    /// One time-out for all of it: a source that stalls, stalls nobody for longer than that.
    pub(super) async fn fetch(&self, uri: &str) -> Result<Fetched, RemoteError> {
        tokio::time::timeout(self.reach.timeout, self.fetch_unbounded(uri))
            .await
            .map_err(|elapsed| RemoteError::new("it took too long").with_source(elapsed))?
    }

    async fn fetch_unbounded(&self, uri: &str) -> Result<Fetched, RemoteError> {
        let uri = checked_uri(uri, self.reach.allow_private).map_err(RemoteError::unusable)?;
        let request = Request::get(uri)
            .header(ACCEPT, "application/jwk-set+json, application/json")
            .header(ACCEPT_ENCODING, "identity")
            .header(
                USER_AGENT,
                concat!("tower-revocation/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::new())
            .map_err(|error| RemoteError::new("this is no URI").with_source(error))?;
        let response = self
            .client()
            .await?
            .request(request)
            .await
            .map_err(unreached)?;

        // A redirect is not followed: it would lead past what was checked.
        if response.status().is_redirection() {
            return Err(RemoteError::unusable("the source redirects"));
        }
        if response.status() != StatusCode::OK {
            return Err(RemoteError::new("the source did not answer 200"));
        }
        let (head, body) = response.into_parts();
        let coding = head.headers.get(CONTENT_ENCODING);
        if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(RemoteError::unusable("the answer is compressed"));
        }
        let body = Limited::new(body, self.reach.max_size)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    RemoteError::unusable("the answer is too large")
                } else {
                    RemoteError::new("the answer is cut off").with_source(error)
                }
            })?;
        let keys = KeySet::from_remote(&body.to_bytes())
            .map_err(|error| RemoteError::unusable("the answer is no JWKS").with_source(error))?;
        Ok(Fetched {
            keys,
            lifetime: lifetime(&head.headers),
        })
    }

    async fn client(&self) -> Result<HttpsClient, RemoteError> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let roots = match &self.reach.roots {
            Some(roots) => roots.clone(),
            None => tokio::task::spawn_blocking(system_roots)
                .await
                .map_err(|error| RemoteError::new("no roots of trust").with_source(error))??
                .into(),
        };
        let client = client(&self.reach, roots)?;
        // Two first fetches may both come here: either client does.
        Ok(self.client.get_or_init(|| client).clone())
    }
}

/// Why there was no answer at all.
fn unreached(error: legacy::Error) -> RemoteError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    let mut refused = false;
    while let Some(link) = cause {
        refused |= link.downcast_ref().is_some_and(is_refused);
        cause = link.source();
    }
    let error_of = if refused {
        RemoteError::unusable
    } else {
        RemoteError::new
    };
    error_of("the source cannot be reached").with_source(error)
}

fn system_roots() -> Result<RootCertStore, RemoteError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let error = RemoteError::new("the system has no roots of trust");
    Err(match found.errors.into_iter().next() {
        Some(cause) => error.with_source(cause),
        None => error,
    })
}

fn client(reach: &Reach, roots: Arc<RootCertStore>) -> Result<HttpsClient, RemoteError> {
    let checked = Checked {
        resolver: Arc::clone(&reach.resolver),
        allow_private: reach.allow_private,
    };
    let mut http = HttpConnector::new_with_resolver(checked);
    http.enforce_http(false);
    // Shared among the addresses of a name: one that swallows packets leaves time for the next.
    http.set_connect_timeout(Some(reach.timeout / 2));

    // Never the process's default provider: there may be none, or two.
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| RemoteError::new("TLS cannot be set up").with_source(error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_only()
        .enable_http1()
        .wrap_connector(http);
    Ok(Client::builder(TokioExecutor::new())
        .http1_max_buf_size(MAX_HEAD)
        // The next fetch is minutes away, and is to see where the name leads by then.
        .pool_max_idle_per_host(0)
        .build(https))
}

/// For how long the answer is fresh: `max-age` less `Age` (RFC 9111 §4.2), if there is a word of
/// it.
///
/// Of two words the shorter counts, and one that cannot be read counts as none at all.
fn lifetime(headers: &HeaderMap) -> Option<Duration> {
    let mut lifetime: Option<Duration> = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.as_bytes().split(|octet| *octet == b',') {
            if let Some(said) = freshness(directive) {
                lifetime = Some(lifetime.map_or(said, |lifetime| lifetime.min(said)));
            }
        }
    }
    let age = headers
        .get(AGE)
        .and_then(|age| seconds(HeaderValue::as_bytes(age)));
    Some(lifetime?.saturating_sub(age.unwrap_or_default()))
}

fn freshness(directive: &[u8]) -> Option<Duration> {
    let mut halves = directive.splitn(2, |octet| *octet == b'=');
    let name = halves.next()?.trim_ascii();
    if name.eq_ignore_ascii_case(b"no-store") || name.eq_ignore_ascii_case(b"no-cache") {
        return Some(Duration::ZERO);
    }
    let value = name
        .eq_ignore_ascii_case(b"max-age")
        .then(|| halves.next())?;
    Some(value.and_then(seconds).unwrap_or_default())
}

/// `delta-seconds` (RFC 9111 §1.2.2), quoted or not.
fn seconds(text: &[u8]) -> Option<Duration> {
    let text = text.trim_ascii();
    let text = text
        .strip_prefix(b"\"")
        .and_then(|text| text.strip_suffix(b"\""))
        .unwrap_or(text);
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = text.iter().fold(0_u32, |seconds, digit| {
        // As RFC 9111 has it: what does not fit is as good as for ever.
        seconds
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    });
    Some(Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(fields: &[(&'static str, &'static str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        lifetime(&headers).map(|lifetime| lifetime.as_secs())
    }

    #[test]
    fn an_answer_is_fresh_for_its_max_age_less_its_age() {
        assert_eq!(said(&[("cache-control", "public, max-age=600")]), Some(600));
        assert_eq!(said(&[("cache-control", "MAX-AGE = \"600\"")]), Some(600));
        assert_eq!(
            said(&[("cache-control", "max-age=600"), ("age", "200")]),
            Some(400)
        );
        assert_eq!(
            said(&[("cache-control", "max-age=600"), ("age", "999")]),
            Some(0)
        );
        assert_eq!(
            said(&[("cache-control", "max-age=600"), ("age", "young")]),
            Some(600)
        );
        let endless = "max-age=99999999999999999999";
        assert_eq!(said(&[("cache-control", endless)]), Some(u32::MAX.into()));
    }

    #[test]
    fn the_shorter_of_two_words_counts() {
        assert_eq!(said(&[("cache-control", "max-age=600, no-cache")]), Some(0));
        assert_eq!(said(&[("cache-control", "no-store")]), Some(0));
        assert_eq!(
            said(&[("cache-control", "no-cache=\"set-cookie\"")]),
            Some(0)
        );
        let twice = [
            ("cache-control", "max-age=600"),
            ("cache-control", "max-age=60"),
        ];
        assert_eq!(said(&twice), Some(60));
    }

    #[test]
    fn a_max_age_that_cannot_be_read_is_none_at_all() {
        for value in [
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=1.5",
            "max-age=1h",
        ] {
            assert_eq!(said(&[("cache-control", value)]), Some(0), "{value}");
        }
    }

    #[test]
    fn an_answer_may_say_nothing() {
        assert_eq!(said(&[]), None);
        assert_eq!(said(&[("age", "7")]), None);
        // A shared cache's.
        assert_eq!(said(&[("cache-control", "public, s-maxage=600")]), None);
    }
}
