//! The address for which failures are counted behind a proxy.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};
use tempfile::TempDir;

use super::{
    http::Http,
    process::{Server, command, folder},
};

/// The limit of failures in a minute, for one client from one address.
const FAILURES: usize = 20;

struct World {
    _folder: TempDir,
    _server: Server,
    http: Http,
}

/// Starts a server that trusts these proxies.
fn behind(proxies: &str) -> World {
    let (folder, data) = folder();
    let mut started = command();
    started.env("DATA", &data).env("TRUSTED_PROXIES", proxies);
    let server = Server::run(started);
    let http = Http::to(server.url(""));
    World {
        _folder: folder,
        _server: server,
        http,
    }
}

/// The names and values of header fields.
type Fields<'a> = &'a [(&'a str, &'a [u8])];

impl World {
    /// Sends a revocation of the first demo client, with this secret and these fields.
    async fn revoke(&self, secret: &str, fields: Fields<'_>) -> u16 {
        let body = format!("token=unknown&client_id=post-client&client_secret={secret}");
        let mut request = Request::post(self.http.url("/oauth2/revoke"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::<Bytes>::from(body)).unwrap();
        self.http.try_send(request).await.unwrap().status.as_u16()
    }

    /// Uses up the limit of failures, with these fields in turn.
    async fn guess(&self, spellings: &[Fields<'_>]) {
        for fields in spellings.iter().cycle().take(FAILURES.max(spellings.len())) {
            let status = self.revoke("guess", fields).await;
            assert!([401, 429].contains(&status), "{status}");
        }
    }

    async fn is_kept_out(&self, fields: Fields<'_>) -> bool {
        match self.revoke("p0st", fields).await {
            429 => true,
            status => {
                assert_eq!(status, 200);
                false
            }
        }
    }
}

fn list(value: &'static str) -> [(&'static str, &'static [u8]); 1] {
    [("x-forwarded-for", value.as_bytes())]
}

fn pairs(value: &'static str) -> [(&'static str, &'static [u8]); 1] {
    [("forwarded", value.as_bytes())]
}

#[tokio::test]
async fn failures_of_one_client_behind_a_proxy_lock_out_no_other() {
    let world = behind("127.0.0.1");
    world.guess(&[&list("203.0.113.7")]).await;
    assert!(world.is_kept_out(&list("203.0.113.7")).await);
    assert!(world.is_kept_out(&pairs("for=203.0.113.7")).await);
    for other in [&list("203.0.113.8")[..], &list("2001:db8::7"), &[]] {
        assert!(!world.is_kept_out(other).await);
    }
}

#[tokio::test]
async fn every_spelling_of_an_address_counts_as_the_address() {
    let world = behind("127.0.0.1, 10.0.0.0/8, 2001:db8:1::/48");
    world
        .guess(&[
            &list("203.0.113.7"),
            &list("203.0.113.7:4711"),
            &list("  203.0.113.7\t"),
            &list("::ffff:203.0.113.7"),
            &list("[::ffff:203.0.113.7]:80"),
            &list("203.0.113.7, 10.1.2.3"),
            &list("203.0.113.7 ,10.1.2.3:80,[2001:db8:1::9]:443 , ::ffff:10.9.9.9"),
            // The client has written everything before it.
            &list("198.51.100.1, 203.0.113.7"),
            &list("garbage, , 10.0.0.1, 203.0.113.7, 10.1.2.3"),
            &[("x-forwarded-for", b"\xff\xfe, 203.0.113.7")],
            &[
                ("x-forwarded-for", b"198.51.100.2"),
                ("x-forwarded-for", b"198.51.100.3, 203.0.113.7"),
                ("x-forwarded-for", b"10.1.2.3"),
            ],
            &pairs("for=203.0.113.7"),
            &pairs("For=\"203.0.113.7:4711\";proto=https;by=10.1.2.3"),
            &pairs("proto=http; for=\"[::ffff:203.0.113.7]\""),
            &pairs("for=198.51.100.1;host=\"a,b;for=1.2.3.4\", for=203.0.113.7, for=10.1.2.3"),
            &[("forwarded", b"for=\""), ("forwarded", b"for=203.0.113.7")],
            &[
                ("forwarded", b"for=unknown"),
                ("forwarded", b"by=_x;for=203.0.113.7"),
            ],
            &[
                ("forwarded", b"for=203.0.113.7"),
                ("x-forwarded-for", b"198.51.100.1, 203.0.113.7"),
            ],
        ])
        .await;
    world.guess(&[&list("203.0.113.7")]).await;
    assert!(world.is_kept_out(&list("203.0.113.7")).await);
    // No failure counts for the proxy, or for an address that the client only claimed.
    for other in [
        &[][..],
        &list("198.51.100.1"),
        &list("10.0.0.1"),
        &list("1.2.3.4"),
    ] {
        assert!(!world.is_kept_out(other).await);
    }
}

#[tokio::test]
async fn malformed_element_counts_as_the_proxy_that_wrote_it() {
    let world = behind("127.0.0.1, 10.0.0.0/8");
    world
        .guess(&[
            &list(""),
            &list("unknown"),
            &list("203.0.113.7, "),
            &list("203.0.113.7, unix:"),
            &list("203.0.113.7, 203.0.113.8.9"),
            &list("203.0.113.7, 203.0.113.8:x"),
            &list("203.0.113.7, 203.0.113.8:70000"),
            &list("203.0.113.7, [2001:db8::1"),
            &list("203.0.113.7, fe80::1%eth0"),
            &[("x-forwarded-for", b"203.0.113.7, 203.0.113.8\xff")],
            &[
                ("x-forwarded-for", b"203.0.113.7"),
                ("x-forwarded-for", b""),
            ],
            &pairs("for=203.0.113.7, for=unknown"),
            &pairs("for=203.0.113.7, for=_hidden;by=203.0.113.7"),
            &pairs("for=203.0.113.7, proto=https"),
            &pairs("for=203.0.113.7;for=203.0.113.8"),
            // The client has opened a quote.
            &pairs("for=\"x, for=203.0.113.7"),
            &pairs("for=\"x, for=\"[2001:db8::7]\""),
            &pairs("for=\"x\\, for=\"[2001:db8::7]\""),
            &pairs("for=\"203.0.113.7\\\""),
            // The client has written one of the two.
            &[
                ("forwarded", b"for=203.0.113.7"),
                ("x-forwarded-for", b"203.0.113.8"),
            ],
        ])
        .await;
    assert!(world.is_kept_out(&[]).await);
    for other in [
        &list("203.0.113.7"),
        &list("203.0.113.8"),
        &list("2001:db8::7"),
    ] {
        assert!(!world.is_kept_out(other).await);
    }
}

#[tokio::test]
async fn client_cannot_choose_its_address() {
    let world = behind("127.0.0.1, 10.0.0.0/8");
    for guess in 0..FAILURES {
        let value = format!("198.51.100.{guess}, 10.0.0.1, 203.0.113.7, 10.0.0.2");
        let status = world
            .revoke("guess", &[("x-forwarded-for", value.as_bytes())])
            .await;
        assert_eq!(status, 401);
    }
    assert!(world.is_kept_out(&list("198.51.100.99, 203.0.113.7")).await);
}

#[tokio::test]
async fn only_a_trusted_proxy_reports_addresses() {
    let world = behind("192.0.2.0/24, ::/0");
    for guess in 0..FAILURES {
        let address = format!("198.51.100.{guess}");
        let pair = format!("for={address}");
        let fields: Fields<'_> = &[
            ("x-forwarded-for", address.as_bytes()),
            ("forwarded", pair.as_bytes()),
        ];
        assert_eq!(world.revoke("guess", fields).await, 401);
    }
    assert!(world.is_kept_out(&list("203.0.113.7")).await);
    assert!(world.is_kept_out(&[]).await);
}

#[tokio::test]
async fn client_among_the_proxies_is_the_first_of_them() {
    let world = behind("127.0.0.1, 10.0.0.0/8");
    world.guess(&[&list("10.0.0.3, 10.0.0.2, 10.0.0.1")]).await;
    assert!(world.is_kept_out(&list("10.0.0.3")).await);
    assert!(!world.is_kept_out(&list("10.0.0.2, 10.0.0.1")).await);
}
