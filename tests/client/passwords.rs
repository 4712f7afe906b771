//! Password hashes that other implementations computed.

use tower_revocation::{
    Secret,
    client::password::{InvalidHash, PasswordHash, Passwords},
};

/// From the reference implementation, of "password".
const ARGON2ID: &str =
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
/// From RFC 7914 §12, of "pleaseletmein" with the salt `SodiumChloride`.
const SCRYPT: &str = "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU\
    $cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw";
/// From hashlib, of "Password" with the salt `NaClNaClNaClNaCl`.
const PBKDF2_SHA256: &str = "$pbkdf2-sha256$i=10000$TmFDbE5hQ2xOYUNsTmFDbA\
    $hhaRkgWB7OqsSuKQZt1UGUPavg5G3LOpEL9sm60Q4PM";
const PBKDF2_SHA512: &str = "$pbkdf2-sha512$i=10000,l=64$TmFDbE5hQ2xOYUNsTmFDbA\
    $vZT1rzTOVyubsbA8DOzFN2GykbZcHRVPyMsJfR+o3C4JLGoRnm8R1PlsVQxA+PsZXAfQDhOnchHFVIWoPeq9WA";
/// From libxcrypt, of "secret".
const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

async fn is(hash: &str, secret: impl Into<String>) -> bool {
    let hash = PasswordHash::parse(hash).unwrap();
    Passwords::new()
        .verify("s6BhdRkqt3", &Secret::new(secret), [Some(&hash), None])
        .await
        .unwrap()
}

fn refused(hash: &str) -> InvalidHash {
    PasswordHash::parse(hash).unwrap_err()
}

#[tokio::test]
async fn argon2id_is_verified() {
    assert!(is(ARGON2ID, "password").await);
    assert!(!is(ARGON2ID, "Password").await);
}

#[tokio::test]
async fn scrypt_is_verified() {
    assert!(is(SCRYPT, "pleaseletmein").await);
    assert!(!is(SCRYPT, "pleaseletmein ").await);
}

#[tokio::test]
async fn pbkdf2_is_verified() {
    assert!(is(PBKDF2_SHA256, "Password").await);
    assert!(!is(PBKDF2_SHA256, "password").await);
    assert!(is(PBKDF2_SHA512, "Password").await);
    assert!(!is(PBKDF2_SHA512, "password").await);
    // The digest is part of the name.
    let renamed = PBKDF2_SHA512.replace("sha512", "sha256");
    assert!(!is(&renamed, "Password").await);
}

#[tokio::test]
async fn every_byte_of_the_output_is_compared() {
    let (salt, output) = PBKDF2_SHA256.rsplit_once('$').unwrap();
    for place in [0, 10, 21, 32, 41] {
        let mut altered = output.to_owned();
        let other = if output[place..].starts_with('A') {
            "B"
        } else {
            "A"
        };
        altered.replace_range(place..=place, other);
        assert!(
            !is(&format!("{salt}${altered}"), "Password").await,
            "{place}"
        );
    }
}

