//! The registered name of a client's certificates (RFC 8705 §2.1.2).

use std::{fmt, net::IpAddr};

use super::{ClientCertificate, alternative::AlternativeName, name::DistinguishedName};

/// The name that the certificates of a `tls_client_auth` client must have: one name of one of five
/// kinds.
///
/// The client can use another certificate with the same name. The kinds are not interchangeable: a
/// `CN` is not a host name.
///
/// ```
/// use tower_revocation::client::certificate::{CertificateSubject, ClientCertificate};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let key = rcgen::KeyPair::generate()?;
/// # let leaf = rcgen::CertificateParams::new(["Client.example".to_owned()])?.self_signed(&key)?;
/// # let certificate = ClientCertificate::verified(leaf.der().as_ref())?;
/// let subject = CertificateSubject::san_dns("client.example")?;
/// assert!(subject.matches(&certificate));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateSubject {
    kind: Kind,
    written: String,
    either_order: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    SubjectDn(DistinguishedName),
    SanDns,
    SanUri,
    SanIp(IpAddr),
    SanEmail,
}

impl CertificateSubject {
    /// Creates a subject from a distinguished name in the string format of RFC 4514.
    ///
    /// Names are compared by meaning: attribute by attribute and by OID, ignoring case, repeated
    /// spaces and the string type. The string starts with the last relative name of the certificate
    /// (RFC 4514 §2.1); see [`in_either_order`](Self::in_either_order). **There is no Unicode
    /// normalisation**, and values of unknown types are compared byte for byte.
    ///
    /// A type is a dotted OID, optionally after `OID.`, or a keyword in any case: those of RFC
    /// 4514, and the short and long names used by OpenSSL, Java, Windows and the profiles of open
    /// banking, such as `organizationIdentifier` and `jurisdictionCountryName`.
    ///
    /// ```
    /// use tower_revocation::client::certificate::CertificateSubject;
    ///
    /// assert!(CertificateSubject::subject_dn("CN=billing, O=Example\\, Inc., C=US").is_ok());
    /// assert!(CertificateSubject::subject_dn("billing").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the string is malformed, or if an attribute type is neither a known keyword nor a
    /// dotted OID.
    pub fn subject_dn(written: &str) -> Result<Self, InvalidSubject> {
        let name = DistinguishedName::parse(written).map_err(InvalidSubject)?;
        Ok(Self::new(Kind::SubjectDn(name), written))
    }

    /// Also accepts the distinguished name in the order of the certificate, which `openssl x509
    /// -subject` prints by default.
    ///
    /// **A certificate with the relative names in reverse order then matches too.** RFC 5280 §7.1
    /// treats it as another subject: make sure that your authorities issue no such pair. This has
    /// no effect on names of other kinds.
    ///
    /// ```
    /// use tower_revocation::client::certificate::CertificateSubject;
    ///
    /// let subject = CertificateSubject::subject_dn("C=US, O=Example, CN=billing")?.in_either_order();
    /// # Ok::<_, tower_revocation::client::certificate::InvalidSubject>(())
    /// ```
    #[must_use]
    pub fn in_either_order(mut self) -> Self {
        self.either_order = true;
        self
    }

    /// Creates a subject from a DNS name in subjectAltName. Internationalised names are A-labels.
    ///
    /// **The comparison ignores case. A wildcard in a certificate does not match.**
    ///
    /// # Errors
    ///
    /// Fails if it is not a host name, contains a wildcard, or ends with a dot.
    pub fn san_dns(written: &str) -> Result<Self, InvalidSubject> {
        check_host(written)?;
        Ok(Self::new(Kind::SanDns, written))
    }

