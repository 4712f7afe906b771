//! The responses to refused requests (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1).

use std::time::Duration;

use hyper::{StatusCode, header};
use tower::{BoxError, service_fn};
use tower_revocation::{
    Error, ErrorKind, Secret,
    enforce::{EnforcementLayer, Index, Policy, Refused, Verdict},
    introspect::Introspection,
    log::{MemoryLog, RevocationLog as _, Selector},
};

use crate::fixture::{TOKEN, ask, body, forever, good, guarded, request, verdict, with_token};

fn field<B>(response: &hyper::Response<B>, name: header::HeaderName) -> Option<&str> {
    response
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn good_token_passes_with_its_introspection() {
    let (layer, _) = guarded(good()).await;
    let response = ask(&layer, with_token()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(body(response).await, "alice");
}

#[tokio::test]
async fn no_token_is_challenged_without_an_error() {
    let (layer, _) = guarded(good()).await;
    for authorization in [None, Some("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW")] {
        let response = ask(&layer, request(authorization)).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let challenge = field(&response, header::WWW_AUTHENTICATE);
        assert_eq!(challenge, Some(r#"Bearer realm="api""#));
        assert_eq!(field(&response, header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(body(response).await, "");
    }
}

#[tokio::test]
async fn anonymous_policy_passes_no_token_and_refuses_a_bad_one() {
    let (layer, _) = guarded(good()).await;
    let layer = layer.policy(Policy::new().anonymous(true));
    let response = ask(&layer, request(None)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(body(response).await, "anonymous");
    let (status, _) = verdict(&layer, request(Some("Bearer unknown"))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn unknown_expired_and_revoked_tokens_get_the_same_response() {
    let mut expired = good();
    expired.exp = expired.iat;
    let (one, _) = guarded(expired).await;
    let (other, log) = guarded(good()).await;
    log.append(forever(Selector::grant("g1"))).await.unwrap();
    let unknown = request(Some("Bearer unknown"));
    let mut responses = Vec::new();
    for (layer, request) in [
        (&one, with_token()),
        (&other, with_token()),
        (&one, unknown),
    ] {
        let response = ask(layer, request).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let challenge = field(&response, header::WWW_AUTHENTICATE).unwrap();
        assert!(challenge.starts_with(r#"Bearer realm="api", error="invalid_token""#));
        responses.push((format!("{:?}", response.headers()), body(response).await));
    }
    assert!(
        responses.iter().all(|response| *response == responses[0]),
        "{responses:?}"
    );
}

#[tokio::test]
async fn a_record_of_any_selector_revokes() {
    let token = good();
    for selector in token.selectors() {
        let (layer, log) = guarded(token.clone()).await;
        assert_eq!(verdict(&layer, with_token()).await, (StatusCode::OK, None));
        log.append(forever(selector)).await.unwrap();
        let (status, verdict) = verdict(&layer, with_token()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(verdict, Some(Verdict::Revoked(Some(selector.class()))));
    }
}

#[tokio::test]
async fn records_of_others_do_not_revoke() {
    let (layer, log) = guarded(good()).await;
    for selector in [
        Selector::subject("bob"),
        Selector::grant("g2"),
        Selector::session("g1"),
        Selector::grant("s1"),
        Selector::client("alice"),
        Selector::subject_and_client("alice", "c2"),
        Selector::key(&[2; 32]),
        Selector::issuer("https://as.example.com/"),
        Selector::token("https://as.example.com", "jti-2"),
        Selector::subject("alice").within("https://other.example.com"),
    ] {
        log.append(forever(selector)).await.unwrap();
    }
    assert_eq!(verdict(&layer, with_token()).await, (StatusCode::OK, None));
}

#[tokio::test]
async fn scheme_is_case_insensitive_and_dpop_gets_a_dpop_challenge() {
    let (layer, _) = guarded(good()).await;
    for scheme in ["bearer", "BEARER", "DPoP", "dpop"] {
        let good = request(Some(&format!("{scheme} {TOKEN}")));
        assert_eq!(verdict(&layer, good).await.0, StatusCode::OK, "{scheme}");
    }
    let response = ask(&layer, request(Some("DPoP unknown"))).await;
    let challenge = field(&response, header::WWW_AUTHENTICATE).unwrap();
    assert!(
        challenge.starts_with(r#"DPoP realm="api", error="invalid_token""#),
        "{challenge}"
    );
}

#[tokio::test]
async fn malformed_header_is_an_invalid_request() {
    let (layer, _) = guarded(good()).await;
    let mut twice = with_token();
    let again = twice.headers()[header::AUTHORIZATION].clone();
    twice.headers_mut().append(header::AUTHORIZATION, again);
    for request in [twice, request(Some("Bearer")), request(Some("Bearer a b"))] {
        let response = ask(&layer, request).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let challenge = field(&response, header::WWW_AUTHENTICATE).unwrap();
        assert!(
            challenge.contains(r#"error="invalid_request""#),
            "{challenge}"
        );
    }
}

#[tokio::test]
async fn token_in_the_query_or_a_cookie_counts_only_with_token_from() {
    let (layer, _) = guarded(good()).await;
    let in_cookie = || {
        let mut request = request(None);
        *request.uri_mut() = format!("/api/me?access_token={TOKEN}").parse().unwrap();
        let cookie = format!("token={TOKEN}").parse().unwrap();
        request.headers_mut().insert(header::COOKIE, cookie);
        request
    };
    assert_eq!(verdict(&layer, in_cookie()).await.1, Some(Verdict::Missing));
    let layer = layer.token_from(|_, headers| {
        let cookie = headers.get(header::COOKIE)?.to_str().ok()?;
        cookie.strip_prefix("token=").map(Secret::from)
    });
    assert_eq!(verdict(&layer, in_cookie()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn failed_introspection_is_503_with_retry_after_and_its_cause() {
    let (layer, _) = guarded(good()).await;
    let response = ask(&layer, request(Some("Bearer broken"))).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(field(&response, header::RETRY_AFTER), Some("1"));
    assert_eq!(field(&response, header::WWW_AUTHENTICATE), None);
    let refused = response.extensions().get::<Refused>().unwrap();
    assert_eq!(refused.verdict(), Verdict::Unknown);
    let cause = std::error::Error::source(refused).unwrap().to_string();
    assert_eq!(cause, "the store is down");
    assert_eq!(body(response).await, "");
}

#[tokio::test]
async fn cause_can_set_retry_after() {
    let busy = service_fn(async |_: Secret| {
        let error = Error::new(ErrorKind::Unavailable).retry_after(Duration::from_millis(1500));
        Err::<Option<Introspection>, BoxError>(error.into())
    });
    let index = Index::follow(&MemoryLog::new()).await.unwrap();
    let layer = EnforcementLayer::new(busy, index);
    let response = ask(&layer, with_token()).await;
    assert_eq!(field(&response, header::RETRY_AFTER), Some("2"));
}

#[tokio::test]
async fn realm_is_quoted() {
    let (layer, _) = guarded(good()).await;
    let response = ask(&layer.realm(r#"a "quoted" \ realm"#), request(None)).await;
    let challenge = field(&response, header::WWW_AUTHENTICATE);
    assert_eq!(challenge, Some(r#"Bearer realm="a \"quoted\" \\ realm""#));
}

#[tokio::test]
#[should_panic(expected = "a realm consists of visible ASCII characters and spaces")]
async fn realm_with_a_line_break_is_refused() {
    let (layer, _) = guarded(good()).await;
    let _ = layer.realm("a\r\nb");
}

const METADATA: &str = "https://api.example.com/.well-known/oauth-protected-resource/v1";

/// RFC 9728 §5.1.
#[tokio::test]
async fn every_challenge_names_the_resource_metadata() {
    let (layer, _) = guarded(good()).await;
    let layer = layer.resource_metadata(METADATA).realm("files");
    let parameter = format!("resource_metadata=\"{METADATA}\"");
    for (authorization, start) in [
        (None, "Bearer realm=\"files\", resource_metadata="),
        (
            Some("Bearer unknown"),
            "Bearer realm=\"files\", error=\"invalid_token\", ",
        ),
        (
            Some("DPoP unknown"),
            "DPoP realm=\"files\", error=\"invalid_token\", ",
        ),
        (
            Some("Bearer a b"),
            "Bearer realm=\"files\", error=\"invalid_request\", ",
        ),
    ] {
        let response = ask(&layer, request(authorization)).await;
        let challenge = field(&response, header::WWW_AUTHENTICATE).unwrap();
        assert!(challenge.starts_with(start), "{challenge}");
        assert!(challenge.ends_with(&parameter), "{challenge}");
    }
    let response = ask(&layer, request(Some("Bearer broken"))).await;
    assert_eq!(field(&response, header::WWW_AUTHENTICATE), None);
}

#[test]
fn resource_metadata_is_a_url_that_clients_can_fetch_safely() {
    let accepts = |url: &str| {
        let configured = || EnforcementLayer::new((), Index::new()).resource_metadata(url);
        std::panic::catch_unwind(configured).is_ok()
    };
    for url in [
        METADATA,
        "https://api.example.com/?a=b",
        "http://localhost:3000/x",
        "http://127.0.0.1/x",
        "http://[::1]:80/x",
    ] {
        assert!(accepts(url), "{url}");
    }
    for url in [
        "",
        "/.well-known/oauth-protected-resource",
        "api.example.com",
        "http://api.example.com/x",
        "ftp://api.example.com/x",
        "https:///x",
        "https://alice@api.example.com/x",
        "https://api.example.com/x#y",
        "https://api.example.com/\"",
        "https://api.example.com/x y",
        "https://api.example.com/\r\n",
        "https://api.example.com/\u{e9}",
    ] {
        assert!(!accepts(url), "{url}");
    }
}
