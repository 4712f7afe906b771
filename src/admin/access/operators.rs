//! Who is an operator, and how does a request show it?

use std::{error::Error, fmt, sync::Arc};

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

#[cfg(doc)]
use super::Role;
use super::{Caller, UnknownRole, credential::Credential, role};
#[cfg(feature = "mtls")]
use crate::client::certificate::ClientCertificate;

/// More operators than any server has.
const MAX_OPERATORS: usize = 1024;

/// The operators of a server: their names, their [roles](Role), and how each shows who it is.
///
/// A file has one line for each: a name, a role and one of these. Lines that are empty or begin with
/// `#` are ignored.
///
/// | Third word | The operator has |
/// |---|---|
/// | 64 hexadecimal digits | a token with this SHA-256 |
/// | `dns:NAME`, `uri:URI`, `email:ADDRESS` | a certificate with this subjectAltName (feature `mtls`) |
/// | `certificate:` and 64 hexadecimal digits | the certificate with this SHA-256 (feature `mtls`) |
/// | `proxy` | this name at a proxy: see [`Access::proxy_names`](super::Access::proxy_names) |
///
/// ```text
/// # openssl rand -hex 32 > token; tr -d '\n' < token | sha256sum
/// helpdesk operator 3b9c358f36f0a31b6ad3e14f309c7cf198ac9246e8316f9ce543d5b19ac02b80
/// deployment security dns:deploy.example.com
/// alice@example.com viewer proxy
/// ```
///
/// **Generate the tokens**: a digest hides only what nobody can guess. All digests are compared, in
/// constant time, so the time of a response does not depend on which one is right.
///
/// ```
/// use tower_revocation::admin::{Operators, Role};
///
/// let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// let operators = Operators::parse(&format!("helpdesk operator {digest}\n"))?;
/// assert_eq!(operators.by_token("test").map(|caller| caller.role()), Some(Role::Operator));
/// assert!(operators.by_token("other").is_none());
///
/// let error = Operators::parse("helpdesk admin abc").unwrap_err();
/// assert_eq!(error.line(), 1);
/// # Ok::<_, tower_revocation::admin::OperatorsError>(())
/// ```
#[derive(Clone)]
pub struct Operators {
    operators: Arc<[(Credential, Caller)]>,
}

impl Operators {
    /// Reads the lines of a file.
    ///
    /// # Errors
    ///
    /// Fails if a line has not the three parts, if a part is invalid, if a name or a credential
    /// occurs twice, if a name begins with `self:`, and if there are more than 1024 operators or none.
    pub fn parse(text: &str) -> Result<Self, OperatorsError> {
        let mut operators: Vec<(Credential, Caller)> = Vec::new();
        for (place, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fails = |reason| OperatorsError {
                line: place + 1,
                reason,
            };
            let (credential, caller) = parse_line(line).map_err(fails)?;
            if operators.iter().any(|(_, known)| known.name == caller.name) {
                return Err(fails("the name is already there"));
            }
            if operators
                .iter()
                .any(|(known, _)| known.is_also(&credential))
            {
                return Err(fails("the credential is already there"));
            }
            if operators.len() >= MAX_OPERATORS {
                return Err(fails("there are more than 1024 operators"));
            }
            operators.push((credential, caller));
        }
        if operators.is_empty() {
            return Err(OperatorsError {
                line: text.lines().count(),
                reason: "there is no operator",
            });
        }
        Ok(Self {
            operators: operators.into(),
        })
    }

    /// Returns whose token it is.
    #[must_use]
    pub fn by_token(&self, token: &str) -> Option<Caller> {
        self.by_digest(&Sha256::digest(token).into())
    }

    /// Returns whose token has this SHA-256.
    pub(super) fn by_digest(&self, presented: &[u8; 32]) -> Option<Caller> {
        let mut place = u32::MAX;
        for (candidate, (credential, _)) in (0_u32..).zip(&*self.operators) {
            let Credential::Token(digest) = credential else {
                continue;
            };
            let is_it: Choice = digest.ct_eq(presented);
            place = u32::conditional_select(&place, &candidate, is_it);
        }
        let found = usize::try_from(place).ok()?;
        self.operators.get(found).map(|(_, caller)| caller.clone())
    }

    /// Returns whose certificate it is. `None` also if its chain was not verified.
    ///
    /// If it has the names of several operators, it is that of the first one in the file.
    #[cfg(feature = "mtls")]
    #[must_use]
    pub fn by_certificate(&self, certificate: &ClientCertificate) -> Option<Caller> {
        if !certificate.is_verified() {
            return None;
        }
        self.find(|credential| credential.is_certificate(certificate))
    }

    /// Returns who has this name at a proxy, **byte for byte**.
    pub(super) fn by_proxy_name(&self, name: &str) -> Option<Caller> {
        let mut operators = self.operators.iter();
        let found = operators.find(|(credential, caller)| {
            matches!(credential, Credential::Proxy) && *caller.name == *name
        });
        found.map(|(_, caller)| caller.clone())
    }

    #[cfg(feature = "mtls")]
    fn find(&self, is_it: impl Fn(&Credential) -> bool) -> Option<Caller> {
        let mut operators = self.operators.iter();
        let found = operators.find(|(credential, _)| is_it(credential));
        found.map(|(_, caller)| caller.clone())
    }
}

fn parse_line(line: &str) -> Result<(Credential, Caller), &'static str> {
    let mut words = line.split_ascii_whitespace();
    let (Some(name), Some(role), Some(credential), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("a line has a name, a role and a credential");
    };
    let role = role.parse().map_err(|UnknownRole { .. }| role::UNKNOWN)?;
    if name.starts_with("self:") {
        return Err("a name cannot begin with `self:`, which marks users in the events");
    }
    let credential = Credential::parse(credential)?;
    let name = name.into();
    Ok((credential, Caller { name, role }))
}

/// Shows names and roles.
impl fmt::Debug for Operators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let callers = self.operators.iter().map(|(_, caller)| caller);
        f.debug_list().entries(callers).finish()
    }
}

/// What is wrong in the lines of [`Operators`]. It repeats nothing of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorsError {
    line: usize,
    reason: &'static str,
}

impl OperatorsError {
    /// Returns the number of the line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for OperatorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl Error for OperatorsError {}
