//! Revocation calls of other systems, so that a client that was written for one of them can call this
//! server unchanged.
//!
//! A [`Profile`] translates the call of a system into a strict request of RFC 7009, and the result into
//! the response that clients of the system expect. [`ProfileLayer`] puts it on a path of its own, in
//! front of an [`Endpoint`](crate::Endpoint):
//!
//! ```
//! use std::sync::Arc;
//! use tower::{Layer, service_fn};
//! # use bytes::Bytes;
//! # use http_body_util::Empty;
//! # use hyper::{Request, Response};
//! # use tower::BoxError;
//! use tower_revocation::{
//!     RevocationLayer, Secret,
//!     client::registry::{ClientAuthenticator, Registry},
//!     introspect::Introspection,
//!     log::MemoryLog,
//!     profiles::{Kustvakt, ProfileLayer},
//!     revoke::RecordRevocation,
//! };
//!
//! let introspect = service_fn(async |_: Secret| Ok::<_, BoxError>(None::<Introspection>));
//! let clients = ClientAuthenticator::new(Registry::default());
//! let backend = RecordRevocation::new(introspect, MemoryLog::new()).responsible_for_all_tokens(true);
//! let revocation = RevocationLayer::new("/oauth2/revoke", clients, backend);
//!
//! let endpoint = revocation.clone().into_endpoint();
//! let profile = ProfileLayer::new("/api/v1.0/oauth2/revoke", Kustvakt::new(), endpoint);
//!
//! # let app = service_fn(async |_: Request<Empty<Bytes>>| Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new())));
//! let app = profile.layer(revocation.layer(app));
//! # let _ = app;
//! ```
//!
//! | profile | what it revokes besides the token |
//! |---|---|
//! | [`Connect2id`] | all tokens of the client for the subject |
//! | [`Wso2`], [`Okta`], [`BoxPlatform`], [`Kustvakt`] | what the backend is configured to |
//! | [`Auth0`], [`PingAm`] | the grant of a refresh token |
//! | [`Cognito`], [`CognitoApi`] | the same, and refuses access tokens |
//! | [`Square`], [`GitHub`] | all tokens of the client for the subject, or nothing, as the call says |
//! | [`Apigee`] | the grant or nothing, as the call says; or all tokens for a user, until a time |
//! | [`Salesforce`] | what the backend is configured to; there is no client |
//! | [`Vault`] | all descendants of the token; the caller's own token says what it may revoke |
//!
//! The documentation of each is a transcript, which the tests run.
//!
//! # What no profile changes
//!
//! * The client is authenticated first, if the system has clients, and a token of another client is not
//!   revoked.
//! * A success means that the revocation is durable.
//! * Every response has `Cache-Control: no-store`.
//! * If the state of the token is unknown, or the log cannot be written, the status is 503 with
//!   `Retry-After`, whatever the original system responds.
//! * Secrets and tokens are never part of a log, an error or a response. They are never accepted in a
//!   query, except for JSONP, which is off unless it is
//!   [dangerously allowed](Salesforce::dangerously_allow_jsonp).
//!
//! A profile has no default path and is not part of any metadata.
//!
//! A call of [`Square`] or [`Apigee`] that names a user or a merchant instead of a token needs a backend
//! that accepts [client orders](crate::revoke::RecordRevocation::client_orders_within).

mod answer;
mod apigee;
mod auth0;
mod box_platform;
mod call;
mod cognito;
mod connect2id;
mod exchange;
mod github;
mod holder;
mod kustvakt;
mod layer;
mod observe;
mod okta;
mod parameters;
mod ping_am;
mod possession;
mod profile;
mod request;
mod salesforce;
mod service;
mod square;
mod vault;
mod wso2;

pub use self::{
    answer::Answer,
    apigee::Apigee,
    auth0::Auth0,
    box_platform::BoxPlatform,
    call::Call,
    cognito::{Cognito, CognitoApi},
    connect2id::Connect2id,
    github::GitHub,
    kustvakt::Kustvakt,
    layer::ProfileLayer,
    okta::Okta,
    parameters::Parameters,
    ping_am::PingAm,
    possession::Possession,
    profile::Profile,
    request::ProfileRequest,
    salesforce::Salesforce,
    service::{ProfileFuture, ProfileService},
    square::Square,
    vault::Vault,
    wso2::Wso2,
};
