//! The header fields of nginx: the certificate, and whether it was verified.

use hyper::HeaderMap;

use super::{MalformedCertificate, certificate, pem, single};
use crate::client::certificate::ClientCertificate;

/// The names of the two fields. A client can send the fields that the proxy does not set, so only
/// the configured pair is read.
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
    /// `assumed` is the setting of the layer: whether chains are verified.
    pub(super) fn read(
        &self,
        headers: &HeaderMap,
        assumed: Option<bool>,
    ) -> Result<Option<ClientCertificate>, MalformedCertificate> {
        // An empty field counts as missing.
        let single = |name| Ok(single(headers, name)?.filter(|value| !value.is_empty()));
        let verified = match single(self.verify)? {
            None => Verification::Missing,
            Some(b"SUCCESS") => Verification::Success,
            Some(b"NONE") => Verification::NoCertificate,
            Some(b"FAILED") => Verification::Failed,
            Some(value) if value.starts_with(b"FAILED:") => Verification::Failed,
            Some(_) => {
                return Err(MalformedCertificate(
                    "the verify field is neither SUCCESS, FAILED nor NONE",
                ));
            }
        };
        let verified = match (verified, single(self.cert)?) {
            (Verification::NoCertificate | Verification::Missing, None) => return Ok(None),
            (Verification::NoCertificate, Some(_))
            | (Verification::Success | Verification::Failed, None) => {
                return Err(MalformedCertificate(
                    "the verify field contradicts the certificate field",
                ));
            }
            (Verification::Success, Some(pem)) => (pem, assumed.unwrap_or(true)),
            (Verification::Failed, Some(pem)) => (pem, false),
            (Verification::Missing, Some(pem)) => (pem, assumed.unwrap_or(false)),
        };
        let (pem, verified) = verified;
        certificate(pem::one(pem)?, verified).map(Some)
    }
}

enum Verification {
    Success,
    Failed,
    NoCertificate,
    Missing,
}
