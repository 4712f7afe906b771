//! What does it cost to let a request through whose token is an ES256 JWT, beside the bare
//! verification of its signature?
//!
//! ```sh
//! cargo bench --bench enforcement
//! ```
//!
//! Costs are medians of rounds in which everything that is compared has its turn, so that another
//! busy process disturbs all of it alike.

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
    enforce::{EnforcementLayer, Index, Policy},
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
        let [x, y] = [x, y].map(|octets| URL_SAFE_NO_PAD.encode(octets));
        let key = json!({ "kty": "EC", "crv": "P-256", "kid": "k1", "x": x, "y": y });
        KeySet::from_json(&json!({ "keys": [key] }).to_string()).expect("a key set")
    }

    /// What is signed, and the signature.
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

/// Records about others, of every class: none of the look-ups is spared.
fn index() -> Index {
    let log = MemoryLog::new();
    let index = block_on(Index::follow(&log)).expect("memory");
    let others = [
        Selector::token(ISSUER, "another"),
        Selector::grant("another"),
        Selector::session("another"),
        Selector::subject_and_client("another", "another"),
        Selector::subject("another"),
        Selector::client("another"),
        Selector::key(&[1; 32]),
        Selector::issuer("another"),
    ];
    let records = others.map(|other| Revocation::forever(other, NumericDate::FOREVER));
    block_on(log.append(records.to_vec())).expect("memory");
    index
}

fn api(request: Request<Full<Bytes>>) -> Response<Empty<Bytes>> {
    assert!(request.extensions().get::<Introspection>().is_some());
    answer(request)
}

/// The request ends here.
fn answer(request: Request<Full<Bytes>>) -> Response<Empty<Bytes>> {
    drop(black_box(request));
    Response::new(Empty::new())
}

/// Lets one request through, and drops its response.
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

fn request((input, signature): &(String, String)) -> Request<Full<Bytes>> {
    let bearer = format!("Bearer {input}.{signature}");
    let request = Request::get("/api/me").header(header::AUTHORIZATION, bearer);
    request.body(Full::default()).expect("a request")
}

fn main() {
    let signer = Signer::new();
    let tokens = JwtTokens::new(ISSUER, signer.keys(), Audience::any_of([API]));
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &signer.public).expect("a key");
    let inner = || service_fn(|request| ready(Ok::<_, Infallible>(api(request))));
    let layer = EnforcementLayer::new(tokens.clone(), index());
    let mut whole = layer.clone().layer(inner());
    let mut uncut = layer
        .policy(Policy::new().cut_streams(false))
        .layer(inner());
    let mut alone = service_fn(|request| ready(Ok::<_, Infallible>(answer(request))));
    let mut tokens = tokens;

    let mut costs: [Vec<f64>; 5] = Default::default();
    for round in 0..ROUNDS {
        let signed: Vec<_> = (0..TURNS)
            .map(|turn| signer.sign(round * TURNS + turn))
            .collect();
        let raw = |(input, signature): &(String, String)| {
            (
                input.clone(),
                URL_SAFE_NO_PAD.decode(signature).expect("base64"),
            )
        };
        let raw: Vec<_> = signed.iter().map(raw).collect();
        let requests = || -> Vec<_> { signed.iter().map(request).collect() };
        let (for_whole, for_uncut, for_nobody) = (requests(), requests(), requests());
        let secrets: Vec<_> = signed
            .iter()
            .map(|(input, signature)| format!("{input}.{signature}").into())
            .collect();

        costs[0].push(micros(|| {
            for (input, signature) in &raw {
                black_box(key.verify_sig(input.as_bytes(), signature)).expect("genuine");
            }
        }));
        costs[1].push(micros(|| {
            for secret in secrets {
                assert!(block_on(tokens.call(secret)).expect("keys").is_some());
            }
        }));
        costs[2].push(micros(|| {
            for_whole.into_iter().for_each(|it| call(&mut whole, it))
        }));
        costs[3].push(micros(|| {
            for_uncut.into_iter().for_each(|it| call(&mut uncut, it))
        }));
        costs[4].push(micros(|| {
            for_nobody.into_iter().for_each(|it| call(&mut alone, it))
        }));
    }
    println!(
        "a request with an ES256 token, in microseconds (medians of {ROUNDS} rounds)
"
    );
    let [bare, introspection, whole, uncut, alone] = &costs;
    let print = |name: &str, costs: &[f64], without: Option<&[f64]>| {
        let pairs = costs.iter().zip(bare).enumerate();
        let (mut own, mut ratios): (Vec<_>, Vec<_>) = pairs
            .map(|(round, (cost, bare))| {
                let own = cost - without.map_or(0.0, |without| without[round]);
                (own, own / bare)
            })
            .unzip();
        println!(
            "{name}: {:.2}, ratio {:.3}",
            median(&mut own),
            median(&mut ratios)
        );
    };
    print("bare verification by aws-lc-rs", bare, None);
    print("introspection", introspection, None);
    print("the inner service alone", alone, None);
    print("the layer, without the inner service", whole, Some(alone));
    print("the same, streams uncut", uncut, Some(alone));
}

/// What one turn takes.
fn micros(act: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    act();
    let turns = u32::try_from(TURNS).expect("a small number");
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(turns)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
