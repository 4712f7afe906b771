//! The cost of an accepted request with an ES256 JWT, compared with the bare verification of its
//! signature: of a token that is seen for the first time, and of one that was verified before.
//!
//! ```sh
//! cargo bench --bench enforcement
//! ```
//!
//! Costs are medians. Each round runs everything that is compared, so that another busy process
//! affects all of it equally.

use std::{
    convert::Infallible,
    future::{Future as _, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures::executor::block_on;
use http_body_util::{Empty, Full};
use hyper::{Request, Response, StatusCode, header};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData as _};
use serde_json::{Value, json};
use tower::{Layer as _, Service, service_fn};
use tower_revocation::{
    Secret,
    enforce::{EnforcementLayer, Index},
    introspect::{
        Introspection,
        jwt::{Audience, JwtTokens},
    },
    jose::KeySet,
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector},
};

const ISSUER: &str = "https://as.example.com";
const API: &str = "https://api.example.com";
const ROUNDS: usize = 101;
const TURNS: usize = 100;

struct Signer {
    key: EncodingKey,
    public: Vec<u8>,
}

impl Signer {
    fn new() -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        Self {
            key: EncodingKey::from_ec_der(&pair.serialize_der()),
            public: pair.der_bytes().to_vec(),
        }
    }

    fn keys(&self) -> KeySet {
        let (x, y) = self.public[1..].split_at(32);
        let [x, y] = [x, y].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        let key = json!({ "kty": "EC", "crv": "P-256", "kid": "k1", "x": x, "y": y });
        KeySet::from_json(&json!({ "keys": [key] }).to_string()).expect("a key set")
    }

    /// The signing input and the signature.
    fn sign(&self, number: usize) -> (String, String) {
        let now = NumericDate::now().seconds();
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "k1" });
        let claims = json!({
            "iss": ISSUER, "sub": "5ba552d67", "aud": API, "exp": now + 3600, "iat": now,
            "jti": format!("dbe39bf3a3ba4238a513f51d6e1691c{number}"), "client_id": "s6BhdRkqt3",
            "scope": "openid profile reademail", "sid": "08a5019c-17e1-4977-8f42-65a12843ea02",
        });
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let input = format!("{}.{}", encode(&header), encode(&claims));
        let signature = crypto::sign(input.as_bytes(), &self.key, Algorithm::ES256);
        (input, signature.expect("a signature"))
    }
}

/// An index with records about other tokens.
fn index(others: &[Selector]) -> Index {
    let log = MemoryLog::new();
    let index = block_on(Index::follow(&log)).expect("memory");
    let record = |other: &Selector| Revocation::forever(*other, NumericDate::FOREVER);
    block_on(log.append(others.iter().map(record).collect())).expect("memory");
    index
}

/// Selectors of the classes that clients revoke.
fn tokens_and_grants() -> [Selector; 2] {
    [
        Selector::token(ISSUER, "another"),
        Selector::grant("another"),
    ]
}

/// Selectors of every class, so that no lookup is skipped.
fn every_class() -> [Selector; 8] {
    [
        Selector::token(ISSUER, "another"),
        Selector::grant("another"),
        Selector::session("another"),
        Selector::subject_and_client("another", "another"),
        Selector::subject("another"),
        Selector::client("another"),
        Selector::key(&[1; 32]),
        Selector::issuer("another"),
    ]
}

fn api(request: Request<Full<Bytes>>) -> Response<Empty<Bytes>> {
    assert!(request.extensions().get::<Introspection>().is_some());
    answer(request)
}

/// The inner service.
fn answer(request: Request<Full<Bytes>>) -> Response<Empty<Bytes>> {
    drop(black_box(request));
    Response::new(Empty::new())
}

/// Sends one request, and drops the response.
fn call<S, B>(service: &mut S, request: Request<Full<Bytes>>)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
{
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready());
    let future = pin!(service.call(request));
    match future.poll(&mut cx) {
        Poll::Ready(Ok(response)) => assert_eq!(response.status(), StatusCode::OK),
        _ => panic!("nothing here waits"),
    }
}

