//! The one name by which a client's certificates are known (RFC 8705 §2.1.2).

use std::{fmt, net::IpAddr};

use super::{ClientCertificate, alternative::AlternativeName, name::DistinguishedName};

/// The subject that the certificates of a `tls_client_auth` client must have: one name, of one of
/// five kinds.
///
/// The client may change its certificate, as long as the new one has the name too. There is no
/// falling back from one kind to another: a `CN` is not a host.
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
    /// The distinguished name of the subject, as a string of RFC 4514.
    ///
    /// Names are compared by what they mean: attribute by attribute, by their types' OIDs; letters
    /// in any case, runs of spaces as one, whatever type of string the certificate has. The string
    /// begins with the last relative name of the certificate (RFC 4514 §2.1); see
    /// [`in_either_order`](Self::in_either_order). **Nothing is composed or decomposed**, and the
    /// values of types that are not known here are compared as they are written.
    ///
    /// A type is a dotted OID, also behind `OID.`, or a keyword: those of RFC 4514, and those that
    /// OpenSSL, Java, Windows and the profiles of open banking write, such as
    /// `organizationIdentifier` and `jurisdictionCountryName`, short or long, in any case.
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
    /// If it is not such a string, or has a type of attribute that is neither a known keyword nor a
    /// dotted OID.
    pub fn subject_dn(written: &str) -> Result<Self, InvalidSubject> {
        let name = DistinguishedName::parse(written).map_err(InvalidSubject)?;
        Ok(Self::new(Kind::SubjectDn(name), written))
    }

    /// Accepts a distinguished name that is written in the order of the certificate too.
    ///
    /// `openssl x509 -subject` prints that order unless it is told otherwise. **A certificate whose
    /// names stand the other way round then passes for this one**, which RFC 5280 §7.1 calls
    /// another subject: make sure that your authorities issue no such pair. It changes nothing
    /// about names of other kinds.
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

    /// A host among the alternative names, an internationalised one in A-labels.
    ///
    /// **Letters are compared in any case, and a wildcard in a certificate is no host.**
    ///
    /// # Errors
    ///
    /// If it is not a host's name, has a wildcard, or ends with a dot.
    pub fn san_dns(written: &str) -> Result<Self, InvalidSubject> {
        check_host(written)?;
        Ok(Self::new(Kind::SanDns, written))
    }

    /// A URI among the alternative names. **Compared character by character, with no
    /// normalisation.**
    ///
    /// # Errors
    ///
    /// If it has no scheme, or other than visible ASCII characters.
    pub fn san_uri(written: &str) -> Result<Self, InvalidSubject> {
        let scheme = written.split_once(':').map_or("", |(scheme, _)| scheme);
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !is_scheme || !written.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidSubject(
                "a URI has a scheme, and visible ASCII characters alone",
            ));
        }
        Ok(Self::new(Kind::SanUri, written))
    }

    /// An IP address among the alternative names.
    ///
    /// **Compared byte by byte**: `::ffff:192.0.2.1` is not `192.0.2.1`.
    ///
    /// # Errors
    ///
    /// If it is no address.
    pub fn san_ip(written: &str) -> Result<Self, InvalidSubject> {
        let address = written
            .parse()
            .map_err(|_| InvalidSubject("this is no IP address"))?;
        Ok(Self::new(Kind::SanIp(address), written))
    }

    /// A mail address among the alternative names.
    ///
    /// **The part before the `@` is compared character by character, the host in any case.**
    ///
    /// # Errors
    ///
    /// If it is no address in ASCII.
    pub fn san_email(written: &str) -> Result<Self, InvalidSubject> {
        let (local, host) = split_email(written).ok_or(InvalidSubject("an address has an `@`"))?;
        if local.is_empty() || !local.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidSubject(
                "before the `@` of an address are visible ASCII characters",
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
    /// **Anybody can write any name into a certificate**: ask
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

    /// The parameter of a registration that this name stands in (RFC 8705 §2.1.2).
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

    /// The name as it was registered.
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

/// A mailbox and its host. The mailbox may have an `@` of its own, in quotes.
fn split_email(address: &str) -> Option<(&str, &str)> {
    address.rsplit_once('@')
}

/// Labels of letters, digits, hyphens and underscores (RFC 1123 §2.1, and what is met).
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
            "a host has labels of ASCII letters, digits and hyphens, no wildcard and no last dot",
        ));
    }
    if host
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return Err(InvalidSubject("an address is no host"));
    }
    Ok(())
}

/// A client cannot be registered by this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSubject(&'static str);

impl fmt::Display for InvalidSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidSubject {}
