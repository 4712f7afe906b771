//! Password hashing functions, their limits, and the comparison of a secret.

use std::hint::black_box;

use argon2::{Algorithm, Argon2, Version, password_hash::phc};
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConstantTimeEq as _};
use tower::BoxError;

use super::InvalidHash;
use crate::token::Secret;

/// A password hashing function with its parameters, all within the limits, and the expected output.
pub(super) enum Function {
    Argon2id(argon2::Params, Expected),
    Scrypt(scrypt::Params, Expected),
    Pbkdf2Sha256(u32, Expected),
    Pbkdf2Sha512(u32, Expected),
    Bcrypt(Box<str>),
}

/// The inputs of a PHC function, and the expected output.
pub(super) struct Expected {
    salt: phc::Salt,
    output: phc::Output,
}

impl Function {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidHash> {
        // bcrypt is older than the PHC format.
        if text.starts_with("$2") {
            return bcrypt(text);
        }
        let hash = phc::PasswordHash::new(text).map_err(|_| InvalidHash::Malformed)?;
        match hash.algorithm.as_str() {
            "argon2id" => argon2id(&hash),
            "scrypt" => scrypt(&hash),
            "pbkdf2-sha256" => {
                pbkdf2(&hash, 32).map(|(rounds, expected)| Self::Pbkdf2Sha256(rounds, expected))
            }
            "pbkdf2-sha512" => {
                pbkdf2(&hash, 64).map(|(rounds, expected)| Self::Pbkdf2Sha512(rounds, expected))
            }
            _ => Err(InvalidHash::UnknownFunction),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Argon2id(..) => "argon2id",
            Self::Scrypt(..) => "scrypt",
            Self::Pbkdf2Sha256(..) => "pbkdf2-sha256",
            Self::Pbkdf2Sha512(..) => "pbkdf2-sha512",
            Self::Bcrypt(..) => "bcrypt",
        }
    }

    /// Whether the hash was made from this secret. All the work is done here, and it is the same
    /// for every secret.
    ///
    /// Fails if the result is unknown, for example if there is no memory.
    pub(super) fn matches(&self, secret: &Secret) -> Result<bool, BoxError> {
        let secret = secret.expose().as_bytes();
        match self {
            Self::Argon2id(params, expected) => expected.is(|salt, out| {
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
                    .hash_password_into(secret, salt, out)
                    .map_err(BoxError::from)
            }),
            Self::Scrypt(params, expected) => expected
                .is(|salt, out| scrypt::scrypt(secret, salt, params, out).map_err(BoxError::from)),
            Self::Pbkdf2Sha256(rounds, expected) => expected.is(|salt, out| {
                pbkdf2::pbkdf2_hmac::<Sha256>(secret, salt, *rounds, out);
                Ok(())
            }),
            Self::Pbkdf2Sha512(rounds, expected) => expected.is(|salt, out| {
                pbkdf2::pbkdf2_hmac::<Sha512>(secret, salt, *rounds, out);
                Ok(())
            }),
            Self::Bcrypt(hash) => {
                // bcrypt reads at most 72 bytes, and repeats a shorter secret with a NUL in
                // between. Other secrets than the registered one would match.
                let whole = secret.len() <= 72 && !secret.contains(&0);
                Ok(black_box(bcrypt::verify(secret, hash)?) & whole)
            }
        }
    }
}

impl Expected {
    fn new(hash: &phc::PasswordHash) -> Result<Self, InvalidHash> {
        Ok(Self {
            salt: hash.salt.ok_or(InvalidHash::Malformed)?,
            output: hash.hash.ok_or(InvalidHash::Malformed)?,
        })
    }

    fn is(
        &self,
        derive: impl FnOnce(&[u8], &mut [u8]) -> Result<(), BoxError>,
    ) -> Result<bool, BoxError> {
        let mut buffer = [0; phc::Output::MAX_LENGTH];
        let derived = &mut buffer[..self.output.len()];
        derive(self.salt.as_ref(), derived)?;
        let same: Choice = self.output.as_bytes().ct_eq(derived);
        Ok(same.into())
    }
}

