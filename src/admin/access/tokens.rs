//! The tokens of administrators.

use std::{error::Error, fmt, sync::Arc};

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::Caller;
#[cfg(doc)]
use super::Role;

/// More administrators than any server has.
const MAX_TOKENS: usize = 1024;

/// The tokens of administrators, by their digests.
///
/// A file has one line for each: a name, a [`Role`] and the SHA-256 of the token in 64 hexadecimal
/// digits. Lines that are empty or begin with `#` are ignored.
///
/// ```text
/// # openssl rand -hex 32 > token; tr -d '\n' < token | sha256sum
/// helpdesk operator 3b9c358f36f0a31b6ad3e14f309c7cf198ac9246e8316f9ce543d5b19ac02b80
/// ```
///
/// **Generate the tokens**: a digest hides only what nobody can guess. All digests are compared, in
/// constant time, so the time of a response does not depend on which one is right.
///
/// ```
/// use tower_revocation::admin::{AdminTokens, Role};
///
/// let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// let tokens = AdminTokens::parse(&format!("helpdesk operator {digest}\n"))?;
/// assert_eq!(tokens.caller("test").map(|caller| caller.role()), Some(Role::Operator));
/// assert!(tokens.caller("other").is_none());
///
/// let error = AdminTokens::parse("helpdesk admin abc").unwrap_err();
/// assert_eq!(error.line(), 1);
/// # Ok::<_, tower_revocation::admin::AdminTokensError>(())
/// ```
#[derive(Clone)]
pub struct AdminTokens {
    tokens: Arc<[([u8; 32], Caller)]>,
}

impl AdminTokens {
    /// Reads the lines of a file.
    ///
    /// # Errors
    ///
    /// Fails if a line has not the three parts, if a role or a digest is invalid, if a name or a digest
    /// occurs twice, and if there are more than 1024 tokens or none.
    pub fn parse(text: &str) -> Result<Self, AdminTokensError> {
        let mut tokens: Vec<([u8; 32], Caller)> = Vec::new();
        for (place, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fails = |reason| AdminTokensError {
                line: place + 1,
                reason,
            };
            let (digest, caller) = parse_line(line).map_err(fails)?;
            if tokens.iter().any(|(_, known)| known.name == caller.name) {
                return Err(fails("the name is already there"));
            }
            if tokens.iter().any(|(known, _)| *known == digest) {
                return Err(fails("the digest is already there"));
            }
            if tokens.len() >= MAX_TOKENS {
                return Err(fails("there are more than 1024 tokens"));
            }
            tokens.push((digest, caller));
        }
        if tokens.is_empty() {
            return Err(AdminTokensError {
                line: text.lines().count(),
                reason: "there is no token",
            });
        }
        Ok(Self {
            tokens: tokens.into(),
        })
    }

    /// Returns whose token it is.
    #[must_use]
    pub fn caller(&self, token: &str) -> Option<Caller> {
        let presented: [u8; 32] = Sha256::digest(token).into();
        let mut place = u32::MAX;
        for (candidate, (digest, _)) in (0_u32..).zip(&*self.tokens) {
            let is_it: Choice = digest.ct_eq(&presented);
            place = u32::conditional_select(&place, &candidate, is_it);
        }
        let found = usize::try_from(place).ok()?;
        self.tokens.get(found).map(|(_, caller)| caller.clone())
    }
}

fn parse_line(line: &str) -> Result<([u8; 32], Caller), &'static str> {
    let mut words = line.split_ascii_whitespace();
    let (Some(name), Some(role), Some(digest), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("a line has a name, a role and a SHA-256");
    };
    let role = role
        .parse()
        .map_err(|()| "the role is none of viewer, operator and security")?;
    let digest = hex(digest).ok_or("the SHA-256 is not 64 hexadecimal digits")?;
    let name = name.into();
    Ok((digest, Caller { name, role }))
}

fn hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut digest = [0; 32];
    for (place, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// Shows names and roles.
impl fmt::Debug for AdminTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let callers = self.tokens.iter().map(|(_, caller)| caller);
        f.debug_list().entries(callers).finish()
    }
}

/// What is wrong in the lines of [`AdminTokens`]. It repeats nothing of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminTokensError {
    line: usize,
    reason: &'static str,
}

impl AdminTokensError {
    /// Returns the number of the line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for AdminTokensError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl Error for AdminTokensError {}
