use hyper::{
    HeaderMap,
    header::{self, HeaderName, HeaderValue},
};

use super::{connection_options, is_believed, is_same, remove_hop_by_hop, takes_trailers};

fn name(name: &str) -> HeaderName {
    name.parse().unwrap()
}

#[test]
fn spelling_does_not_distinguish_names() {
    for spelling in [
        "x-token-subject",
        "X_Token_Subject",
        "x.token.subject",
        "x-token_subject",
        "x~token!subject",
    ] {
        assert!(
            is_same(&name(spelling), &name("x-token-subject")),
            "{spelling}"
        );
    }
    for other in ["x-token-subjects", "xtoken-subject", "x-token-subjec"] {
        assert!(!is_same(&name(other), &name("x-token-subject")), "{other}");
    }
}

#[test]
fn believed_names_are_found_in_every_spelling() {
    for believed in [
        "x-forwarded-for",
        "x_forwarded_proto",
        "x-host",
        "content_length",
        "transfer.encoding",
        "x.original.forwarded.host",
        "forwarded",
        "client_cert",
        "remote.user",
        "X_Real_IP",
        "x-envoy-external-address",
        "x-http-method-override",
        "X_HTTP_Method",
        "x.method.override",
    ] {
        assert!(is_believed(&name(believed)), "{believed}");
    }
    for kept in [
        "authorization",
        "host",
        "content-length",
        "content-type",
        "user-agent",
        "traceparent",
        "tracestate",
        "x-request-id",
        "accept",
        "x",
        "x-",
        "grpc-timeout",
    ] {
        assert!(!is_believed(&name(kept)), "{kept}");
    }
}

#[test]
fn fields_that_connection_names_go() {
    let mut headers = HeaderMap::new();
    for (field, value) in [
        ("connection", &b"close, X-Hop"[..]),
        ("connection", b"\xff,\tx-second"),
        ("x-hop", b"1"),
        ("x-second", b"2"),
        ("keep-alive", b"timeout=5"),
        ("upgrade", b"h2c"),
        ("http2-settings", b"AAA"),
        ("trailer", b"x-end"),
        ("x-end", b"3"),
    ] {
        headers.append(name(field), HeaderValue::from_bytes(value).unwrap());
    }
    let options: Vec<_> = connection_options(&headers).collect();
    assert_eq!(options, ["close", "x-hop", "x-second"].map(name));
    remove_hop_by_hop(&mut headers);
    let mut kept: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    kept.sort_unstable();
    assert_eq!(kept, ["trailer", "x-end"]);
}

#[test]
fn trailers_are_accepted_only_by_name() {
    for (te, accepted) in [
        ("trailers", true),
        ("deflate;q=0.5, TRAILERS ;q=1", true),
        ("trailers2", false),
        ("gzip", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::TE, te.parse().unwrap());
        assert_eq!(takes_trailers(&headers), accepted, "{te}");
    }
}
