//! One request of every kind, and the expected event.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header::HeaderValue};
use tracing::Level;

use super::{Expected, post, with};

/// One request of every kind, and the expected event.
pub(super) fn kinds() -> Vec<(Request<Full<Bytes>>, Expected)> {
    let mut kinds = after_the_backend();
    kinds.extend(before_the_backend());
    kinds.extend(by_the_head());
    kinds
}

const BASIC: (&str, &str) = ("authorization", "Basic YmFzaWM6YjRzMWM=");
const ASSERTION: &str = "client_assertion=a55ert10n&client_assertion_type=urn:x";

fn after_the_backend() -> Vec<(Request<Full<Bytes>>, Expected)> {
    vec![
        (
            post("token=live-t0ken&client_id=spa-1"),
            ("revoked", None, Some("\"spa-1\""), true, Level::INFO),
        ),
        (
            with(post("token=unknown-t0ken"), &[BASIC]),
            ("not_found", None, Some("\"basic\""), true, Level::INFO),
        ),
        (
            post("token=foreign-t0ken&client_id=post-client&client_secret=s3cr3t"),
            (
                "issued_to_another",
                Some("invalid_grant"),
                Some("\"post-client\""),
                true,
                Level::WARN,
            ),
        ),
        (
            post(&format!("token=stuck-t0ken&client_id=jwt&{ASSERTION}")),
            (
                "unsupported",
                Some("unsupported_token_type"),
                Some("\"jwt\""),
                true,
                Level::WARN,
            ),
        ),
        (
            post(&format!("token=live-t0ken&{ASSERTION}")),
            ("revoked", None, None, true, Level::INFO),
        ),
        (
            post("token=failing-t0ken&client_id=spa-1"),
            (
                "failed",
                Some("unavailable"),
                Some("\"spa-1\""),
                true,
                Level::ERROR,
            ),
        ),
    ]
}

fn before_the_backend() -> Vec<(Request<Full<Bytes>>, Expected)> {
    vec![
        (
            post("token=live-t0ken&client_id=stranger&client_secret=s3cr3t"),
            (
                "refused",
                Some("invalid_client"),
                Some("\"stranger\""),
                false,
                Level::WARN,
            ),
        ),
        (
            post("token=live-t0ken&client_id=limited&client_secret=s3cr3t"),
            (
                "refused",
                Some("too_many_requests"),
                Some("\"limited\""),
                false,
                Level::WARN,
            ),
        ),
        (
            post("client_id=spa-1&client_secret=s3cr3t"),
            (
                "refused",
                Some("invalid_request"),
                Some("\"spa-1\""),
                false,
                Level::WARN,
            ),
        ),
        (
            post("token=live-t0ken&token=live-t0ken&client_secret=s3cr3t"),
            ("refused", Some("invalid_request"), None, false, Level::WARN),
        ),
        (
            with(
                post("token=live-t0ken&client_secret=s3cr3t&client_id=a"),
                &[BASIC],
            ),
            ("refused", Some("invalid_request"), None, false, Level::WARN),
        ),
        (
            with(
                post("token=live-t0ken"),
                &[("authorization", "Basic czNjcjN0!")],
            ),
            ("refused", Some("invalid_client"), None, false, Level::WARN),
        ),
    ]
}

fn by_the_head() -> Vec<(Request<Full<Bytes>>, Expected)> {
    let mut get = post("token=live-t0ken&client_id=spa-1");
    *get.method_mut() = hyper::Method::GET;
    let mut options = post("");
    *options.method_mut() = hyper::Method::OPTIONS;
    let mut query = post("");
    *query.uri_mut() = "/revoke?token=live-t0ken&client_secret=s3cr3t"
        .parse()
        .unwrap();
    let mut twice = with(post("token=live-t0ken"), &[BASIC]);
    twice
        .headers_mut()
        .append("authorization", HeaderValue::from_static("Basic YTpi"));

    vec![
        (
            twice,
            ("refused", Some("invalid_request"), None, false, Level::WARN),
        ),
        (
            query,
            ("refused", Some("invalid_request"), None, false, Level::WARN),
        ),
        (
            get,
            (
                "refused",
                Some("method_not_allowed"),
                None,
                false,
                Level::WARN,
            ),
        ),
        (
            with(post("token=live-t0ken"), &[("content-type", "text/plain")]),
            (
                "refused",
                Some("unsupported_media_type"),
                None,
                false,
                Level::WARN,
            ),
        ),
        (
            with(post("token=live-t0ken"), &[("content-encoding", "gzip")]),
            (
                "refused",
                Some("unsupported_content_coding"),
                None,
                false,
                Level::WARN,
            ),
        ),
        (
            post(&format!("token=live-t0ken&x={}", "x".repeat(65_536))),
            ("refused", Some("body_too_large"), None, false, Level::WARN),
        ),
        (options, ("options", None, None, false, Level::INFO)),
    ]
}
