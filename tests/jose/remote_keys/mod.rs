//! Keys from a `jwks_uri`, from a real server that rotates, stalls, redirects and lies.

mod server;

use std::{
    env,
    error::Error as _,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::join_all;
use hyper::{
    StatusCode,
    header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, HeaderValue, LOCATION},
};
use tokio::{net::TcpListener, process::Command, time::timeout};
use tower_revocation::jose::{KeySet, RemoteError, RemoteErrorKind, RemoteKeys, RemoteKeysBuilder};

use self::server::{Does, HOST, Names, Server, jwks, ok};

/// Every call is a fetch: nothing is fresh for longer than the call, and nothing cools down.
fn impatient(keys: RemoteKeysBuilder) -> RemoteKeysBuilder {
    keys.lifetime_bounds(Duration::ZERO, Duration::ZERO)
        .cool_down(Duration::ZERO)
}

fn has(set: &KeySet, kid: &str) -> bool {
    set.iter().any(|key| key.kid() == Some(kid))
}

/// All that is told of an error.
fn told(error: &RemoteError) -> String {
    let mut told = format!("{error} {error:?}");
    let mut link = error.source();
    while let Some(cause) = link {
        told = format!("{told} {cause} {cause:?}");
        link = cause.source();
    }
    told
}

#[tokio::test]
async fn keys_are_fetched_once_and_kept() {
    let server = Server::start(Does::Answer(ok(jwks(["k1", "k2"])))).await;
    let keys = server.keys();
    for _ in 0..3 {
        let set = keys.keys(&server.uri(), Some("k1")).await.unwrap();
        assert!(has(&set, "k1") && has(&set, "k2") && !has(&set, "k3"));
    }
    assert!(keys.clone().keys(&server.uri(), None).await.is_ok());
    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.requests()[0][ACCEPT_ENCODING], "identity");
}

