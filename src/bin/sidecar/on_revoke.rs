//! Who is told about the orders of which issuer.

use tower_revocation::{
    Secret,
    notify::{Keycloak, NotifyError, Recipients, Webhook},
};

use crate::{
    config::{Config, Issuer, OnRevoke, Problem, Problems},
    failure::causes,
    files::Files,
};

/// Reads the files of `on_revoke`. It asks no server.
pub(crate) fn recipients(config: &Config, files: &mut Files) -> Result<Recipients, Problems> {
    let mut found = Problems::default();
    let mut recipients = Recipients::new();
    for (number, issuer) in config.issuers.iter().enumerate() {
        let Some(on_revoke) = &issuer.on_revoke else {
            continue;
        };
        let key = format!("issuer[{number}].on_revoke");
        match found.or_note(Recipient::new(&key, issuer, on_revoke, files)) {
            Some(Recipient::Keycloak(keycloak)) => {
                recipients = recipients.keycloak(&issuer.url, keycloak);
            }
            Some(Recipient::Webhook(webhook)) => {
                recipients = recipients.webhook(&issuer.url, webhook);
            }
            None => {}
        }
    }
    found.none_in(Some(recipients))
}

enum Recipient {
    Keycloak(Keycloak),
    Webhook(Webhook),
}

impl Recipient {
    fn new(
        key: &str,
        issuer: &Issuer,
        on_revoke: &OnRevoke,
        files: &mut Files,
    ) -> Result<Self, Problem> {
        match on_revoke {
            OnRevoke::Keycloak {
                url,
                client_id,
                secret_file,
            } => {
                let secret = files.secret(&format!("{key}.keycloak.secret_file"), secret_file)?;
                let keycloak = if issuer.insecure {
                    Keycloak::plain_http(url, client_id, &secret)
                } else {
                    Keycloak::new(url, client_id, &secret)
                };
                let wrong = |error: NotifyError| {
                    Problem::new(format!("{key}.keycloak.url"), causes(&error))
                };
                keycloak.map(Self::Keycloak).map_err(wrong)
            }
            OnRevoke::Webhook { url, secret_file } => {
                let text = files.secret(&format!("{key}.webhook.secret_file"), secret_file)?;
                // A line for each key.
                let keys: Vec<_> = text.expose().lines().map(Secret::new).collect();
                let webhook = if issuer.insecure {
                    Webhook::plain_http(url, &keys)
                } else {
                    Webhook::new(url, &keys)
                };
                let wrong =
                    |error: NotifyError| Problem::new(format!("{key}.webhook"), causes(&error));
                webhook.map(Self::Webhook).map_err(wrong)
            }
        }
    }
}