fn request(signed: &(String, String)) -> Request<Full<Bytes>> {
    let bearer = format!("Bearer {}", compact(signed));
    let request = Request::get("/api/me").header(header::AUTHORIZATION, bearer);
    request.body(Full::default()).expect("a request")
}

fn main() {
    let signer = Signer::new();
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &signer.public).expect("a key");
    // Each has a cache of its own.
    let tokens = || JwtTokens::new(ISSUER, signer.keys(), Audience::any_of([API]));
    let layered = |others: &[Selector]| {
        let inner = service_fn(|request| ready(Ok::<_, Infallible>(api(request))));
        EnforcementLayer::new(tokens(), index(others)).layer(inner)
    };
    let mut tokens = tokens();
    let (mut usual, mut worst) = (layered(&tokens_and_grants()), layered(&every_class()));
    let mut alone = service_fn(|request| ready(Ok::<_, Infallible>(answer(request))));

    let mut costs: [Vec<f64>; 8] = Default::default();
    for round in 0..ROUNDS {
        let those: Vec<_> = (0..TURNS)
            .map(|turn| signer.sign(round * TURNS + turn))
            .collect();
        let decode = |signature: &String| URL_SAFE_NO_PAD.decode(signature).expect("base64");
        let raw = those
            .iter()
            .map(|(input, signature)| (input, decode(signature)));
        let secrets = || those.iter().map(compact).map(Secret::from);
        let requests = || those.iter().map(request);
        let mut introspect = || {
            micros(secrets(), |secret| {
                let introspected = block_on(tokens.call(secret)).expect("keys");
                assert!(introspected.reason().is_none());
            })
        };
        let mut usual = || micros(requests(), |request| call(&mut usual, request));
        let mut worst = || micros(requests(), |request| call(&mut worst, request));

        costs[0].push(micros(raw, |(input, signature)| {
            black_box(key.verify_sig(input.as_bytes(), &signature)).expect("genuine");
        }));
        costs[1].push(micros(requests(), |request| call(&mut alone, request)));
        costs[2].push(introspect());
        costs[3].push(usual());
        costs[4].push(worst());
        // The index keeps its tags with a token from the second time on.
        let _ = (usual(), worst());
        costs[5].push(introspect());
        costs[6].push(usual());
        costs[7].push(worst());
    }

    println!("a request with an ES256 token, in microseconds (medians of {ROUNDS} rounds)\n");
    let [
        bare,
        alone,
        introspection,
        usual,
        worst,
        known,
        usual_known,
        worst_known,
    ] = &costs;
    let nothing = vec![0.0; ROUNDS];
    for (name, costs, without) in [
        ("bare verification by aws-lc-rs", bare, &nothing),
        ("the inner service", alone, &nothing),
        ("a first-seen token: JwtTokens", introspection, &nothing),
        (
            "... the whole layer, with records of tokens and grants",
            usual,
            alone,
        ),
        (
            "... the whole layer, with records of every class",
            worst,
            alone,
        ),
        ("a known token: JwtTokens", known, &nothing),
        (
            "... the whole layer, with records of tokens and grants",
            usual_known,
            alone,
        ),
        (
            "... the whole layer, with records of every class",
            worst_known,
            alone,
        ),
    ] {
        let own = costs
            .iter()
            .zip(without)
            .map(|(cost, without)| cost - without);
        let mut own: Vec<_> = own.collect();
        let mut ratios: Vec<_> = own.iter().zip(bare).map(|(own, bare)| own / bare).collect();
        println!(
            "{name}: {:.3}, ratio {:.4}",
            median(&mut own),
            median(&mut ratios)
        );
    }
}

fn compact((input, signature): &(String, String)) -> String {
    format!("{input}.{signature}")
}

/// The time for one of these, without the time to create them.
fn micros<T>(those: impl Iterator<Item = T>, mut act: impl FnMut(T)) -> f64 {
    let those: Vec<_> = those.collect();
    let begun = Instant::now();
    for one in those {
        act(one);
    }
    let turns = u32::try_from(TURNS).expect("a small number");
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(turns)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
