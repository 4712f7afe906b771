//! What does the source say now?

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Request, Uri,
    header::{ACCEPT, AGE, CACHE_CONTROL, HeaderValue},
};

use super::{
    RemoteError, RemoteErrorKind, event,
    metadata::{jwks_uri, well_known},
    source::{KeySource, Place},
};
use crate::{
    jose::KeySet,
    outbound::{ConnectionSettings, HttpClient},
};

pub(super) struct Fetcher {
    /// For what clients have named.
    guarded: HttpClient,
    /// For what the operator has named.
    trusted: HttpClient,
    connection: ConnectionSettings,
    bounds: Bounds,
}

/// How large a set may be.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) max_keys: usize,
    pub(super) max_candidates: usize,
}

/// What a source said.
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    /// For how long, if it says.
    pub(super) lifetime: Option<Duration>,
}

impl Fetcher {
    pub(super) fn new(connection: ConnectionSettings, bounds: Bounds) -> Self {
        let trusted = ConnectionSettings {
            allow_private: true,
            ..connection.clone()
        };
        Self {
            guarded: HttpClient::new(connection.clone()),
            trusted: HttpClient::new(trusted),
            connection,
            bounds,
        }
    }

    /// One time-out for all of it.
    pub(super) async fn fetch(&self, source: &KeySource) -> Result<Fetched, RemoteError> {
        tokio::time::timeout(self.connection.timeout, self.fetch_unbounded(source))
            .await
            .map_err(|elapsed| {
                RemoteError::new(RemoteErrorKind::TimedOut, "it took too long").caused_by(elapsed)
            })?
    }

    async fn fetch_unbounded(&self, source: &KeySource) -> Result<Fetched, RemoteError> {
        let (http_client, uri) = match source.place(self.connection.allow_private)? {
            Place::Guarded(uri) => (&self.guarded, uri),
            Place::Trusted(uri) => (&self.trusted, uri),
            Place::Issuer { plain_http } => {
                let uri = self.discover(source.as_str(), plain_http).await?;
                (&self.trusted, uri)
            }
        };
        let accept = "application/jwk-set+json, application/json";
        let (headers, body) = http_client.fetch(get(uri, accept)?).await?;
        let keys = self.read(body).await?;
        event::left_out(source, &keys);
        Ok(Fetched {
            keys,
            lifetime: lifetime(&headers),
        })
    }

    /// The `jwks_uri` in the metadata of the issuer.
    async fn discover(&self, issuer: &str, plain_http: bool) -> Result<Uri, RemoteError> {
        let mut failed = RemoteError::metadata("there is none");
        for place in well_known(issuer) {
            let place: Uri = place.parse().map_err(|error| {
                RemoteError::configuration("this is no issuer").caused_by(error)
            })?;
            let found = match self.trusted.fetch(get(place, "application/json")?).await {
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
        let Bounds {
            max_keys,
            max_candidates,
        } = self.bounds;
        let read = aside(move || KeySet::published(&body, max_keys, max_candidates)).await?;
        read.map_err(|error| {
            // It may be between two keys.
            let failure = if error.is_of_all() {
                RemoteError::new(RemoteErrorKind::NoUsableKey, "no key can be used")
            } else {
                RemoteError::new(RemoteErrorKind::Malformed, "the answer is no JWKS")
            };
            failure.caused_by(error)
        })
    }
}

/// A large document takes milliseconds: those who wait on this thread must not wait for them.
async fn aside<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RemoteError> {
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(RemoteError::broken_off)
}

fn get(uri: Uri, accept: &'static str) -> Result<Request<Full<Bytes>>, RemoteError> {
    Request::get(uri)
        .header(ACCEPT, accept)
        .body(Full::default())
        .map_err(|error| RemoteError::configuration("this is no URI").caused_by(error))
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
