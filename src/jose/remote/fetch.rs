//! Fetches a set of keys from its source.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Request, Uri,
    header::{ACCEPT, AGE, CACHE_CONTROL, HeaderValue},
};

use super::{
    RemoteError, RemoteErrorKind,
    metadata::{jwks_uri, well_known},
    source::{KeySource, Target},
};
use crate::{
    jose::{
        KeySet,
        key_set::{MAX_CANDIDATES, MAX_KEYS},
    },
    outbound::{ConnectionSettings, HttpClient},
};

pub(super) struct Fetcher {
    /// For URIs of clients.
    guarded: HttpClient,
    /// For URIs of the operator.
    trusted: HttpClient,
    connection: ConnectionSettings,
    set: SetLimits,
}

/// Limits of a set.
#[derive(Clone, Copy)]
pub(super) struct SetLimits {
    pub(super) max_keys: usize,
    pub(super) max_candidates: usize,
}

impl Default for SetLimits {
    fn default() -> Self {
        Self {
            max_keys: MAX_KEYS,
            max_candidates: MAX_CANDIDATES,
        }
    }
}

/// The response of a source.
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    /// How long the response is fresh, if it says so.
    pub(super) lifetime: Option<Duration>,
}

impl Fetcher {
    pub(super) fn new(connection: ConnectionSettings, set: SetLimits) -> Self {
        let trusted = ConnectionSettings {
            allow_private: true,
            ..connection.clone()
        };
        Self {
            guarded: HttpClient::new(connection.clone()),
            trusted: HttpClient::new(trusted),
            connection,
            set,
        }
    }

    /// Fetches the keys. One timeout covers the metadata and the keys.
    pub(super) async fn fetch(&self, source: &KeySource) -> Result<Fetched, RemoteError> {
        tokio::time::timeout(self.connection.timeout, self.fetch_unbounded(source))
            .await
            .map_err(|elapsed| {
                RemoteError::new(RemoteErrorKind::TimedOut, "the fetch timed out")
                    .caused_by(elapsed)
            })?
    }

    async fn fetch_unbounded(&self, source: &KeySource) -> Result<Fetched, RemoteError> {
        let (http_client, uri) = match source.target(self.connection.allow_private)? {
            Target::Guarded(uri) => (&self.guarded, uri),
            Target::Trusted(uri) => (&self.trusted, uri),
            Target::Issuer { plain_http } => {
                let uri = self.discover(source.as_str(), plain_http).await?;
                (&self.trusted, uri)
            }
        };
        let accept = "application/jwk-set+json, application/json";
        let (headers, body) = http_client.fetch(get(uri, accept)?).await?;
        let keys = self.read(body).await?;
        Ok(Fetched {
            keys,
            lifetime: lifetime(&headers),
        })
    }