#[tokio::test]
async fn bcrypt_is_verified_with_all_its_prefixes() {
    for (secret, hash) in [
        (
            "a",
            "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        ),
        (
            "abc",
            "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i",
        ),
        ("secret", BCRYPT),
        (
            "secret",
            "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
        ),
        (
            "café π",
            "$2y$04$abcdefghijklmnopqrstuuh4SxFkoUxKh2Z8IUQ0GZtIy9XboPud.",
        ),
    ] {
        assert!(is(hash, secret).await, "{hash}");
        assert!(!is(hash, "wrong").await, "{hash}");
    }
}

#[tokio::test]
async fn bcrypt_refuses_secrets_that_it_would_not_read_whole() {
    let seventy_two = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe";
    assert!(is(seventy_two, "a".repeat(72)).await);
    assert!(!is(seventy_two, "a".repeat(71)).await);
    // bcrypt itself accepts these.
    assert!(bcrypt_accepts("a".repeat(73), seventy_two));
    assert!(!is(seventy_two, "a".repeat(73)).await);
    assert!(bcrypt_accepts("secret\0secret", BCRYPT));
    assert!(!is(BCRYPT, "secret\0secret").await);
}

fn bcrypt_accepts(secret: impl AsRef<[u8]>, hash: &str) -> bool {
    bcrypt::verify(secret, hash).unwrap()
}

#[tokio::test]
async fn empty_secret_never_matches() {
    let of_nothing = "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.";
    assert!(bcrypt_accepts("", of_nothing));
    assert!(!is(of_nothing, "").await);
}

#[tokio::test]
async fn decoy_never_matches() {
    let decoy = PasswordHash::parse(BCRYPT).unwrap();
    let passwords = Passwords::new().decoy(decoy);
    for (passwords, secret) in [(passwords, "secret"), (Passwords::new(), "")] {
        let secret = Secret::new(secret);
        let verified = passwords.verify("nobody", &secret, [None, None]).await;
        assert!(!verified.unwrap());
    }
}

#[tokio::test]
async fn either_of_two_hashes_matches_while_a_secret_is_replaced() {
    let newer = PasswordHash::parse(BCRYPT).unwrap();
    let older = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";
    let older = PasswordHash::parse(older).unwrap();
    let passwords = Passwords::new();
    let verify = async |secret, hashes| {
        let secret = Secret::new(secret);
        passwords
            .verify("s6BhdRkqt3", &secret, hashes)
            .await
            .unwrap()
    };

    assert!(verify("abc", [Some(&older), None]).await);
    for secret in ["secret", "abc"] {
        assert!(verify(secret, [Some(&newer), Some(&older)]).await);
        assert!(verify(secret, [Some(&older), Some(&newer)]).await);
    }
    assert!(!verify("wrong", [Some(&newer), Some(&older)]).await);
    // The hash was replaced, although the secret was correct a moment ago.
    assert!(!verify("abc", [Some(&newer), None]).await);
    assert!(!verify("abc", [None, Some(&newer)]).await);
}

#[tokio::test(flavor = "current_thread")]
async fn verification_does_not_block_the_async_thread() {
    let verification = tokio::spawn(is(PBKDF2_SHA256, "Password"));
    let mut turns = 0;
    while !verification.is_finished() {
        turns += 1;
        tokio::task::yield_now().await;
    }
    // On this thread, the work would end within the first turn.
    assert!(turns > 1);
    assert!(verification.await.unwrap());
}

#[test]
fn costs_above_the_limits_are_refused() {
    for costs in [
        "m=262145,t=2,p=1",
        "m=8192,t=11,p=1",
        "m=8192,t=2,p=5",
        "m=262144,t=5,p=1",
    ] {
        let hash = ARGON2ID.replace("m=65536,t=2,p=1", costs);
        assert_eq!(refused(&hash), InvalidHash::TooCostly, "{costs}");
    }
    let largest = "m=4294967295,t=4294967295,p=4294967295";
    let hash = ARGON2ID.replace("m=65536,t=2,p=1", largest);
    assert_eq!(refused(&hash), InvalidHash::TooCostly);

    for costs in [
        "ln=18,r=8,p=1",
        "ln=14,r=17,p=1",
        "ln=14,r=8,p=5",
        "ln=300,r=8,p=1",
    ] {
        let hash = SCRYPT.replace("ln=14,r=8,p=1", costs);
        assert_eq!(refused(&hash), InvalidHash::TooCostly, "{costs}");
    }

    let rounds = PBKDF2_SHA256.replace("i=10000", "i=2000001");
    assert_eq!(refused(&rounds), InvalidHash::TooCostly);
    // An output of 64 bytes with SHA-256 costs twice the rounds.
    let twice = PBKDF2_SHA512.replace("sha512", "sha256");
    assert_eq!(
        refused(&twice.replace("i=10000", "i=1000001")),
        InvalidHash::TooCostly
    );
    assert!(PasswordHash::parse(&twice.replace("i=10000", "i=1000000")).is_ok());

    for cost in ["15", "31", "99"] {
        let hash = BCRYPT.replace("$04$", &format!("${cost}$"));
        assert_eq!(refused(&hash), InvalidHash::TooCostly, "{cost}");
    }
}

#[test]
fn costs_at_the_limits_are_accepted() {
    for hash in [
        ARGON2ID.replace("m=65536,t=2,p=1", "m=262144,t=4,p=4"),
        ARGON2ID.replace("m=65536,t=2,p=1", "m=104857,t=10,p=1"),
        SCRYPT.replace("ln=14,r=8,p=1", "ln=17,r=16,p=4"),
        PBKDF2_SHA256.replace("i=10000", "i=2000000"),
        BCRYPT.replace("$04$", "$14$"),
    ] {
        assert!(PasswordHash::parse(&hash).is_ok(), "{hash}");
    }
}

#[test]
fn hashes_below_the_lower_limits_are_refused() {
    for hash in [
        ARGON2ID.replace("m=65536", "m=7167"),
        SCRYPT.replace("ln=14", "ln=13"),
        SCRYPT.replace("r=8", "r=0"),
        PBKDF2_SHA256.replace("i=10000", "i=9999"),
        PBKDF2_SHA256.replace("i=10000", "i=0"),
    ] {
        assert_eq!(refused(&hash), InvalidHash::TooCheap, "{hash}");
    }
}

#[test]
fn other_functions_are_refused() {
    for hash in [
        ARGON2ID.replace("argon2id", "argon2i"),
        ARGON2ID.replace("argon2id", "argon2d"),
        ARGON2ID.replace("v=19", "v=16"),
        ARGON2ID.replace("$v=19", ""),
        PBKDF2_SHA256.replace("pbkdf2-sha256", "pbkdf2"),
        PBKDF2_SHA256.replace("sha256", "sha1"),
        BCRYPT.replace("$2b$", "$2x$"),
        BCRYPT.replace("$2b$", "$2$"),
    ] {
        assert_eq!(refused(&hash), InvalidHash::UnknownFunction, "{hash}");
    }
}

#[test]
fn malformed_hashes_are_refused() {
    for hash in [
        "",
        "password",
        "$1$abcdefgh$G//4keteveJp0qb8z2DxG/",
        "$argon2id$v=19$m=65536,t=2,p=1",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ",
        &ARGON2ID.replace(",p=1", ""),
        &ARGON2ID.replace(",p=1", ",p=1,keyid=AAAA"),
        &ARGON2ID.replace(",p=1", ",t=2"),
        &ARGON2ID.replace("p=1", "p=0"),
        &ARGON2ID.replace("t=2", "t=-2"),
        &ARGON2ID.replace("m=65536", "m=065536"),
        &format!("{ARGON2ID}$"),
        &format!(" {ARGON2ID}"),
        &format!("{ARGON2ID}\n"),
        &SCRYPT.replace("$ln", "$v=1$ln"),
        &SCRYPT.replace("p=1", "p=0"),
        &SCRYPT.replace(",p=1", ""),
        &PBKDF2_SHA512.replace("l=64", "l=32"),
        &BCRYPT.replace("$04$", "$03$"),
        &BCRYPT.replace("$04$", "$+4$"),
        &BCRYPT[..59],
        &BCRYPT.replace("abc", "a\u{e9}"),
        &format!("{BCRYPT} "),
    ] {
        assert_eq!(refused(hash), InvalidHash::Malformed, "{hash}");
    }
}

#[test]
fn debug_output_has_no_hash() {
    for (hash, name) in [
        (ARGON2ID, "argon2id"),
        (SCRYPT, "scrypt"),
        (PBKDF2_SHA256, "pbkdf2-sha256"),
        (PBKDF2_SHA512, "pbkdf2-sha512"),
        (BCRYPT, "bcrypt"),
    ] {
        let hash = PasswordHash::parse(hash).unwrap();
        assert_eq!(format!("{hash:?}"), format!("PasswordHash({name})"));
        let passwords = format!("{:?}", Passwords::new().decoy(hash));
        assert!(
            passwords.contains(&format!("PasswordHash({name})")),
            "{passwords}"
        );
        assert!(!passwords.contains('$'), "{passwords}");
    }
}

#[test]
#[should_panic(expected = "the number of permits is zero")]
fn zero_permits_panic() {
    let _ = Passwords::new().permits(0);
}
