//! The service in gRPC, without Envoy.

mod reading;

use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{Request, Response, body::Bytes, header::HeaderMap};
use tower::{BoxError, ServiceExt as _};
use tower_revocation::{
    client::PeerAddr,
    proxy::ext_authz::{ExtAuthzBody, ExtAuthzService},
};

use crate::{
    wire::{all, bytes, framed, number, number_in},
    world::{Authority, Introspect, Mode},
};

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// A `CheckRequest` with fields as a map, as Envoy sends them by default.
fn mapped(path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let entries = fields
        .iter()
        .map(|(name, value)| bytes(3, [bytes(1, name), bytes(2, value)].concat()));
    check(path, &entries.collect::<Vec<_>>().concat())
}

/// One with raw fields, as Envoy sends them under `encode_raw_headers`.
fn raw(path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let entries = fields
        .iter()
        .map(|(name, value)| bytes(1, [bytes(1, name), bytes(3, value)].concat()));
    check(path, &bytes(13, entries.collect::<Vec<_>>().concat()))
}

fn check(path: &str, headers: &[u8]) -> Vec<u8> {
    let http = [bytes(2, "GET"), headers.to_vec(), bytes(4, path)].concat();
    // `source`, `time`, `id`, `host`, `size` and more are skipped.
    let http = [
        bytes(1, "17"),
        http,
        bytes(5, "api.test"),
        number(9, 0),
        bytes(10, "HTTP/1.1"),
    ];
    let request = [bytes(1, number(1, 1_300_819_380)), bytes(2, http.concat())].concat();
    let attributes = [
        bytes(1, bytes(2, "client")),
        bytes(4, request),
        bytes(10, ""),
    ]
    .concat();
    bytes(1, attributes)
}

/// What a `CheckResponse` says.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// The fields to set, and the fields to remove.
    Ok(Vec<(String, String)>, Vec<String>),
    /// The status, and the fields of the response.
    Denied(u64, Vec<(String, String)>),
}

fn said(message: &[u8]) -> Said {
    let status = all(message, 1);
    let [status] = &status[..] else {
        panic!("not one status: {status:?}");
    };
    let code = number_in(status, 1);
    let options = |message: &[u8]| -> Vec<(String, String)> {
        let mut fields: Vec<_> = all(message, 2).iter().map(|option| set(option)).collect();
        fields.sort();
        fields
    };
    match (&all(message, 2)[..], &all(message, 3)[..]) {
        ([denied], []) => {
            assert_ne!(code, 0);
            let status = &all(denied, 1)[0];
            Said::Denied(number_in(status, 1), options(denied))
        }
        ([], [ok]) => {
            assert_eq!(code, 0);
            let mut removed: Vec<_> = all(ok, 5).into_iter().map(text).collect();
            removed.sort();
            Said::Ok(options(ok), removed)
        }
        other => panic!("not one response: {other:?}"),
    }
}

