//! Are the keys of the issuers fetched?

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use tower::ServiceExt as _;
use tower_revocation::{Secret, introspect::jwt::JwtTokens};

use crate::{failure::causes, health::Health};

/// How often to look once all keys are there. That fetches nothing while they are fresh.
const PERIOD: Duration = Duration::from_secs(10);
/// How often to try while some are missing.
const RETRY: Duration = Duration::from_secs(1);

/// Looks after the keys, and says whose are missing. Never ends.
pub(crate) async fn watch(issuers: Vec<(String, JwtTokens)>, health: Health) {
    let mut told = BTreeMap::new();
    loop {
        let mut missing = BTreeMap::new();
        for (issuer, tokens) in &issuers {
            if let Err(error) = tokens.clone().oneshot(question(issuer)).await {
                missing.insert(issuer.clone(), causes(&error));
            }
        }
        let pause = if missing.is_empty() { PERIOD } else { RETRY };
        tell(&told, &missing);
        told.clone_from(&missing);
        health.without_keys(missing);
        tokio::time::sleep(pause).await;
    }
}

/// An issuer whose keys are missing is a line, and so is their return.
fn tell(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) {
    for (issuer, cause) in now {
        if !before.contains_key(issuer) {
            tracing::warn!(
                issuer,
                cause,
                "the keys of an issuer are missing: its tokens get 503"
            );
        }
    }
    for issuer in before.keys().filter(|issuer| !now.contains_key(*issuer)) {
        tracing::info!(issuer, "the keys of the issuer are there");
    }
}

/// A token that is certainly not one of the issuer. To say so takes its keys, whatever they are.
/// It is older than all of them, so it never makes anybody look for newer ones.
fn question(issuer: &str) -> Secret {
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let head = part(json!({ "alg": "ES256", "typ": "at+jwt" }));
    let claims = part(json!({ "iss": issuer, "iat": 0 }));
    let signature = URL_SAFE_NO_PAD.encode([1; 64]);
    Secret::from(format!("{head}.{claims}.{signature}"))
}
