//! Orders of operators over HTTP: to revoke without a token in hand, to inspect a token, and to see
//! the status.
//!
//! | Call | Role | Response |
//! |---|---|---|
//! | `POST /v1/revocations` with a [`RevocationOrder`] | [`Operator`](Role::Operator); for a client or an issuer [`Security`](Role::Security) | 201 with a [`Receipt`] |
//! | the same with `?dry_run=true` | [`Viewer`](Role::Viewer) | 200 with a [`DryRun`]; nothing is revoked |
//! | `POST /v1/tokens:inspect` with an [`InspectionOrder`] | [`Operator`](Role::Operator) | 200 with an [`Inspection`] |
//! | `GET /v1/status` | [`Viewer`](Role::Viewer) | 200 with a [`Status`] |
//!
//! [`AdminService`] is a `tower::Service`. Serve it on a Unix socket that only its owner can open
//! ([`Access::owner`]), or over TCP with tokens, client certificates or a proxy that names operators
//! ([`Access::operators`]).
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

mod access;
mod body;
mod document;
mod inspect;
mod observe;
mod pace;
mod problem;
mod request;
mod response;
mod revocations;
mod routes;
mod service;
mod status;
mod tenants;

pub use self::{
    access::{Access, Caller, Operators, OperatorsError, Role},
    body::AdminBody,
    document::{
        DryRun, InspectedClaims, InspectedSelector, Inspection, InspectionOrder, OrderTarget,
        Receipt, RevocationOrder, Status, StatusOfIndex, StatusOfLog,
    },
    problem::Problem,
    service::AdminService,
    tenants::Tenants,
};
