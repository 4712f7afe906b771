//! The memory of a million sightings, and the time to note a token.
//!
//! ```sh
//! cargo bench --bench sightings
//! ```

use std::{
    env, fs,
    hint::black_box,
    process::Command,
    time::{Duration, Instant},
};

use hyper::{HeaderMap, http::Extensions};
use tower_revocation::{
    introspect::{Introspection, TokenKind},
    log::{NumericDate, Selector},
    sightings::Sightings,
};

const SIGHTINGS: usize = 1_000_000;
const CLIENTS: usize = 20;
const ISSUER: &str = "https://id.example.com/realms/shop";

/// A name, the tokens of each subject, and whether each has a session and a grant.
const CASES: [(&str, usize, bool); 3] = [
    ("each with a subject, a session and a grant", 1, true),
    (
        "ten of each subject, each with a session and a grant",
        10,
        true,
    ),
    (
        "ten of each subject, without a session and a grant",
        10,
        false,
    ),
];

/// Each case is a process of its own, because memory that was used before is used again.
fn main() {
    let chosen = env::args().skip(1).find_map(|it| it.parse::<usize>().ok());
    if let Some(case) = chosen {
        return measure(CASES[case]);
    }
    let program = env::current_exe().expect("a program");
    for case in 0..CASES.len() {
        let run = Command::new(&program).arg(case.to_string()).status();
        assert!(run.expect("it starts").success());
    }
}

fn measure((name, per_subject, has_session): (&str, usize, bool)) {
    let tokens = |number| token(number, per_subject, has_session);
    let before = resident();
    let sightings = Sightings::new().capacity(SIGHTINGS);
    let noted: Duration = (0..SIGHTINGS)
        .map(|number| time_of(&sightings, &tokens(number)))
        .sum();
    assert_eq!(sightings.len(), SIGHTINGS);
    let bytes = resident().saturating_sub(before);
    println!(
        "{name}: {} MB, {} bytes each; {} ns to note a new one",
        bytes / 1_000_000,
        bytes / SIGHTINGS,
        noted.as_nanos() / SIGHTINGS as u128
    );
    again(&sightings, &tokens);
}

/// Notes known tokens: one that was just used, and any of the million.
fn again(sightings: &Sightings, tokens: &impl Fn(usize) -> Introspection) {
    const TIMES: u128 = 1_000_000;
    let one = tokens(7);
    let begun = Instant::now();
    for _ in 0..TIMES {
        note(sightings, black_box(&one));
    }
    let one_again = begun.elapsed().as_nanos() / TIMES;
    // They are made before, and far apart in the table.
    let any: Vec<_> = (0..10_000).map(|number| tokens(number * 97)).collect();
    let begun = Instant::now();
    for _ in 0..TIMES / 10_000 {
        for token in &any {
            note(sightings, black_box(token));
        }
    }
    let any_again = begun.elapsed().as_nanos() / TIMES;
    println!("  again: {one_again} ns for one, {any_again} ns for one of 10,000");
}

fn time_of(sightings: &Sightings, token: &Introspection) -> Duration {
    let begun = Instant::now();
    note(sightings, token);
    begun.elapsed()
}

fn note(sightings: &Sightings, token: &Introspection) {
    sightings.note(token, &HeaderMap::new(), &Extensions::new());
}

fn token(number: usize, per_subject: usize, has_session: bool) -> Introspection {
    let client = format!("client-{}", number % CLIENTS);
    let mut token = Introspection::new(TokenKind::AccessToken, client);
    token.token = Some(Selector::token(ISSUER, &number.to_string()));
    token.tenant = Some(ISSUER.into());
    token.iss = Some(ISSUER.into());
    // As long as a UUID.
    token.sub = Some(format!("{:036}", number / per_subject));
    if has_session {
        token.sid = Some(format!("s{number}"));
        token.grant = Some(format!("g{number}"));
    }
    token.iat = Some(NumericDate::now());
    token.exp = Some(NumericDate::new(NumericDate::now().seconds() + 86_400));
    token
}

/// The memory of the process, in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kib.expect("a number") * 1024
}
