//! Whether the time distinguishes an unknown client from a wrong secret or signature.
//!
//! Takes two samples alternately, in a changing order, and prints their medians and the two-sample
//! Kolmogorov–Smirnov test. A small p means that the samples differ. The first comparison is between
//! two unknown clients: its difference is that of the clock and the order.

use std::{hint::black_box, time::Instant};

use futures::executor::block_on;
use hyper::Request;
use tower_revocation::client::Credentials;

use crate::{
    costs::median,
    world::{World, assertion, basic},
};

const SAMPLES: usize = 4000;

pub(crate) fn report(world: &World) {
    println!("\nwhat the time tells, in microseconds ({SAMPLES} samples each, taken in turns)\n");
    let unknown: Make<'_> = &|| basic("basif:wrong-wrong-wrong-wro");
    compare(
        world,
        "client_secret_basic: unknown client, another unknown client",
        unknown,
        &|| basic("basie:wrong-wrong-wrong-wro"),
    );
    compare(
        world,
        "client_secret_basic: unknown client, disabled client",
        unknown,
        &|| basic("basid:wrong-wrong-wrong-wro"),
    );
    compare(
        world,
        "client_secret_basic: unknown client, wrong secret",
        unknown,
        &|| basic("basic:wrong-wrong-wrong-wro"),
    );
    compare(
        world,
        "client_secret_basic: unknown client, client of another method",
        &|| basic("by-do:wrong-wrong-wrong-wro"),
        &|| basic("by-dn:wrong-wrong-wrong-wro"),
    );
    let signer = &world.signers[0];
    let spoilt_as = |client| assertion(&spoilt(signer.sign(client)));
    compare(
        world,
        "private_key_jwt ES256: unknown client, another unknown client",
        &|| spoilt_as("es257"),
        &|| spoilt_as("es258"),
    );
    compare(
        world,
        "private_key_jwt ES256: unknown client, wrong signature",
        &|| spoilt_as("es257"),
        &|| spoilt_as("es256"),
    );
}

/// A well-formed signature by another key. It fails at the same point as a forged one.
fn spoilt((input, signature): (String, String)) -> (String, String) {
    let other = if signature.starts_with('A') { "B" } else { "A" };
    (input, format!("{other}{}", &signature[1..]))
}

type Make<'a> = &'a dyn Fn() -> Request<Credentials>;

fn compare(world: &World, name: &str, unknown: Make<'_>, wrong: Make<'_>) {
    let time = |request: &Request<Credentials>| {
        let begun = Instant::now();
        let refused = block_on(world.authenticator.authenticate(request));
        let taken = begun.elapsed();
        assert!(black_box(refused).is_err());
        taken.as_secs_f64() * 1e6
    };
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for turn in 0..SAMPLES + 200 {
        let (one, other) = (unknown(), wrong());
        let (one, other) = if turn % 2 == 0 {
            let one = time(&one);
            (one, time(&other))
        } else {
            let other = time(&other);
            (time(&one), other)
        };
        // The first rounds warm up.
        if turn >= 200 {
            first.push(one);
            second.push(other);
        }
    }
    let p = same_distribution(&mut first, &mut second);
    let (one, other) = (median(&mut first), median(&mut second));
    println!(
        "{name}: {one:.3}, {other:.3}, difference {:.2} %, p {p:.3}",
        (one - other).abs() / other * 100.0
    );
}

/// The probability that two samples of one distribution differ this much (Kolmogorov–Smirnov).
fn same_distribution(one: &mut [f64], other: &mut [f64]) -> f64 {
    one.sort_by(f64::total_cmp);
    other.sort_by(f64::total_cmp);
    let size = f64::from(u32::try_from(one.len()).expect("a few"));
    let (mut left, mut right, mut farthest) = (0, 0, 0.0_f64);
    while left < one.len() && right < other.len() {
        let next = one[left].min(other[right]);
        while left < one.len() && one[left] <= next {
            left += 1;
        }
        while right < other.len() && other[right] <= next {
            right += 1;
        }
        let apart = left.abs_diff(right);
        farthest = farthest.max(f64::from(u32::try_from(apart).expect("a few")) / size);
    }
    let lambda = (size / 2.0).sqrt() * farthest;
    let terms = (1..100_i32).map(|k| {
        let sign = if k % 2 == 1 { 2.0 } else { -2.0 };
        sign * (-2.0 * f64::from(k).powi(2) * lambda.powi(2)).exp()
    });
    if lambda < 0.2 {
        1.0
    } else {
        terms.sum::<f64>().clamp(0.0, 1.0)
    }
}
