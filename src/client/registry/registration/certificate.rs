//! The certificate members of a registration (RFC 8705 §2.1.2).

use super::Reason;
use crate::{
    client::{
        AuthMethod,
        certificate::{CertificateSubject, x5c_matches},
        registry::Client,
    },
    jose::Keys,
};

const SUBJECT_DN: &str = "tls_client_auth_subject_dn";

/// The members about the subject of a certificate. `tls_client_auth` needs exactly one.
pub(super) struct CertificateMembers {
    pub(super) subject_dn: Option<String>,
    pub(super) subject_dn_in_either_order: Option<bool>,
    pub(super) san_dns: Option<String>,
    pub(super) san_uri: Option<String>,
    pub(super) san_ip: Option<String>,
    pub(super) san_email: Option<String>,
}

impl CertificateMembers {
    pub(super) fn register(self, client: &mut Client) -> Result<(), Reason> {
        let subjects = [
            self.subject_dn
                .map(|name| CertificateSubject::subject_dn(&name)),
            self.san_dns.map(|name| CertificateSubject::san_dns(&name)),
            self.san_uri.map(|name| CertificateSubject::san_uri(&name)),
            self.san_ip.map(|name| CertificateSubject::san_ip(&name)),
            self.san_email
                .map(|name| CertificateSubject::san_email(&name)),
        ];
        let mut subjects = subjects.into_iter().flatten();
        let subject = subjects.next();
        if subjects.next().is_some() {
            return Err("the subject of the certificate is given in two ways".into());
        }
        client.certificate_subject = subject.transpose().map_err(|error| error.to_string())?;
        if self.subject_dn_in_either_order == Some(true) {
            let subject = client.certificate_subject.take();
            let name = subject.filter(|subject| subject.parameter() == SUBJECT_DN);
            let name = name.ok_or(
                "tls_client_auth_subject_dn_in_either_order needs tls_client_auth_subject_dn",
            )?;
            client.certificate_subject = Some(name.in_either_order());
        }

        let has = |method| client.token_endpoint_auth_methods.contains(&method);
        if has(AuthMethod::TlsClientAuth) && client.certificate_subject.is_none() {
            return Err("tls_client_auth needs the subject of the certificate".into());
        }
        // Only this method uses the certificates of keys.
        let by_certificate = has(AuthMethod::SelfSignedTlsClientAuth);
        if let (true, Some(Keys::Set(keys))) = (by_certificate, &client.keys) {
            if !keys.iter().all(x5c_matches) {
                return Err("the key of the certificate in x5c is not the key of the JWK".into());
            }
        }
        Ok(())
    }
}
