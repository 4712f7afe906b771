//! Reads the registration of a client (RFC 7591 §2, §3.2.1).

/// A value of the wrong type may be a misplaced secret, and serde would print it.
macro_rules! refuse_without_printing {
    ($($visit:ident($type:ty) = $name:literal),*) => {$(
        fn $visit<E: serde::de::Error>(self, _: $type) -> Result<Self::Value, E> {
            Err(E::invalid_type(serde::de::Unexpected::Other($name), &self))
        }
    )*};
    (numbers) => {
        refuse_without_printing! {
            visit_u64(u64) = "number", visit_i64(i64) = "number", visit_f64(f64) = "number"
        }
    };
    (scalars) => {
        refuse_without_printing! { numbers }
        refuse_without_printing! { visit_str(&str) = "string" }
    };
}

#[cfg(feature = "mtls")]
mod certificate;
mod document;
#[cfg(feature = "jwt")]
mod keys;
mod secrets;

use std::borrow::Cow;

use serde::Deserialize;

use super::{BasicDecoding, Client};
use crate::client::AuthMethod;
#[cfg(feature = "jwt")]
use crate::jose::KeySet;
#[cfg(feature = "mtls")]
use certificate::CertificateMembers;
pub(super) use document::read;
#[cfg(feature = "jwt")]
use keys::KeyMembers;
use secrets::{SecretMembers, Secrets, Text, at_most_two};

/// Why a client is refused. It never contains a secret.
type Reason = Cow<'static, str>;

#[derive(Deserialize)]
struct Registration {
    client_id: String,
    client_secret: Option<Text>,
    client_secret_sha256: Option<Text>,
    client_secret_hmac_sha256: Option<Text>,
    #[cfg(feature = "password-hashes")]
    client_secret_hash: Option<Text>,
    client_secret_expires_at: Option<u64>,
    client_secrets: Option<Secrets>,
    token_endpoint_auth_method: Option<String>,
    token_endpoint_auth_methods: Option<Vec<String>>,
    // `#[serde(flatten)]` would lose the position of errors.
    #[cfg(feature = "jwt")]
    token_endpoint_auth_signing_alg: Option<String>,
    #[cfg(feature = "jwt")]
    token_endpoint_auth_signing_algs: Option<Vec<String>>,
    #[cfg(feature = "jwt")]
    jwks: Option<KeySet>,
    #[cfg(feature = "jwt")]
    jwks_uri: Option<String>,
    #[cfg(feature = "mtls")]
    tls_client_auth_subject_dn: Option<String>,
    #[cfg(feature = "mtls")]
    tls_client_auth_subject_dn_in_either_order: Option<bool>,
    #[cfg(feature = "mtls")]
    tls_client_auth_san_dns: Option<String>,
    #[cfg(feature = "mtls")]
    tls_client_auth_san_uri: Option<String>,
    #[cfg(feature = "mtls")]
    tls_client_auth_san_ip: Option<String>,
    #[cfg(feature = "mtls")]
    tls_client_auth_san_email: Option<String>,
    basic_decoding: Option<Decoding>,
    disabled: Option<bool>,
    issuers: Option<Vec<String>>,
    redirect_uris: Option<Vec<String>>,
    grant_types: Option<Vec<String>>,
    scope: Option<String>,
    client_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decoding {
    Form,
    Raw,
    FormThenRaw,
}

impl Registration {
    fn client(self) -> Result<Client, Reason> {
        if self.client_id.is_empty() {
            return Err("client_id is empty".into());
        }
        let methods = methods(
            self.token_endpoint_auth_method,
            self.token_endpoint_auth_methods,
        )?;
        let beside = SecretMembers {
            plain: self.client_secret,
            sha256: self.client_secret_sha256,
            hmac_sha256: self.client_secret_hmac_sha256,
            #[cfg(feature = "password-hashes")]
            hash: self.client_secret_hash,
            expires_at: self.client_secret_expires_at,
        }
        .secret()?;
        let secrets = beside.into_iter().chain(
            self.client_secrets
                .into_iter()
                .flat_map(|secrets| secrets.0),
        );

        let mut client = Client::new(self.client_id, AuthMethod::None);
        client.secrets = at_most_two(secrets)?;
        let has_secret = client.secrets.iter().any(Option::is_some);
        if has_secret && methods.contains(&AuthMethod::None) {
            return Err("a public client (`none`) must not have a secret".into());
        }
        if !has_secret && methods.iter().any(|method| needs_secret(*method)) {
            return Err("a confidential client needs a secret".into());
        }
        client.token_endpoint_auth_methods = methods;
        #[cfg(feature = "jwt")]
        KeyMembers {
            signing_alg: self.token_endpoint_auth_signing_alg,
            signing_algs: self.token_endpoint_auth_signing_algs,
            jwks: self.jwks,
            jwks_uri: self.jwks_uri,
        }
        .register(&mut client)?;
        #[cfg(feature = "mtls")]
        CertificateMembers {
            subject_dn: self.tls_client_auth_subject_dn,
            subject_dn_in_either_order: self.tls_client_auth_subject_dn_in_either_order,
            san_dns: self.tls_client_auth_san_dns,
            san_uri: self.tls_client_auth_san_uri,
            san_ip: self.tls_client_auth_san_ip,
            san_email: self.tls_client_auth_san_email,
        }
        .register(&mut client)?;
        client.basic_decoding = match self.basic_decoding {
            None | Some(Decoding::Form) => BasicDecoding::Form,
            Some(Decoding::Raw) => BasicDecoding::Raw,
            Some(Decoding::FormThenRaw) => BasicDecoding::FormThenRaw,
        };
        client.disabled = self.disabled.unwrap_or_default();
        client.issuers = self.issuers.unwrap_or_default();
        client.redirect_uris = self.redirect_uris.unwrap_or_default();
        if let Some(grant_types) = self.grant_types {
            client.grant_types = grant_types;
        }
        client.scope = self.scope;
        client.name = self.client_name;
        Ok(client)
    }
}

/// The accepted methods. Unknown methods are dropped, because they admit no client.
fn methods(one: Option<String>, list: Option<Vec<String>>) -> Result<Vec<AuthMethod>, Reason> {
    let names = match (one, list) {
        // RFC 7591 §2
        (None, None) => return Ok(vec![AuthMethod::ClientSecretBasic]),
        (Some(one), None) => vec![one],
        (None, Some(list)) => list,
        (Some(one), Some(list)) if list.contains(&one) => list,
        (Some(_), Some(_)) => {
            return Err(
                "token_endpoint_auth_method is not among token_endpoint_auth_methods".into(),
            );
        }
    };
    if names.is_empty() {
        return Err("token_endpoint_auth_methods is empty".into());
    }
    if names.len() > 1 && names.iter().any(|name| name == AuthMethod::None.as_str()) {
        return Err("`none` must be the only authentication method".into());
    }
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

fn needs_secret(method: AuthMethod) -> bool {
    matches!(
        method,
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost | AuthMethod::ClientSecretJwt
    )
}