#[tokio::test]
async fn a_thousand_waiters_make_one_connection() {
    let server = Server::start(Does::Answer(ok(jwks(["k1"])))).await;
    let (keys, uri) = (server.keys(), server.uri());
    for answer in join_all((0..1000).map(|_| keys.keys(&uri, Some("k1")))).await {
        assert!(has(&answer.unwrap(), "k1"));
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_rotated_key_is_found_and_a_thousand_random_ones_are_one_fetch() {
    let server = Server::start(Does::Answer(ok(jwks(["k1"])))).await;
    let (keys, uri) = (server.keys(), server.uri());
    assert!(has(&keys.keys(&uri, Some("k1")).await.unwrap(), "k1"));
    server.does(Does::Answer(ok(jwks(["k2"]))));
    assert!(has(&keys.keys(&uri, Some("k1")).await.unwrap(), "k1"));
    let set = keys.keys(&uri, Some("k2")).await.unwrap();
    assert!(has(&set, "k2") && !has(&set, "k1"));
    for kid in 0..1000 {
        let set = keys
            .keys(&uri, Some(&format!("random-{kid}")))
            .await
            .unwrap();
        assert!(has(&set, "k2"));
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn the_source_says_for_how_long_its_keys_are_fresh() {
    let mut response = ok(jwks(["k1"]));
    response.headers_mut().insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-store, max-age=600"),
    );
    let server = Server::start(Does::Answer(response.clone())).await;
    let keys = server
        .builder()
        .lifetime_bounds(Duration::ZERO, Duration::from_secs(3600))
        .build();
    for _ in 0..3 {
        keys.keys(&server.uri(), None).await.unwrap();
    }
    assert_eq!(server.requests().len(), 3);

    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("max-age=600"));
    server.does(Does::Answer(response));
    for _ in 0..3 {
        keys.keys(&server.uri(), None).await.unwrap();
    }
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_source_that_goes_down_and_comes_back_is_served_stale_meanwhile() {
    let server = Server::start(Does::Answer(ok(jwks(["k1"])))).await;
    let (keys, uri) = (impatient(server.builder()).build(), server.uri());
    assert!(has(&keys.keys(&uri, Some("k1")).await.unwrap(), "k1"));

    let html = "<!doctype html><title>Be right back</title>";
    for down in [
        Does::HangUp,
        Does::Answer(ok(html)),
        Does::Answer(ok("{}")),
        Does::Answer(ok("")),
        Does::Write(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
    ] {
        let before = server.connections();
        server.does(down);
        assert!(has(&keys.keys(&uri, Some("k1")).await.unwrap(), "k1"));
        assert_eq!(server.connections(), before + 1);
    }

    server.does(Does::Answer(ok(jwks(["k2"]))));
    let set = keys.keys(&uri, Some("k2")).await.unwrap();
    assert!(has(&set, "k2") && !has(&set, "k1"));
}

#[tokio::test]
async fn beyond_its_bound_a_stale_set_is_an_error() {
    let server = Server::start(Does::Answer(ok(jwks(["k1"])))).await;
    let keys = impatient(server.builder()).stale(Duration::ZERO).build();
    keys.keys(&server.uri(), None).await.unwrap();
    server.does(Does::HangUp);
    keys.keys(&server.uri(), None).await.unwrap_err();
}

#[tokio::test]
async fn a_source_that_was_never_there_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let keys = RemoteKeys::builder()
        .resolver(Names::local())
        .allow_private_addresses(true)
        .build();
    let error = keys
        .keys(&format!("https://{HOST}:{port}/"), None)
        .await
        .unwrap_err();
    assert!(error.source().is_some());
    // It may be there later.
    assert!(!error.is_unusable());
    assert_eq!(error.kind(), RemoteErrorKind::Unreachable);
}

#[tokio::test]
async fn only_200_counts() {
    let server = Server::start(Does::HangUp).await;
    for status in [201, 203, 204, 206, 304, 400, 401, 404, 500, 503] {
        let mut response = ok(jwks(["k1"]));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        server.does(Does::Answer(response));
        let keys = server.keys();
        assert!(keys.keys(&server.uri(), None).await.is_err(), "{status}");
    }
    server.does(Does::Answer(ok(jwks(["k1"]))));
    assert!(server.keys().keys(&server.uri(), None).await.is_ok());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Server::start(Does::Answer(ok(jwks(["k1"])))).await;
    let server = Server::start(Does::HangUp).await;
    for status in [301, 302, 303, 307, 308] {
        let mut response = ok(jwks(["k1"]));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let location = target.uri().parse().unwrap();
        response.headers_mut().insert(LOCATION, location);
        server.does(Does::Answer(response));
        let error = server.keys().keys(&server.uri(), None).await.unwrap_err();
        assert!(error.is_unusable(), "{status}");
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(error.kind(), RemoteErrorKind::Status(status));
    }
    assert_eq!((server.requests().len(), target.connections()), (5, 0));
}

#[tokio::test]
async fn a_source_that_stalls_fails_in_time() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".to_vec();
    let half = [&head[..], b"{\"keys\":["].concat();
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"key".to_vec();
    for does in [
        Does::StallBeforeTls,
        Does::WriteAndStall(Vec::new()),
        Does::WriteAndStall(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        Does::WriteAndStall(head),
        Does::WriteAndStall(half.clone()),
        Does::WriteAndStall(chunked),
        // Always on the move, and never there: no time-out of a single read would end it.
        Does::WriteAndDrip(half),
    ] {
        let server = Server::start(does).await;
        let keys = server.builder().timeout(Duration::from_millis(200)).build();
        let uri = server.uri();
        let answer = timeout(Duration::from_secs(4), keys.keys(&uri, None)).await;
        let error = answer.expect("in time").unwrap_err();
        assert!(told(&error).contains("timed out"), "{error:?}");
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_resolver_that_stalls_fails_in_time() {
    struct Stalls;

    impl tower_revocation::outbound::Resolve for Stalls {
        fn resolve(
            &self,
            _: &str,
        ) -> futures::future::BoxFuture<'static, std::io::Result<Vec<std::net::IpAddr>>> {
            Box::pin(std::future::pending())
        }
    }

    let keys = RemoteKeys::builder()
        .resolver(Stalls)
        .timeout(Duration::from_millis(100))
        .build();
    let uri = format!("https://{HOST}/");
    let answer = timeout(Duration::from_secs(4), keys.keys(&uri, None)).await;
    answer.expect("in time").unwrap_err();
}

#[tokio::test]
async fn a_body_is_cut_at_the_largest_size() {
    let set = jwks(["k1"]);
    let padded = |size: usize| set.clone() + &" ".repeat(size - set.len());
    let chunked = |body: &str| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes()
    };
    let until_closed = |body: &str| format!("HTTP/1.1 200 OK\r\n\r\n{body}").into_bytes();
    let server = Server::start(Does::HangUp).await;

    for (size, fits) in [(4096, true), (4097, false), (10 * 1024 * 1024, false)] {
        let body = padded(size);
        for does in [
            Does::Write(chunked(&body)),
            Does::Write(until_closed(&body)),
            Does::Answer(ok(body)),
        ] {
            server.does(does);
            let keys = server.builder().max_size(4096).build();
            let answer = keys.keys(&server.uri(), None).await;
            assert_eq!(answer.is_ok(), fits, "{size} {answer:?}");
        }
    }
    // By default, 1 MiB.
    server.does(Does::Answer(ok(padded(1024 * 1024))));
    assert!(server.keys().keys(&server.uri(), None).await.is_ok());
    server.does(Does::Answer(ok(padded(1024 * 1024 + 1))));
    let error = server.keys().keys(&server.uri(), None).await.unwrap_err();
    assert!(error.is_unusable());
}

#[tokio::test]
async fn a_set_of_ten_thousand_keys_is_a_failure() {
    let many = |count: usize| {
        let kids: Vec<_> = (0..count).map(|kid| kid.to_string()).collect();
        jwks(kids.iter().map(String::as_str))
    };
    let server = Server::start(Does::Answer(ok(many(100)))).await;
    let keys = server.builder().max_size(10 * 1024 * 1024).build();
    assert_eq!(keys.keys(&server.uri(), None).await.unwrap().len(), 100);

    let small = format!("{{\"keys\":[{}{{}}]}}", "{},".repeat(9_999));
    for body in [many(101), many(10_000), small] {
        server.does(Does::Answer(ok(body)));
        let keys = server.builder().max_size(10 * 1024 * 1024).build();
        keys.keys(&server.uri(), None).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_content_length_that_lies_is_a_failure() {
    let set = jwks(["k1"]);
    let answer = |length: &str| {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{set}").into_bytes()
    };
    let less = (set.len() - 1).to_string();
    let more = (set.len() + 1).to_string();
    let twice = format!("{}\r\ncontent-length: 7", set.len());
    let server = Server::start(Does::Write(answer(&set.len().to_string()))).await;
    assert!(server.keys().keys(&server.uri(), None).await.is_ok());
    for length in [
        &less,
        &more,
        &twice,
        "-1",
        "0",
        "18446744073709551615",
        "99999999999999999999999",
    ] {
        server.does(Does::Write(answer(length)));
        let keys = server.keys();
        assert!(keys.keys(&server.uri(), None).await.is_err(), "{length}");
    }
}

#[tokio::test]
async fn an_answer_that_is_compressed_is_a_failure() {
    let server = Server::start(Does::HangUp).await;
    for (coding, taken) in [("identity", true), ("gzip", false), ("identity, br", false)] {
        let mut response = ok(jwks(["k1"]));
        let coding = HeaderValue::from_static(coding);
        response
            .headers_mut()
            .insert(CONTENT_ENCODING, coding.clone());
        server.does(Does::Answer(response));
        let answer = server.keys().keys(&server.uri(), None).await;
        assert_eq!(answer.is_ok(), taken, "{coding:?}");
    }
}

#[tokio::test]
async fn an_endless_head_is_a_failure() {
    let head = "HTTP/1.1 200 OK\r\n".to_owned() + &"x: y\r\n".repeat(1_000_000);
    let server = Server::start(Does::Write(head.into_bytes())).await;
    server.keys().keys(&server.uri(), None).await.unwrap_err();
}

#[tokio::test]
async fn the_roots_of_the_system_are_trusted() {
    if let Ok(uri) = env::var("TRUSTED_URI") {
        // This is the process that is started below.
        let keys = RemoteKeys::builder()
            .resolver(Names::local())
            .allow_private_addresses(true)
            .build();
        assert!(has(&keys.keys(&uri, None).await.unwrap(), "k1"));
        return;
    }
    let server = Server::start(Does::Answer(ok(jwks(["k1"])))).await;
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, server.ca()).unwrap();
    let ended = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "remote_keys::the_roots_of_the_system_are_trusted",
        ])
        .env("TRUSTED_URI", server.uri())
        .env("SSL_CERT_FILE", &roots)
        .output()
        .await
        .unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_source_of_another_ca_is_not_believed() {
    let server = Server::start(Does::Answer(ok(jwks(["k1"])))).await;
    let other = Server::start(Does::HangUp).await;
    let system = RemoteKeys::builder()
        .resolver(Names::local())
        .allow_private_addresses(true)
        .build();
    system.keys(&server.uri(), None).await.unwrap_err();
    other.keys().keys(&server.uri(), None).await.unwrap_err();
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_source_under_another_name_is_not_believed() {
    let server = Server::start(Does::Answer(ok(jwks(["k1"])))).await;
    let uri = format!("https://other.example:{}/jwks.json", server.port());
    server.keys().keys(&uri, None).await.unwrap_err();
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_private_address_is_refused_before_a_connection_is_made() {
    let server = Server::start(Does::Answer(ok(jwks(["k1"])))).await;
    let port = server.port();
    let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
    for address in [
        Ipv4Addr::LOCALHOST.into(),
        mapped.into(),
        Ipv4Addr::UNSPECIFIED.into(),
    ] {
        let names = Names::at([address]);
        let asked = names.asked();
        let keys = server
            .builder()
            .resolver(names)
            .allow_private_addresses(false)
            .build();
        let error = keys.keys(&server.uri(), None).await.unwrap_err();
        assert!(told(&error).contains("no public address"), "{error:?}");
        assert!(error.is_unusable());
        assert_eq!(*asked.lock().unwrap(), [HOST]);
    }
    // As the system resolves them, and as literals.
    let keys = RemoteKeys::builder()
        .trusted_ca(server.ca())
        .unwrap()
        .build();
    for host in [
        "localhost",
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "[::]",
    ] {
        let uri = format!("https://{host}:{port}/jwks.json");
        let error = keys.keys(&uri, None).await.unwrap_err();
        assert!(error.is_unusable(), "{host}");
        assert_eq!(error.kind(), RemoteErrorKind::Registration, "{host}");
    }
    assert_eq!(server.connections(), 0);

    // It is the address that was refused, and nothing else.
    assert!(server.keys().keys(&server.uri(), None).await.is_ok());
    let literal = format!("https://127.0.0.1:{port}/jwks.json");
    assert!(server.keys().keys(&literal, None).await.is_ok());
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_a_fetch() {
    let server = Server::start(Does::Answer(ok(jwks(["k1"])))).await;
    let names = Names::local();
    let asked = names.asked();
    let keys = impatient(server.builder().resolver(names)).build();
    for fetches in 1..=3 {
        keys.keys(&server.uri(), None).await.unwrap();
        // And for every fetch anew, on a connection of its own.
        assert_eq!(
            (asked.lock().unwrap().len(), server.connections()),
            (fetches, fetches)
        );
    }
}

#[tokio::test]
async fn a_uri_that_is_refused_is_not_resolved() {
    let server = Server::start(Does::Answer(ok(jwks(["k1"])))).await;
    let names = Names::local();
    let asked = names.asked();
    let keys = server.builder().resolver(names).build();
    let port = server.port();
    for uri in [
        format!("http://{HOST}:{port}/"),
        format!("https://user:pass@{HOST}:{port}/"),
        format!("https://{HOST}:{port}/#k1"),
        format!("//{HOST}:{port}/"),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        let error = keys.keys(&uri, None).await.unwrap_err();
        assert!(!told(&error).contains("pass"), "{error:?}");
    }
    assert_eq!((asked.lock().unwrap().len(), server.connections()), (0, 0));
}

#[tokio::test]
async fn a_failure_that_the_last_keys_make_up_for_is_a_warning() {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::WARN)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let server = Server::start(Does::HangUp).await;
    let (keys, uri) = (impatient(server.builder()).build(), server.uri());
    let uri = uri + "?key=C4nary_in_the_query";
    keys.keys(&uri, None).await.unwrap_err();
    server.does(Does::Answer(ok(jwks(["k1"]))));
    keys.keys(&uri, None).await.unwrap();
    // Whoever asked for keys in vain has an error to tell of.
    assert_eq!(lines.0.lock().unwrap().len(), 0);

    server.does(Does::Answer(ok("C4nary_in_the_body")));
    keys.keys(&uri, None).await.unwrap();
    let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    for part in [" WARN tower_revocation: ", &server.uri(), "no JWKS"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains("C4nary"), "{told}");
}

#[tokio::test]
async fn a_ca_that_cannot_be_read_is_refused() {
    let server = Server::start(Does::HangUp).await;
    let ca = server.ca();
    let cut = &ca[..ca.len() / 2];
    let not_one = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in [b"".as_slice(), b"certificate", cut, not_one] {
        let error = RemoteKeys::builder().trusted_ca(pem).unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::Configuration);
        let told = error.to_string();
        assert!(told.starts_with("invalid configuration: "), "{told}");
        assert!(told.contains(" CA "), "{told}");
    }
}

#[tokio::test]
async fn nothing_of_what_was_fetched_is_told() {
    let secret = "C4nary_in_the_body";
    let server = Server::start(Does::HangUp).await;
    for body in [
        format!("{{\"keys\":\"{secret}\"}}"),
        format!("{{\"keys\":[\"{secret}\"]}}"),
        format!("{{\"{secret}\":["),
        format!("{{\"keys\":[{{\"kty\":\"oct\",\"kid\":7,\"k\":\"{secret}\"}}]"),
        secret.to_owned(),
    ] {
        server.does(Does::Answer(ok(body.clone())));
        let told = match server.keys().keys(&server.uri(), None).await {
            // A key that cannot be read may be left out.
            Ok(keys) => format!("{keys:?}"),
            Err(error) => told(&error),
        };
        assert!(!told.contains(secret), "{body} {told}");
    }
}

#[test]
#[should_panic(expected = "no keys can be kept")]
fn keys_without_room_are_a_mistake() {
    let _ = RemoteKeys::builder().capacity(0);
}

#[test]
#[should_panic(expected = "a set has at least one key")]
fn sets_of_no_keys_are_a_mistake() {
    let _ = RemoteKeys::builder().max_keys(0);
}

#[test]
#[should_panic(expected = "a set has at least one byte")]
fn sets_of_no_bytes_are_a_mistake() {
    let _ = RemoteKeys::builder().max_size(0);
}

#[test]
#[should_panic(expected = "without a candidate")]
fn no_candidates_among_fetched_keys_are_a_mistake() {
    let _ = RemoteKeys::builder().max_candidates(0);
}

#[test]
#[should_panic(expected = "without a candidate")]
fn no_candidates_in_a_set_are_a_mistake() {
    let set = KeySet::from_json(&jwks(["k1"])).unwrap();
    let _ = set.max_candidates(0);
}
