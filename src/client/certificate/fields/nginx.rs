//! What nginx knows of a certificate: itself, and whether it was verified.

use hyper::HeaderMap;

use super::{MalformedCertificate, certificate, pem, single};
use crate::client::certificate::ClientCertificate;

/// The names of the two fields. Those that the proxy does not set are its client's to write, so
/// one pair is never read for the other.
pub(super) struct Fields {
    /// `$ssl_client_escaped_cert`
    pub(super) cert: &'static str,
    /// `$ssl_client_verify`
    pub(super) verify: &'static str,
}

pub(super) const X_SSL: Fields = Fields {
    cert: "x-ssl-client-cert",
    verify: "x-ssl-client-verify",
};

pub(super) const SSL: Fields = Fields {
    cert: "ssl-client-cert",
    verify: "ssl-client-verify",
};

impl Fields {
    /// `assumed` is what the layer was told: that chains are verified, or not.
    pub(super) fn read(
        &self,
        headers: &HeaderMap,
        assumed: Option<bool>,
    ) -> Result<Option<ClientCertificate>, MalformedCertificate> {
        // A field that is set to nothing is not there.
        let single = |name| Ok(single(headers, name)?.filter(|value| !value.is_empty()));
        let verified = match single(self.verify)? {
            None => Verdict::Unsaid,
            Some(b"SUCCESS") => Verdict::Success,
            Some(b"NONE") => Verdict::NoCertificate,
            Some(b"FAILED") => Verdict::Failed,
            Some(value) if value.starts_with(b"FAILED:") => Verdict::Failed,
            Some(_) => {
                return Err(MalformedCertificate(
                    "the verify field is none of SUCCESS, FAILED and NONE",
                ));
            }
        };
        let verified = match (verified, single(self.cert)?) {
            (Verdict::NoCertificate | Verdict::Unsaid, None) => return Ok(None),
            (Verdict::NoCertificate, Some(_)) | (Verdict::Success | Verdict::Failed, None) => {
                return Err(MalformedCertificate(
                    "the verify field is about another certificate, or about none",
                ));
            }
            (Verdict::Success, Some(pem)) => (pem, assumed.unwrap_or(true)),
            (Verdict::Failed, Some(pem)) => (pem, false),
            (Verdict::Unsaid, Some(pem)) => (pem, assumed.unwrap_or(false)),
        };
        let (pem, verified) = verified;
        certificate(pem::one(pem)?, verified).map(Some)
    }
}

enum Verdict {
    Success,
    Failed,
    NoCertificate,
    Unsaid,
}
