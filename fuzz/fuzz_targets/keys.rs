//! Any text as a key set and as a registration with keys, also with a part repeated many times.
//!
//! ```sh
//! cargo fuzz run --sanitizer none keys fuzz/corpus/keys fuzz/seeds/keys
//! ```
//!
//! The part between two lines that start with `@` is repeated, with a number in place of each `#`. Work
//! that is more than linear shows as a slow unit.

#![no_main]

use std::fmt::Write as _;

use libfuzzer_sys::fuzz_target;
use tower_revocation::{
    client::registry::Registry,
    jose::{Algorithm, Jwk, KeySet},
};

/// The default limit for a published set.
const LONG: usize = 1024 * 1024;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    read(text);
    let mut parts = text.splitn(3, "\n@");
    if let (Some(head), Some(part), Some(tail)) = (parts.next(), parts.next(), parts.next()) {
        read(&repeated(head, part, tail));
    }
});

fn read(json: &str) {
    if let Ok(key) = Jwk::from_json(json) {
        // A parsed key admits at least one algorithm, all of them for its type.
        assert!(Algorithm::ALL.iter().any(|alg| key.admits(*alg)));
        assert!(
            !Algorithm::ALL
                .iter()
                .any(|alg| alg.is_hmac() && key.admits(*alg))
        );
    }
    if let Ok(keys) = KeySet::from_json(json) {
        assert!(!keys.is_empty() && keys.len() + keys.left_out().count() <= 100);
    }
    let _ = Registry::from_json(json);
}

fn repeated(head: &str, part: &str, tail: &str) -> String {
    let mut long = head.to_owned();
    for n in 0.. {
        if long.len() + tail.len() >= LONG || n > LONG {
            break;
        }
        for (index, piece) in part.split('#').enumerate() {
            if index > 0 {
                let _ = write!(long, "{n}");
            }
            long.push_str(piece);
        }
    }
    long.push_str(tail);
    long
}
