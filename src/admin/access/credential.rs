//! How one operator shows who it is.

#[cfg(feature = "mtls")]
use crate::client::certificate::{CertificateSubject, ClientCertificate};

/// How one operator shows who it is.
pub(super) enum Credential {
    /// The SHA-256 of a token.
    Token([u8; 32]),
    #[cfg(feature = "mtls")]
    Subject(CertificateSubject),
    /// The SHA-256 of a certificate.
    #[cfg(feature = "mtls")]
    Certificate([u8; 32]),
    /// A trusted proxy says the name.
    Proxy,
}

impl Credential {
    pub(super) fn parse(word: &str) -> Result<Self, &'static str> {
        match word.split_once(':') {
            None if word == "proxy" => Ok(Self::Proxy),
            None => match hex(word) {
                Some(digest) => Ok(Self::Token(digest)),
                None => Err("the SHA-256 of the token is not 64 hexadecimal digits"),
            },
            Some((kind, name)) => Self::of_certificate(kind, name),
        }
    }

    #[cfg(feature = "mtls")]
    fn of_certificate(kind: &str, name: &str) -> Result<Self, &'static str> {
        let subject = match kind {
            "dns" => CertificateSubject::san_dns(name),
            "uri" => CertificateSubject::san_uri(name),
            "email" => CertificateSubject::san_email(name),
            "certificate" => {
                let thumbprint = hex(name);
                let wrong = "the SHA-256 of the certificate is not 64 hexadecimal digits";
                return thumbprint.map(Self::Certificate).ok_or(wrong);
            }
            _ => return Err("the credential is none of those that are known"),
        };
        let subject = subject.map_err(|_| "the name of the certificate is invalid")?;
        Ok(Self::Subject(subject))
    }

    #[cfg(not(feature = "mtls"))]
    fn of_certificate(_: &str, _: &str) -> Result<Self, &'static str> {
        Err("operators with certificates need the feature `mtls`")
    }

    #[cfg(feature = "mtls")]
    pub(super) fn is_certificate(&self, certificate: &ClientCertificate) -> bool {
        match self {
            Self::Subject(subject) => subject.matches(certificate),
            Self::Certificate(thumbprint) => *thumbprint == certificate.thumbprint(),
            Self::Token(_) | Self::Proxy => false,
        }
    }

    /// Whether a credential is the same. Many operators have names at the proxy.
    pub(super) fn is_also(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Token(one), Self::Token(other)) => one == other,
            #[cfg(feature = "mtls")]
            (Self::Subject(one), Self::Subject(other)) => one == other,
            #[cfg(feature = "mtls")]
            (Self::Certificate(one), Self::Certificate(other)) => one == other,
            _ => false,
        }
    }
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