/// A field that replaces others, also if it is empty.
fn set(option: &[u8]) -> (String, String) {
    assert_eq!(number_in(option, 3), 2, "OVERWRITE_IF_EXISTS_OR_ADD");
    assert_eq!(number_in(option, 4), 1, "keep_empty_value");
    let field = &all(option, 1)[0];
    let value = all(field, 2).pop().map(text).unwrap_or_default();
    (text(all(field, 1).remove(0)), value)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn service(authority: &Authority) -> ExtAuthzService<Introspect> {
    let proxies = ["127.0.0.1".parse().unwrap()];
    ExtAuthzService::new(authority.service().trusted_proxies(proxies))
}

fn request(body: Vec<u8>) -> Request<Full<Bytes>> {
    let request = Request::post(CHECK)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .extension(PeerAddr("127.0.0.1:40000".parse().unwrap()));
    request.body(Full::from(body)).unwrap()
}

/// The message of a response, which is a success in gRPC.
async fn message(response: Response<ExtAuthzBody>) -> Said {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let collected = response.into_body().collect().await.unwrap();
    let expected = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
    assert_eq!(collected.trailers(), Some(&expected));
    let body = collected.to_bytes();
    let message = &body[5..];
    assert_eq!(body, framed(message));
    said(message)
}

async fn ask(authority: &Authority, body: Vec<u8>) -> Said {
    let response = service(authority).oneshot(request(body)).await.unwrap();
    message(response).await
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let fields = fields.iter();
    fields
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

fn unknown() -> Said {
    Said::Denied(
        503,
        pairs(&[("cache-control", "no-store"), ("retry-after", "1")]),
    )
}

fn bare() -> Said {
    let fields = [
        ("cache-control", "no-store"),
        ("www-authenticate", "Bearer realm=\"api\""),
    ];
    Said::Denied(401, pairs(&fields))
}

#[tokio::test]
async fn permission_sets_every_identity_field() {
    let authority = Authority::new().await;
    for (authorization, subject, client) in [
        (authority.live(), "alice", "c1"),
        (authority.live_without_subject(), "", "service"),
    ] {
        let fields = [
            (":method", "GET"),
            (":path", "/a"),
            ("authorization", &*authorization),
        ];
        for message in [mapped("/a", &fields), raw("/a", &fields)] {
            let said = ask(&authority, framed(&message)).await;
            let set = [("x-token-client", client), ("x-token-subject", subject)];
            assert_eq!(said, Said::Ok(pairs(&set), Vec::new()));
        }
    }
}

#[tokio::test]
async fn forged_identity_is_removed_in_every_spelling() {
    let authority = Authority::new().await;
    let live = authority.live();
    let fields = [
        ("authorization", &*live),
        ("x-token-subject", "root"),
        ("x_token_subject", "root"),
        ("x.token-subject", "root"),
        ("x-token_client", "root"),
        ("x-token-subjects", "root"),
    ];
    for message in [mapped("/a", &fields), raw("/a", &fields)] {
        let Said::Ok(set, removed) = ask(&authority, framed(&message)).await else {
            panic!("refused");
        };
        let expected = [("x-token-client", "c1"), ("x-token-subject", "alice")];
        assert_eq!(set, pairs(&expected));
        assert_eq!(
            removed,
            ["x-token_client", "x.token-subject", "x_token_subject"]
        );
    }
}

#[tokio::test]
async fn refusals_have_the_status_and_the_fields_of_http() {
    let authority = Authority::new().await;
    let invalid = "Bearer realm=\"api\", error=\"invalid_token\", \
        error_description=\"The token is expired, revoked or not valid here\"";
    let malformed = "Bearer realm=\"api\", error=\"invalid_request\", \
        error_description=\"The Authorization field is malformed\"";
    let live = authority.live();
    let joined = format!("Basic YTpi,{live}");
    for (fields, status, challenge) in [
        (&[("authorization", "Bearer abc")][..], 401, invalid),
        (&[("authorization", "Bearer")], 400, malformed),
        (&[("authorization", &*joined)], 400, malformed),
        (
            &[("authorization", &*live), ("authorization", &*live)],
            400,
            malformed,
        ),
        (
            &[("authorization", "Basic YTpi"), ("Authorization", &*live)],
            400,
            malformed,
        ),
    ] {
        for message in [mapped("/a", fields), raw("/a", fields)] {
            let said = ask(&authority, framed(&message)).await;
            let headers = [
                ("cache-control", "no-store"),
                ("www-authenticate", challenge),
            ];
            assert_eq!(said, Said::Denied(status, pairs(&headers)), "{fields:?}");
        }
    }
    // A call of gRPC gets the same: Envoy makes the status of gRPC itself.
    let message = mapped("/a", &[("content-type", "application/grpc")]);
    assert_eq!(ask(&authority, framed(&message)).await, bare());
}

#[tokio::test]
async fn unknown_is_denied_and_no_error() {
    let authority = Authority::new().await;
    authority.set(Mode::Fails);
    let message = mapped("/a", &[("authorization", &*authority.live())]);
    assert_eq!(ask(&authority, framed(&message)).await, unknown());
}

#[tokio::test]
async fn raw_fields_count_before_the_others() {
    let authority = Authority::new().await;
    let live = authority.live();
    let in_map = bytes(3, [bytes(1, "authorization"), bytes(2, &live)].concat());
    let other = bytes(13, bytes(1, [bytes(1, "x-own"), bytes(3, "1")].concat()));
    let message = check("/a", &[in_map, other].concat());
    assert_eq!(ask(&authority, framed(&message)).await, bare());

    let entry = [
        bytes(1, "authorization"),
        bytes(2, "Bearer abc"),
        bytes(3, &live),
    ]
    .concat();
    let message = check("/a", &bytes(13, bytes(1, entry)));
    assert!(matches!(
        ask(&authority, framed(&message)).await,
        Said::Ok(..)
    ));
}

#[tokio::test]
async fn route_counts_only_from_a_trusted_proxy() {
    let authority = Authority::new().await;
    let empty = Said::Ok(
        pairs(&[("x-token-client", ""), ("x-token-subject", "")]),
        Vec::new(),
    );
    assert_eq!(
        ask(&authority, framed(&mapped("/health?full=1", &[]))).await,
        empty
    );
    assert_eq!(authority.last_route().uri, "/health?full=1");
    for path in [
        "/a",
        "/health/../a",
        "/health/%2e%2e/a",
        "//health",
        "*",
        "",
        "health",
    ] {
        let forged = [("x-original-uri", "/health"), ("x-original-method", "GET")];
        assert_eq!(
            ask(&authority, framed(&mapped(path, &forged))).await,
            bare(),
            "{path}"
        );
    }
    let mut request = request(framed(&mapped("/health", &[])));
    request
        .extensions_mut()
        .insert(PeerAddr("192.0.2.7:1".parse().unwrap()));
    let response = service(&authority).oneshot(request).await.unwrap();
    assert_eq!(message(response).await, bare());
}