/// RFC 9106 §3.1. The functions argon2i and argon2d are refused: each lacks the protection of the
/// other.
fn argon2id(hash: &phc::PasswordHash) -> Result<Function, InvalidHash> {
    // A hash without a version was made before the standard.
    if hash.version != Some(19) {
        return Err(InvalidHash::UnknownFunction);
    }
    let [kibibytes, passes, lanes] = parameters(hash, ["m", "t", "p"])?;
    if kibibytes > 256 << 10 || passes > 10 || lanes > 4 || kibibytes * passes > 1 << 20 {
        return Err(InvalidHash::TooCostly);
    }
    if kibibytes < 7 << 10 {
        return Err(InvalidHash::TooCheap);
    }
    let expected = Expected::new(hash)?;
    argon2::Params::new(kibibytes, passes, lanes, Some(expected.output.len()))
        .map(|params| Function::Argon2id(params, expected))
        .map_err(|_| InvalidHash::Malformed)
}

/// RFC 7914 §2.
fn scrypt(hash: &phc::PasswordHash) -> Result<Function, InvalidHash> {
    let [log_n, r, p] = parameters(hash, ["ln", "r", "p"])?;
    let log_n = u8::try_from(log_n).map_err(|_| InvalidHash::TooCostly)?;
    // It needs 128 × N × r bytes: at most 256 MiB.
    if log_n > 17 || r > 16 || p > 4 {
        return Err(InvalidHash::TooCostly);
    }
    if r << log_n < 1 << 17 {
        return Err(InvalidHash::TooCheap);
    }
    let params = scrypt::Params::new(log_n, r, p).map_err(|_| InvalidHash::Malformed)?;
    version_less(hash)?;
    Ok(Function::Scrypt(params, Expected::new(hash)?))
}

/// RFC 8018 §5.2, over HMAC with a digest of this many bytes.
fn pbkdf2(hash: &phc::PasswordHash, digest: usize) -> Result<(u32, Expected), InvalidHash> {
    let expected = Expected::new(hash)?;
    version_less(hash)?;
    let rounds = match parameters(hash, ["i", "l"]) {
        Ok([rounds, length]) if usize::try_from(length) == Ok(expected.output.len()) => rounds,
        Ok(_) => return Err(InvalidHash::Malformed),
        Err(_) => parameters(hash, ["i"]).map(|[rounds]| rounds)?,
    };
    // An output longer than the digest costs all rounds again.
    let most = if expected.output.len() > digest {
        1_000_000
    } else {
        2_000_000
    };
    if rounds > most {
        return Err(InvalidHash::TooCostly);
    }
    if rounds < 10_000 {
        return Err(InvalidHash::TooCheap);
    }
    Ok((rounds, expected))
}

fn bcrypt(text: &str) -> Result<Function, InvalidHash> {
    // `$2x$` marks hashes of a known bug, which other secrets match too.
    let known = ["$2a$", "$2b$", "$2y$"];
    if !known.iter().any(|prefix| text.starts_with(prefix)) {
        return Err(InvalidHash::UnknownFunction);
    }
    let parts: bcrypt::HashParts = text.parse().map_err(|_| InvalidHash::Malformed)?;
    // Two digits. A number parser would also accept a sign.
    if !text.as_bytes()[4..6].iter().all(u8::is_ascii_digit) {
        return Err(InvalidHash::Malformed);
    }
    match parts.get_cost() {
        15.. => Err(InvalidHash::TooCostly),
        4..=14 => Ok(Function::Bcrypt(text.into())),
        0..=3 => Err(InvalidHash::Malformed),
    }
}

/// Reads exactly these parameters, each once. An unknown parameter would otherwise be ignored.
fn parameters<const N: usize>(
    hash: &phc::PasswordHash,
    names: [&str; N],
) -> Result<[u32; N], InvalidHash> {
    if hash.params.iter().count() != N {
        return Err(InvalidHash::Malformed);
    }
    let mut values = [0; N];
    for (value, name) in values.iter_mut().zip(names) {
        *value = hash
            .params
            .get_decimal(name)
            .ok_or(InvalidHash::Malformed)?;
    }
    Ok(values)
}

fn version_less(hash: &phc::PasswordHash) -> Result<(), InvalidHash> {
    match hash.version {
        None => Ok(()),
        Some(_) => Err(InvalidHash::Malformed),
    }
}