    /// Creates a subject from a URI in subjectAltName. **Compared byte for byte, without
    /// normalisation.**
    ///
    /// # Errors
    ///
    /// Fails if it has no scheme, or contains anything but visible ASCII characters.
    pub fn san_uri(written: &str) -> Result<Self, InvalidSubject> {
        let scheme = written.split_once(':').map_or("", |(scheme, _)| scheme);
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !is_scheme || !written.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidSubject(
                "a URI must have a scheme and consist of visible ASCII characters",
            ));
        }
        Ok(Self::new(Kind::SanUri, written))
    }

    /// Creates a subject from an IP address in subjectAltName.
    ///
    /// **Compared byte for byte**: `::ffff:192.0.2.1` is not `192.0.2.1`.
    ///
    /// # Errors
    ///
    /// Fails if it is not an IP address.
    pub fn san_ip(written: &str) -> Result<Self, InvalidSubject> {
        let address = written
            .parse()
            .map_err(|_| InvalidSubject("not an IP address"))?;
        Ok(Self::new(Kind::SanIp(address), written))
    }

    /// Creates a subject from an email address in subjectAltName.
    ///
    /// **The part before the `@` is compared byte for byte, the host ignoring case.**
    ///
    /// # Errors
    ///
    /// Fails if it is not an email address in ASCII.
    pub fn san_email(written: &str) -> Result<Self, InvalidSubject> {
        let (local, host) =
            split_email(written).ok_or(InvalidSubject("an email address must have an `@`"))?;
        if local.is_empty() || !local.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidSubject(
                "the part before the `@` of an email address must consist of visible ASCII characters",
            ));
        }
        check_host(host)?;
        Ok(Self::new(Kind::SanEmail, written))
    }

    fn new(kind: Kind, written: &str) -> Self {
        Self {
            kind,
            written: written.to_owned(),
            either_order: false,
        }
    }

    /// Whether the certificate has this name.
    ///
    /// **Anyone can create a certificate with any name**: check
    /// [`is_verified`](ClientCertificate::is_verified) too.
    #[must_use]
    pub fn matches(&self, certificate: &ClientCertificate) -> bool {
        match &self.kind {
            Kind::SubjectDn(name) => {
                let shown = certificate.x509().tbs_certificate().subject();
                name.matches(shown) || self.either_order && name.matches_in_order(shown)
            }
            _ => certificate
                .alternatives()
                .iter()
                .any(|name| self.is_alternative(name)),
        }
    }

    fn is_alternative(&self, name: &AlternativeName) -> bool {
        match (&self.kind, name) {
            (Kind::SanDns, AlternativeName::Dns(shown)) => {
                shown.eq_ignore_ascii_case(&self.written)
            }
            (Kind::SanUri, AlternativeName::Uri(shown)) => *shown == self.written,
            (Kind::SanIp(IpAddr::V4(address)), AlternativeName::Ip(shown)) => {
                shown[..] == address.octets()
            }
            (Kind::SanIp(IpAddr::V6(address)), AlternativeName::Ip(shown)) => {
                shown[..] == address.octets()
            }
            (Kind::SanEmail, AlternativeName::Email(shown)) => {
                match (split_email(shown), split_email(&self.written)) {
                    (Some((local, host)), Some((registered, registered_host))) => {
                        local == registered && host.eq_ignore_ascii_case(registered_host)
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// The registration parameter for this kind of name (RFC 8705 §2.1.2).
    #[must_use]
    pub fn parameter(&self) -> &'static str {
        match self.kind {
            Kind::SubjectDn(_) => "tls_client_auth_subject_dn",
            Kind::SanDns => "tls_client_auth_san_dns",
            Kind::SanUri => "tls_client_auth_san_uri",
            Kind::SanIp(_) => "tls_client_auth_san_ip",
            Kind::SanEmail => "tls_client_auth_san_email",
        }
    }

    /// The name as registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

impl fmt::Debug for CertificateSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CertificateSubject({}: {:?})",
            self.parameter(),
            self.written
        )
    }
}

/// Splits an email address into mailbox and host. A quoted mailbox can contain an `@`.
fn split_email(address: &str) -> Option<(&str, &str)> {
    address.rsplit_once('@')
}

/// Labels of letters, digits, hyphens (RFC 1123 §2.1) and underscores, which occur in practice.
fn check_host(host: &str) -> Result<(), InvalidSubject> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if host.len() > 253 || !host.split('.').all(is_label) {
        return Err(InvalidSubject(
            "a host name consists of ASCII letters, digits, hyphens and dots, without a wildcard or a final dot",
        ));
    }
    if host
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return Err(InvalidSubject("an IP address is not a host name"));
    }
    Ok(())
}

/// The name is not valid for a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSubject(&'static str);

impl fmt::Display for InvalidSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidSubject {}
