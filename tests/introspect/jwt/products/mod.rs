//! What products write: one access token each, and what it must not be confused with.

mod auth0;
mod cognito;
mod entra;
mod keycloak;
mod okta;
mod wso2;

use serde_json::{Value, json};
use tower_revocation::{
    introspect::{
        Introspection,
        jwt::{Audience, Dialect, JwtTokens},
    },
    log::SelectorClass,
};

use crate::jwt::fixture::{KEY, ask, now, with};

/// A product's issuer, and how its tokens are read.
struct Product {
    tokens: JwtTokens,
    issuer: &'static str,
    header: Value,
}

impl Product {
    fn new(dialect: Dialect, issuer: &'static str, audience: Audience, header: &Value) -> Self {
        let tokens = JwtTokens::new(issuer, KEY.set(), audience).dialect(dialect);
        let header = with(json!({ "alg": "ES256", "kid": "k1" }), header);
        Self {
            tokens,
            issuer,
            header,
        }
    }

    /// Reads claims of this issuer that were made now.
    async fn reads(&self, claims: &Value) -> Option<Introspection> {
        self.reads_with(&self.header, claims).await
    }

    async fn reads_with(&self, header: &Value, claims: &Value) -> Option<Introspection> {
        let times = json!({ "iss": self.issuer, "iat": now(), "exp": now() + 300 });
        let token = KEY.sign(header, &with(times, claims));
        ask(&self.tokens, &token).await
    }
}

fn api() -> Audience {
    Audience::any_of(["https://api.example.com"])
}

fn classes(token: &Introspection) -> Vec<SelectorClass> {
    token.selectors().map(|selector| selector.class()).collect()
}
