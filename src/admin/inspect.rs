//! `POST /v1/tokens:inspect`.

use std::{error::Error, iter::successors};

use hyper::{Response, StatusCode, body::Body, http::request::Parts};
use tower::{BoxError, Service, ServiceExt as _};

use super::{
    AdminBody, Caller, InspectedClaims, InspectedSelector, Inspection, InspectionOrder, Role,
    observe,
    problem::Refusal,
    request::{self, no_query},
    response::{json, unavailable},
    service::Shared,
};
use crate::{
    enforce::{Freshness, Index},
    introspect::{Introspected, Introspection, TokenKind},
    log::{NumericDate, RevocationLog},
    token::Secret,
};

impl<L: RevocationLog + Clone + Send + Sync + 'static> Shared<L> {
    pub(super) async fn inspect<I, B>(
        &self,
        introspect: I,
        caller: &Caller,
        head: &Parts,
        body: B,
    ) -> Result<Response<AdminBody>, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>>,
        I::Error: Into<BoxError>,
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        caller.needs(Role::Operator)?;
        no_query(head)?;
        let InspectionOrder { token } = request::document(&head.headers, body).await?;
        let introspected = introspect.oneshot(token).await.map_err(|error| {
            let error = error.into();
            match unavailable(&*error) {
                Refusal::Unavailable(seconds) if self.tells_causes => Refusal::Failed {
                    seconds,
                    cause: causes(&*error),
                },
                refusal => refusal,
            }
        });
        let introspected = introspected?.into();
        let inspection = inspection(&introspected, &self.index);
        observe::inspected(caller.name(), &inspection.verdict);
        Ok(json(StatusCode::OK, &inspection))
    }
}

/// What is told about a token.
fn inspection(introspected: &Introspected, index: &Index) -> Inspection {
    let Some(token) = introspected.token() else {
        let reason = introspected.reason();
        return Inspection {
            verdict: "invalid".to_owned(),
            reason: reason.map(|reason| reason.as_str().to_owned()),
            revoked_by: None,
            claims: None,
            selectors: Vec::new(),
        };
    };
    // First: the records are then at least as new as this.
    let freshness = index.freshness();
    let revoked_by = index.revoked_by(token);
    let now = NumericDate::now();
    let is_later = |date: Option<NumericDate>| date.is_some_and(|date| date > now);
    let verdict = if token.revoked || revoked_by.is_some() {
        "revoked"
    } else if token.is_too_old(now) {
        "too_old"
    } else if token.is_expired(now) {
        "expired"
    } else if token.rotated {
        "rotated"
    } else if is_later(token.nbf) {
        "not_yet"
    } else if freshness == Freshness::Fresh && index.is_live(token, now) {
        "live"
    } else {
        "unknown"
    };
    let selectors = token.selectors().map(|selector| InspectedSelector {
        class: selector.class().as_str().to_owned(),
        revoked: index.covers_selector(&selector, token.iat),
    });
    Inspection {
        verdict: verdict.to_owned(),
        reason: None,
        revoked_by: revoked_by.map(|class| class.as_str().to_owned()),
        claims: Some(claims(token)),
        selectors: selectors.collect(),
    }
}

fn claims(token: &Introspection) -> InspectedClaims {
    let kind = match token.kind {
        TokenKind::AccessToken => "access_token",
        TokenKind::RefreshToken => "refresh_token",
    };
    let date = |date: Option<NumericDate>| date.map(NumericDate::seconds);
    InspectedClaims {
        kind: kind.to_owned(),
        iss: token.iss.clone(),
        client_id: token.client_id.clone(),
        sub: token.sub.clone(),
        aud: token.aud.clone(),
        jti: token.jti.clone(),
        grant: token.grant.clone(),
        sid: token.sid.clone(),
        scope: token.scope.as_ref().map(ToString::to_string),
        iat: date(token.iat),
        nbf: date(token.nbf),
        exp: date(match token.stated_exp {
            // The other one is ours.
            Some(stated) => Some(stated).filter(|it| *it < NumericDate::FOREVER),
            None => token.exp,
        }),
    }
}

/// The longest cause, in characters.
const MAX_CAUSE: usize = 512;

/// An error and its sources, in a limited length.
fn causes(error: &(dyn Error + 'static)) -> String {
    let chain = successors(Some(error), |&error| error.source());
    let chain: Vec<String> = chain.map(ToString::to_string).collect();
    chain.join(": ").chars().take(MAX_CAUSE).collect()
}

/// What is known of a token.
pub(super) async fn introspected<I>(introspect: I, token: Secret) -> Result<Introspected, Refusal>
where
    I: Service<Secret, Response: Into<Introspected>>,
    I::Error: Into<BoxError>,
{
    let introspected = introspect.oneshot(token).await;
    let introspected = introspected.map_err(|error| unavailable(&*error.into()))?;
    Ok(introspected.into())
}
