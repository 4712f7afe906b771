//! What a profile adds to a revocation, in instructions.
//!
//! Requires valgrind. The program starts itself under callgrind, twice for each row: the difference of
//! the two runs is the cost of their difference in requests.

use std::{convert::Infallible, future::poll_fn, hint::black_box, process::Command, sync::Weak};

use bytes::Bytes;
use futures::executor::block_on;
use http_body_util::Full;
use hyper::{Request, Response, header};
use tower::{BoxError, Layer as _, Service, service_fn};
use tower_revocation::{
    RevocationLayer, Secret,
    client::{
        SecretDigest,
        registry::{Client, ClientAuthenticator, Registry},
    },
    introspect::{Introspection, TokenKind},
    log::{
        Durability, LogError, LogHealth, NumericDate, Position, Reader, Revocation, RevocationLog,
        Selector,
    },
    profiles::{Connect2id, Okta, ProfileLayer, Wso2},
    revoke::RecordRevocation,
};

const PATH: &str = "/oauth2/revoke";
const ROWS: [&str; 4] = ["none", "okta", "wso2", "connect2id"];
const FEW: u64 = 100;
const MANY: u64 = 600;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let row = arguments.next().unwrap_or_default();
    if let (true, Some(Ok(requests))) =
        (ROWS.contains(&&*row), arguments.next().map(|it| it.parse()))
    {
        return revoke(&row, requests);
    }
    let mut first = None;
    for row in ROWS {
        let each = (count(row, MANY) - count(row, FEW)) / (MANY - FEW);
        let base = *first.get_or_insert(each);
        let percent = 100 * each / base;
        println!(
            "{row:>10}: {each:>6} instructions, {percent} % of a revocation without a profile"
        );
    }
}

/// The instructions of a whole run.
fn count(row: &str, requests: u64) -> u64 {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([row, &requests.to_string()])
        .output()
        .expect("valgrind is installed");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr);
    let count = text
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, count) = count.expect("callgrind prints a count");
    count.trim().parse().expect("a number")
}

fn revoke(row: &str, requests: u64) {
    let mut registry = Registry::default();
    let secret = SecretDigest::sha256(&Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw"));
    registry.insert(Client::confidential("s6BhdRkqt3", secret));
    let backend = RecordRevocation::new(service_fn(introspect), Nowhere);
    let layer = RevocationLayer::new(PATH, ClientAuthenticator::new(registry), backend);
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let endpoint = layer.clone().into_endpoint();
    match row {
        "okta" => send(
            ProfileLayer::new(PATH, Okta, endpoint).layer(inner),
            requests,
        ),
        "wso2" => {
            let profile = ProfileLayer::new(PATH, Wso2::new(), endpoint);
            send(profile.layer(inner), requests);
        }
        "connect2id" => {
            let profile = ProfileLayer::new(PATH, Connect2id::new(), endpoint);
            send(profile.layer(inner), requests);
        }
        _ => send(layer.layer(inner), requests),
    }
}

fn send<S, B>(mut service: S, requests: u64)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
{
    for number in 0..requests {
        let response = block_on(async {
            poll_fn(|cx| service.poll_ready(cx)).await?;
            service.call(request(number)).await
        });
        let Ok(response) = response;
        assert_eq!(response.status(), 200);
    }
}

/// As in `instructions`.
fn request(number: u64) -> Request<Full<Bytes>> {
    let token = format!("45ghiukldjahdnhzdauzM2v0bZq8sVbXcR1yTt{number:05}");
    let body = format!("token={token}&token_type_hint=refresh_token&client_id=s6BhdRkqt3");
    Request::post(PATH)
        .header(header::HOST, "as.example.com")
        .header(header::USER_AGENT, "client/1.0")
        .header(header::ACCEPT, "*/*")
        .header(
            header::AUTHORIZATION,
            "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3",
        )
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONTENT_LENGTH, body.len())
        .body(Full::from(body))
        .expect("a valid request")
}

async fn introspect(secret: Secret) -> Result<Option<Introspection>, BoxError> {
    let mut token = Introspection::new(TokenKind::RefreshToken, "s6BhdRkqt3");
    token.token = Some(Selector::token("https://as.example.com", secret.expose()));
    token.sub = Some("alice".into());
    token.iat = Some(NumericDate::new(1_700_000_000));
    Ok(Some(token))
}

/// A log that stores nothing: what a record costs depends on the log, and valgrind cannot run the
/// system calls of some.
#[derive(Clone)]
struct Nowhere;

impl RevocationLog for Nowhere {
    async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
        black_box(batch);
        Ok(Position::default())
    }

    async fn follow(&self, _: Weak<dyn Reader>) -> Result<(), LogError> {
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }

    fn health(&self) -> LogHealth {
        LogHealth::writable()
    }
}
