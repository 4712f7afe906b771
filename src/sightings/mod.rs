//! Sightings: which tokens were used here, when, and from where.
//!
//! A log of revocations has digests, so it cannot list the tokens of a user. [`SightingsLayer`] notes
//! each token with which a request passes, and [`Sightings`] lists those of a subject: for
//! administrators, and for users who want to end a session that they do not know. **A list has only
//! what was seen by this process since it was started**, never all tokens that there are. Say so where
//! you show it: [`Sightings::since`].
//!
//! ```
//! use hyper::{Request, Response, header};
//! use tower::{BoxError, Layer, ServiceExt, service_fn};
//! use tower_revocation::{
//!     Secret,
//!     enforce::{EnforcementLayer, Index},
//!     introspect::{Introspection, TokenKind},
//!     log::{MemoryLog, NumericDate, Selector},
//!     sightings::{Browser, Sightings, SightingsLayer, State},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let introspect = service_fn(async |_: Secret| {
//!     let mut token = Introspection::new(TokenKind::AccessToken, "shop");
//!     token.token = Some(Selector::token("https://as.example.com", "jti-1"));
//!     token.sub = Some("alice".into());
//!     token.iat = Some(NumericDate::now());
//!     Ok::<_, BoxError>(Some(token))
//! });
//! let api = service_fn(async |_: Request<String>| {
//!     Ok::<_, BoxError>(Response::new(String::new()))
//! });
//! let index = Index::follow(&MemoryLog::new()).await?;
//! let sightings = Sightings::new();
//! let noting = SightingsLayer::new(sightings.clone());
//! let service = EnforcementLayer::new(introspect, index.clone()).layer(noting.layer(api));
//!
//! let request = Request::get("/")
//!     .header(header::AUTHORIZATION, "Bearer mF_9.B5f-4.1JqM")
//!     .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0");
//! service.oneshot(request.body(String::new())?).await?;
//!
//! let [seen] = &sightings.of_subject(None, "alice")[..] else { panic!("one token") };
//! assert_eq!((&*seen.client_id, seen.browser), ("shop", Browser::Firefox));
//! assert_eq!(seen.state(&index), State::Live);
//! # Ok(())
//! # }
//! ```
//!
//! # What is kept
//!
//! In memory, and nowhere else: the digests that name the token, its session, its grant, the grants of
//! its ancestors and the keys that it is bound to; the names
//! of the subject, the client, the issuer and the tenant; when it was issued and when it expires; its
//! first and last use; the family of the browser; and the network of the client, of which the last
//! eight bits of an IPv4 address are cut, and the last 80 bits of an IPv6 address. **No token, no
//! whole address and no `User-Agent` is kept.** Tell your users.
//!
//! A sighting is removed when its token expires, and when the token was not used for
//! [a time](Sightings::idle_after).
//!
//! # What is not noted
//!
//! * Tokens without a subject, and tokens that have neither a selector of their own nor a session nor
//!   a grant.
//! * Tokens beyond the [capacity](Sightings::capacity), if their subject has no sighting that could
//!   make room. A subject that has [as many as it can](Sightings::per_subject) loses the one that was
//!   not used for the longest time. So a subject can use up only its own share.
//! * Tokens with a name of more than 255 bytes.
//! * A new token, if another thread is changing the same part of the table at this moment. No request
//!   waits for another one. The next request with the token notes it.
//!
//! [`Sightings::dropped`] counts the tokens of this list, except those of its first item. With the feature `metrics`,
//! `tower_revocation_sightings_dropped_total` counts them by `reason` (`full`, `subject`, `name`,
//! `busy`), and `tower_revocation_sightings` is the number of sightings.

mod all;
mod browser;
mod ended;
mod layer;
mod network;
mod observe;
mod row;
mod service;
mod shard;
mod sighting;
mod sweeper;
mod table;
mod visit;

pub use self::{
    all::Sightings,
    browser::Browser,
    layer::SightingsLayer,
    network::CutAddress,
    observe::Dropped,
    service::SightingsService,
    sighting::{Sighting, State},
};
