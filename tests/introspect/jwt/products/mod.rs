//! The access tokens of products, and the tokens that must not be confused with them.

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

/// The issuer of a product, and the introspection of its tokens.
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

    /// Introspects a token of this issuer with these claims, issued now.
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