    /// Returns the `jwks_uri` from the metadata of the issuer.
    async fn discover(&self, issuer: &str, plain_http: bool) -> Result<Uri, RemoteError> {
        let mut failed = RemoteError::metadata("there is none");
        for uri in well_known(issuer) {
            let uri: Uri = uri.parse().map_err(|error| {
                RemoteError::configuration("the issuer is malformed").caused_by(error)
            })?;
            let found = match self.trusted.fetch(get(uri, "application/json")?).await {
                Ok((_, body)) => {
                    let issuer = issuer.to_owned();
                    aside(move || jwks_uri(&body, &issuer, plain_http)).await?
                }
                Err(failure) => Err(RemoteError::metadata("it was not fetched")
                    .caused_by(RemoteError::from(failure))),
            };
            match found {
                Ok(uri) => return Ok(uri),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    async fn read(&self, body: Bytes) -> Result<KeySet, RemoteError> {
        let SetLimits {
            max_keys,
            max_candidates,
        } = self.set;
        let read = aside(move || KeySet::published(&body, max_keys, max_candidates)).await?;
        read.map_err(|error| {
            // The owner may be replacing its only key right now.
            let failure = if error.is_no_usable_key() {
                RemoteError::new(RemoteErrorKind::NoUsableKey, "no key can be used")
            } else {
                RemoteError::new(RemoteErrorKind::Malformed, "the response is not a JWK Set")
            };
            failure.caused_by(error)
        })
    }
}

/// Runs on a blocking thread: a large document takes milliseconds, which would delay other tasks.
async fn aside<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RemoteError> {
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(RemoteError::aborted)
}

fn get(uri: Uri, accept: &'static str) -> Result<Request<Full<Bytes>>, RemoteError> {
    Request::get(uri)
        .header(ACCEPT, accept)
        .body(Full::default())
        .map_err(|error| RemoteError::configuration("the URI is malformed").caused_by(error))
}

/// Returns how long the response is fresh: `max-age` minus `Age` (RFC 9111 §4.2), or `None` if no
/// directive says so.
///
/// The shortest of several directives applies. An unreadable `max-age` counts as zero.
fn lifetime(headers: &HeaderMap) -> Option<Duration> {
    let mut lifetime: Option<Duration> = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.as_bytes().split(|byte| *byte == b',') {
            if let Some(fresh) = freshness(directive) {
                lifetime = Some(lifetime.map_or(fresh, |lifetime| lifetime.min(fresh)));
            }
        }
    }
    let age = headers
        .get(AGE)
        .and_then(|age| seconds(HeaderValue::as_bytes(age)));
    Some(lifetime?.saturating_sub(age.unwrap_or_default()))
}

fn freshness(directive: &[u8]) -> Option<Duration> {
    let mut halves = directive.splitn(2, |byte| *byte == b'=');
    let name = halves.next()?.trim_ascii();
    if name.eq_ignore_ascii_case(b"no-store") || name.eq_ignore_ascii_case(b"no-cache") {
        return Some(Duration::ZERO);
    }
    let value = name
        .eq_ignore_ascii_case(b"max-age")
        .then(|| halves.next())?;
    Some(value.and_then(seconds).unwrap_or_default())
}

/// Parses `delta-seconds` (RFC 9111 §1.2.2), quoted or not.
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
        // RFC 9111 §1.2.2: a value that overflows counts as the largest one.
        seconds
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    });
    Some(Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime_of(fields: &[(&'static str, &'static str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        lifetime(&headers).map(|lifetime| lifetime.as_secs())
    }

    #[test]
    fn response_is_fresh_for_max_age_minus_age() {
        assert_eq!(
            lifetime_of(&[("cache-control", "public, max-age=600")]),
            Some(600)
        );
        assert_eq!(
            lifetime_of(&[("cache-control", "MAX-AGE = \"600\"")]),
            Some(600)
        );
        assert_eq!(
            lifetime_of(&[("cache-control", "max-age=600"), ("age", "200")]),
            Some(400)
        );
        assert_eq!(
            lifetime_of(&[("cache-control", "max-age=600"), ("age", "999")]),
            Some(0)
        );
        assert_eq!(
            lifetime_of(&[("cache-control", "max-age=600"), ("age", "young")]),
            Some(600)
        );
        let endless = "max-age=99999999999999999999";
        assert_eq!(
            lifetime_of(&[("cache-control", endless)]),
            Some(u32::MAX.into())
        );
    }

    #[test]
    fn shortest_directive_applies() {
        assert_eq!(
            lifetime_of(&[("cache-control", "max-age=600, no-cache")]),
            Some(0)
        );
        assert_eq!(lifetime_of(&[("cache-control", "no-store")]), Some(0));
        assert_eq!(
            lifetime_of(&[("cache-control", "no-cache=\"set-cookie\"")]),
            Some(0)
        );
        let twice = [
            ("cache-control", "max-age=600"),
            ("cache-control", "max-age=60"),
        ];
        assert_eq!(lifetime_of(&twice), Some(60));
    }

    #[test]
    fn unreadable_max_age_counts_as_zero() {
        for value in [
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=1.5",
            "max-age=1h",
        ] {
            assert_eq!(lifetime_of(&[("cache-control", value)]), Some(0), "{value}");
        }
    }

    #[test]
    fn response_without_max_age_has_no_lifetime() {
        assert_eq!(lifetime_of(&[]), None);
        assert_eq!(lifetime_of(&[("age", "7")]), None);
        // `s-maxage` is for shared caches only.
        assert_eq!(
            lifetime_of(&[("cache-control", "public, s-maxage=600")]),
            None
        );
    }
}
