//! The cost of a method, compared with the bare verification of its signature.

use std::{hint::black_box, time::Instant};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    UnparsedPublicKey, VerificationAlgorithm,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::executor::block_on;
use hyper::Request;
use tower_revocation::client::Credentials;

use crate::world::{World, assertion, basic};

const ROUNDS: usize = 41;
const TURNS: usize = 250;

pub(crate) fn report(world: &World) {
    println!("what it costs to know a client, in microseconds (medians of {ROUNDS} rounds)\n");
    for signer in &world.signers {
        let algorithm: &'static dyn VerificationAlgorithm = match signer.alg {
            "ES256" => &ECDSA_P256_SHA256_FIXED,
            "EdDSA" => &ED25519,
            _ => &RSA_PKCS1_2048_8192_SHA256,
        };
        let key = ParsedPublicKey::new(algorithm, &signer.public).expect("a public key");
        let unparsed = UnparsedPublicKey::new(algorithm, &signer.public);
        let (mut bare, mut parsing) = (Vec::new(), Vec::new());
        let (mut whole, mut ratios) = (Vec::new(), Vec::new());
        // RSA signs slowly and verifies fast.
        let turns = if signer.alg == "RS256" { 50 } else { TURNS };
        for _ in 0..ROUNDS {
            let signed: Vec<_> = (0..turns).map(|_| signer.sign(signer.client)).collect();
            let raw: Vec<_> = signed
                .iter()
                .map(|(input, signature)| {
                    (input, URL_SAFE_NO_PAD.decode(signature).expect("base64"))
                })
                .collect();
            let requests: Vec<_> = signed.iter().map(assertion).collect();

            let begun = Instant::now();
            for (input, signature) in &raw {
                black_box(key.verify_sig(input.as_bytes(), signature)).expect("genuine");
            }
            let one = micros(begun, turns);
            let begun = Instant::now();
            for (input, signature) in &raw {
                black_box(unparsed.verify(input.as_bytes(), signature)).expect("genuine");
            }
            parsing.push(micros(begun, turns));
            let begun = Instant::now();
            authenticate(world, &requests);
            let other = micros(begun, turns);
            bare.push(one);
            whole.push(other);
            ratios.push(other / one);
        }
        println!(
            "private_key_jwt {}: {:.2}, bare verification by aws-lc-rs {:.2}, ratio {:.3}; \
             with a key that it parses each time {:.2}",
            signer.alg,
            median(&mut whole),
            median(&mut bare),
            median(&mut ratios),
            median(&mut parsing)
        );
    }

    let print = |name: &str, request: &dyn Fn() -> Request<Credentials>| {
        let mut rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let requests: Vec<_> = (0..TURNS).map(|_| request()).collect();
                let begun = Instant::now();
                authenticate(world, &requests);
                micros(begun, TURNS)
            })
            .collect();
        println!("{name}: {:.2}", median(&mut rounds));
    };
    print("client_secret_jwt HS256", &|| assertion(&World::hmac()));
    print("attest_jwt_client_auth ES256, both signatures", &|| {
        world.attested()
    });
    print("client_secret_basic, SHA-256", &|| {
        basic("basic:gX1fBat3bV-gX1fBat3bV")
    });
    print("tls_client_auth, subject DN", &|| {
        world.by_certificate("by-dn")
    });
    print("self_signed_tls_client_auth, key", &|| {
        world.by_certificate("by-key")
    });
    passwords(world);
}

fn authenticate(world: &World, requests: &[Request<Credentials>]) {
    for request in requests {
        let client = block_on(world.authenticator.authenticate(request));
        black_box(client.expect("the client is authenticated"));
    }
}

fn passwords(world: &World) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let request = basic(
        "human:correct horse battery staple"
            .replace(' ', "+")
            .as_str(),
    );
    let begun = Instant::now();
    let known = runtime.block_on(world.with_passwords.authenticate(&request));
    known.expect("the client is authenticated");
    println!(
        "client_secret_basic, argon2id of 19 MiB: {:.0}",
        micros(begun, 1)
    );
    let begun = Instant::now();
    for _ in 0..TURNS {
        let known = runtime.block_on(world.with_passwords.authenticate(&request));
        black_box(known.expect("the client is authenticated"));
    }
    println!("... remembered: {:.2}", micros(begun, TURNS));
}

fn micros(begun: Instant, turns: usize) -> f64 {
    let turns = u32::try_from(turns).expect("a few");
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(turns)
}

pub(crate) fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
