//! What the authenticator supports, for the metadata.

use super::ClientAuthenticator;
use crate::client::{AuthMethod, SupportedMethods};

impl<L> SupportedMethods for ClientAuthenticator<L> {
    fn auth_methods_supported(&self) -> Vec<AuthMethod> {
        let verified = |method: &AuthMethod| match method {
            AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost | AuthMethod::None => true,
            #[cfg(feature = "jwt")]
            AuthMethod::PrivateKeyJwt | AuthMethod::ClientSecretJwt => self
                .assertions
                .as_ref()
                .is_some_and(|assertions| assertions.verifies(*method)),
            #[cfg(feature = "mtls")]
            AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTlsClientAuth => self.certificates,
            #[cfg(feature = "attestation")]
            AuthMethod::AttestJwtClientAuth => self.attestations.is_some(),
            #[cfg(not(all(feature = "mtls", feature = "attestation")))]
            _ => false,
        };
        AuthMethod::ALL.iter().copied().filter(verified).collect()
    }

    #[cfg(feature = "jwt")]
    fn signing_algs_supported(&self) -> Vec<&'static str> {
        let assertions = self.assertions.as_ref();
        assertions.map_or_else(Vec::new, |assertions| assertions.signing_algs())
    }

    #[cfg(feature = "jwt")]
    fn expected_issuer(&self) -> Option<&str> {
        let assertions = self.assertions.as_ref();
        let issuer = assertions.map(|assertions| assertions.issuer());
        #[cfg(feature = "attestation")]
        let issuer = issuer.or_else(|| {
            let attestations = self.attestations.as_ref();
            attestations.map(|attestations| attestations.issuer())
        });
        issuer
    }

    #[cfg(feature = "attestation")]
    fn attestation_algs_supported(&self) -> [Vec<&'static str>; 2] {
        let attestations = self.attestations.as_ref();
        attestations.map_or_else(Default::default, |attestations| attestations.signing_algs())
    }
}
