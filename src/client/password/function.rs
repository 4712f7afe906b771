//! Which function was it, at what cost, and does this secret come out the same?

use std::hint::black_box;

use argon2::{Algorithm, Argon2, Version, password_hash::phc};
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConstantTimeEq as _};
use tower::BoxError;

use super::InvalidHash;
use crate::token::Secret;

/// A password hashing function with its parameters, all within the caps, and what came out of it.
pub(super) enum Function {
    Argon2id(argon2::Params, Expected),
    Scrypt(scrypt::Params, Expected),
    Pbkdf2Sha256(u32, Expected),
    Pbkdf2Sha512(u32, Expected),
    Bcrypt(Box<str>),
}

/// What went into a function of the PHC kind, and what came out.
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

    /// Whether it was this secret. All the work is done here, and it is the same for any secret.
    ///
    /// An error says that it could not be found out, as when there is no memory for it.
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
                // bcrypt reads no further than 72 bytes, and repeats a shorter secret with a NUL
                // in between: other secrets than the registered one would pass.
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

/// RFC 9106 §3.1. The sibling functions i and d are refused: each lacks what the other has.
fn argon2id(hash: &phc::PasswordHash) -> Result<Function, InvalidHash> {
    // Without a version it is the one of before the standard.
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
    // It works in 128 bytes times N times r: 256 MiB at the most.
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

/// RFC 8018 §5.2, over HMAC with a digest of so many bytes.
fn pbkdf2(hash: &phc::PasswordHash, digest: usize) -> Result<(u32, Expected), InvalidHash> {
    let expected = Expected::new(hash)?;
    version_less(hash)?;
    let rounds = match parameters(hash, ["i", "l"]) {
        Ok([rounds, length]) if usize::try_from(length) == Ok(expected.output.len()) => rounds,
        Ok(_) => return Err(InvalidHash::Malformed),
        Err(_) => parameters(hash, ["i"]).map(|[rounds]| rounds)?,
    };
    // An output longer than the digest takes all the rounds once more.
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
    // `$2x$` marks what a known bug made, which other secrets match as well.
    let known = ["$2a$", "$2b$", "$2y$"];
    if !known.iter().any(|prefix| text.starts_with(prefix)) {
        return Err(InvalidHash::UnknownFunction);
    }
    let parts: bcrypt::HashParts = text.parse().map_err(|_| InvalidHash::Malformed)?;
    // Two digits; a parser of numbers would also take a sign.
    if !text.as_bytes()[4..6].iter().all(u8::is_ascii_digit) {
        return Err(InvalidHash::Malformed);
    }
    match parts.get_cost() {
        15.. => Err(InvalidHash::TooCostly),
        4..=14 => Ok(Function::Bcrypt(text.into())),
        0..=3 => Err(InvalidHash::Malformed),
    }
}

/// These parameters, each once, and no others: one that is not known would be one not heeded.
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
