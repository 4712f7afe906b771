//! `on_revoke` of an issuer: who ends its refresh tokens.

use std::path::PathBuf;

use serde::Deserialize;

use super::{issuer, problem::Problem};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    keycloak: Option<KeycloakSection>,
    webhook: Option<WebhookSection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeycloakSection {
    url: Option<String>,
    client_id: Option<String>,
    secret_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookSection {
    url: Option<String>,
    secret_file: Option<PathBuf>,
}

/// Who is told about the orders of an issuer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OnRevoke {
    /// Keycloak, at the URL of the realm.
    Keycloak {
        url: String,
        client_id: String,
        secret_file: PathBuf,
    },
    /// A receiver, with the keys in a file.
    Webhook { url: String, secret_file: PathBuf },
}

impl OnRevoke {
    /// `issuer` is the URL of the issuer, if that is right.
    pub(super) fn new(
        at: &str,
        section: Section,
        issuer: Option<&str>,
        insecure: bool,
    ) -> Result<Self, Problem> {
        match (section.keycloak, section.webhook) {
            (Some(keycloak), None) => {
                Self::keycloak(&format!("{at}.keycloak"), keycloak, issuer, insecure)
            }
            (None, Some(webhook)) => Self::webhook(&format!("{at}.webhook"), webhook, insecure),
            _ => Err(Problem::new(at, "set either `keycloak` or `webhook`")),
        }
    }

    fn keycloak(
        at: &str,
        section: KeycloakSection,
        issuer: Option<&str>,
        insecure: bool,
    ) -> Result<Self, Problem> {
        let key = |part: &str| format!("{at}.{part}");
        let client_id = section
            .client_id
            .filter(|id| !id.is_empty())
            .ok_or_else(|| Problem::missing(key("client_id"), "\"revocation\""))?;
        let secret_file = section
            .secret_file
            .ok_or_else(|| Problem::missing(key("secret_file"), "\"/run/secrets/keycloak\""))?;
        if let Some(url) = &section.url {
            issuer::check(&key("url"), url, insecure)?;
        }
        let url = section.url.as_deref().or(issuer).unwrap_or_default();
        Ok(Self::Keycloak {
            url: url.to_owned(),
            client_id,
            secret_file,
        })
    }

    fn webhook(at: &str, section: WebhookSection, insecure: bool) -> Result<Self, Problem> {
        let key = |part: &str| format!("{at}.{part}");
        let url = section
            .url
            .ok_or_else(|| Problem::missing(key("url"), "\"https://hooks.example.com/revoked\""))?;
        issuer::check(&key("url"), &url, insecure)?;
        let secret_file = section
            .secret_file
            .ok_or_else(|| Problem::missing(key("secret_file"), "\"/run/secrets/webhook\""))?;
        Ok(Self::Webhook { url, secret_file })
    }
}
