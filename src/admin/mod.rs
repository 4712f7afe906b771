//! Orders of operators over HTTP: to revoke without a token in hand, to inspect a token, and to see
//! the status.
//!
//! | Call | Role | Response |
//! |---|---|---|
//! | `POST /v1/revocations` with a [`RevocationOrder`] | [`Operator`](Role::Operator); for a client or an issuer [`Security`](Role::Security) | 201 with a [`Receipt`] |
//! | the same with `?dry_run=true` | [`Viewer`](Role::Viewer) | 200 with a [`DryRun`]; nothing is revoked |
//! | `POST /v1/revocations:bulk` with a [`BulkOrder`] | as each order | 200 with [`BulkResults`] |
//! | the same with `?dry_run=true` | [`Viewer`](Role::Viewer) | 200 with [`BulkResults`]; nothing is revoked |
//! | `GET /v1/revocations` | [`Viewer`](Role::Viewer) | 200 with a [`TrailPage`] |
//! | `GET /v1/revocations/{id}` | [`Viewer`](Role::Viewer) | 200 with a [`TrailEntry`] |
//! | `GET /v1/revocations:export` | [`Security`](Role::Security) | 200 with each [`TrailEntry`] on a line of JSON (`application/x-ndjson`), from new to old |
//! | `POST /v1/tokens:inspect` with an [`InspectionOrder`] | [`Operator`](Role::Operator) | 200 with an [`Inspection`] |
//! | `GET /v1/sightings?subject=…`, with `issuer`, `cursor` and `limit` | [`Viewer`](Role::Viewer) | 200 with a `SightingsPage`: needs the feature `sightings` |
//! | `GET /v1/status` | [`Viewer`](Role::Viewer) | 200 with a [`Status`] |
//! | `GET /v1/openapi.json` | [`Viewer`](Role::Viewer) | 200 with the description of these calls (`OpenAPI` 3.1) |
//!
//! [`AdminService`] is a `tower::Service`. Serve it on a Unix socket that only its owner can open
//! ([`Access::owner`]), or over TCP with tokens, client certificates or a proxy that names operators
//! ([`Access::operators`]).
//!
//! # Many orders
//!
//! A bulk order has at most 1,000 orders and 1 MiB. One append to the log carries out all of them.
//! Each has a result of its own, with the status that it would have had alone. The response is 503 if
//! the append failed, and 400 if the document is wrong anywhere.
//!
//! # The orders that are kept
//!
//! With a [`Trail`], every order that is carried out is kept, and its [`Receipt`] has an
//! [`id`](Receipt::id), which `Location` also names. Without one, no order is kept, and reading them
//! is 404.
//!
//! `GET /v1/revocations` has the orders from new to old. Its parameters, each of which can be left
//! out: `limit` (1 to 500, defaults to 50), `cursor` (the [`next`](TrailPage::next) of the page
//! before), `subject` and `actor` (only the orders about, or by, this one, **byte for byte**). A page
//! looks at 2,000 orders at most, so it can be empty and have a next one.
//!
//! An export is read from the journal while it is sent, 100 orders at a time. If it is cut, the
//! connection is closed without the end of the body.
//!
//! # Repetitions
//!
//! A request to revoke can have an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): 1 to
//! 255 printable ASCII characters. The draft wants them in quotes, and here the quotes can be left out:
//! `"k"` and `k` are the same key. A second request with the same key, by the same actor, gets the
//! answer of the first one, and revokes nothing. With another path or body it is 422. If the first one
//! was not completed, it is now, and reaches until the time of the first one. Keys are
//! kept as long as the orders. Without a [`Trail`], a request with a key is 400.
//!
//! A refused order is not kept, so its repetition is checked anew. Dry runs ignore the key.
//!
//! # Refresh tokens of the issuer
//!
//! An order about a subject, a client, a key or an issuer covers what was issued until now. A refresh
//! token that lives at the issuer mints the next token, which is live. [`Receipt::refresh_tokens`] says
//! what becomes of it: `untouched`, or `pending` if the feature `notify` tells the issuer
//! (`Trail::on_revoke`). [`TrailEntry::refresh_tokens`] says how far that is.
//!
//! # Errors
//!
//! Every error is a [`Problem`] (RFC 9457, `application/problem+json`). Nothing of the request is in
//! it. If it is unknown whether something is revoked, the status is 503 with `Retry-After`: repeat
//! the request, which does no harm.
//!
//! # Browsers
//!
//! No page of another origin can call it: a request needs a header or a media type that a browser
//! asks for first, and `OPTIONS` is refused. Besides, a request with an `Origin` that is not its own
//! `Host`, or with `Sec-Fetch-Site: cross-site`, is 403, and over TCP only the
//! [allowed](AdminService::hosts) values of `Host` are accepted, so that no page can use a name that
//! it has pointed at this server. Every response has `Cache-Control: no-store`.
//!
//! # Pages
//!
//! With the feature `pages`, `AdminPages` serves pages for operators beside the service, and `OwnPages`
//! pages for users beside `OwnSessions`. They need no script. An operator signs in with a token:
//!
//! * The session is a cookie that scripts cannot read and that no request of another site has. It ends
//!   15 minutes after the last request, 8 hours after the sign-in, when the operator signs out, and when
//!   the token is not one of the tokens any more. This process keeps digests of the cookie and of the
//!   token, in memory.
//! * A form needs the `Origin` of this server, and a token that only the pages of the session contain.
//! * Failed attempts to sign in are limited: 10 in a minute of one address, and 1000 of all.
//! * Nothing is loaded from elsewhere and no script runs, by the `Content-Security-Policy`. Every name is
//!   shown as text, and its invisible characters as escapes.
//! * An order is shown with its consequences first. Its names, or its token, stay in this process until
//!   the operator agrees.

mod access;
mod body;
mod describe;
mod document;
mod handle;
mod inspect;
mod observe;
#[cfg(feature = "sightings")]
mod own;
mod pace;
#[cfg(feature = "pages")]
mod pages;
mod problem;
mod request;
mod response;
mod revocations;
mod routes;
mod service;
#[cfg(feature = "sightings")]
mod sightings;
mod status;
mod tenants;
mod trail;

#[cfg(feature = "pages")]
#[cfg_attr(docsrs, doc(cfg(feature = "pages")))]
pub use self::pages::{AdminPages, OwnPages, PageSessions, RecentRecords};
pub use self::{
    access::{Access, Caller, Operators, OperatorsError, Role, UnknownRole},
    body::AdminBody,
    document::{
        BulkOrder, BulkResult, BulkResults, DryRun, InspectedClaims, InspectedSelector, Inspection,
        InspectionOrder, OrderTarget, Receipt, RevocationOrder, Status, StatusOfIndex, StatusOfLog,
        TrailDelivery, TrailEntry, TrailPage, TrailTarget,
    },
    problem::Problem,
    service::AdminService,
    tenants::Tenants,
    trail::Trail,
};
#[cfg(feature = "sightings")]
#[cfg_attr(docsrs, doc(cfg(feature = "sightings")))]
pub use self::{
    document::{OthersRevoked, OwnSession, OwnSessionsList, SeenToken, SightingsPage},
    own::OwnSessions,
};
