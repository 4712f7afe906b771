//! Tells issuers about orders, so that they end the refresh tokens that they keep.
//!
//! An order about a subject revokes what was issued until now. **A refresh token that lives at the
//! authorization server mints the next token, which is live.** So somebody has to tell that server:
//!
//! * [`Keycloak`] ends the sessions of a subject at Keycloak.
//! * [`Webhook`] sends a signed notice to a receiver of your own.
//!
//! Both are a `tower::Service` of a [`Notice`]. They try once.
//!
//! Orders about a session, a grant or a token need no notice: they are for ever, so what a refresh
//! token of theirs mints is refused too.

mod error;
mod keycloak;
mod notice;
mod server;
mod webhook;

pub use error::{NotifyError, NotifyErrorKind};
pub use keycloak::Keycloak;
pub use notice::Notice;
pub use webhook::Webhook;
