//! From a denylist of your own to this crate.
//!
//! Many APIs keep revoked `jti`s in Redis or in a table, and look each token up in a middleware.
//! This guide moves such a denylist step by step, without a moment in which a revoked token is
//! accepted.
//!
//! # What changes
//!
//! | a typical denylist | here |
//! |---|---|
//! | one entry for each token | one record for a token, a grant, a session, a subject, a client, a key or an issuer |
//! | a lookup over the network for each request | a lookup in memory |
//! | a store that is down accepts all tokens, or none | 503 for tokens whose state is unknown |
//! | keyed by a digest of the token's text, which re-encoding changes | keyed by verified claims |
//! | grows until someone cleans up | every record expires |
//! | the endpoint is an `if` in a handler | RFC 7009: authenticates the client, checks the owner |
//!
//! # 1. Enforce beside the denylist
//!
//! Add the [`EnforcementLayer`](crate::enforce::EnforcementLayer) around the API, and leave your
//! middleware in place. A token passes if both accept it.
//!
//! # 2. Copy the entries
//!
//! Append a record for each entry that has not expired. Appending twice does no harm: records are
//! merged by their maximum. So run the copy once, switch the writers, and run it again.
//!
//! ```
//! use tower_revocation::log::{EmbeddedLog, NumericDate, Revocation, RevocationLog, Selector};
//!
//! struct Entry { jti: String, expires: i64 }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("revocations.redb");
//! # let denylist = vec![Entry { jti: "f3c1".into(), expires: 4_102_444_800 }];
//! let log = EmbeddedLog::open(path)?;
//! let issuer = "https://as.example.com";
//! for batch in denylist.chunks(1000) {
//!     let records = batch.iter().map(|entry| {
//!         let selector = Selector::token(issuer, &entry.jti);
//!         Revocation::forever(selector, NumericDate::from(entry.expires))
//!     });
//!     log.append(records.collect()).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! An entry such as "all tokens of this user before this date" is a record of a subject:
//! [`Target::Subject`](crate::revoke::Target) with
//! [`AdminRequest::before`](crate::revoke::AdminRequest::before).
//!
//! # 3. Switch the writers
//!
//! Replace the code that adds entries by the revocation endpoint, by
//! [`Administration`](crate::revoke::Administration), or by `append` as above.
//!
//! # 4. Remove the denylist
//!
//! After the longest lifetime of a token, every entry has expired. Remove the middleware.
//!
//! # If you keep the table
//!
//! If your own table says which tokens are revoked, and every process reads it, you need no log:
//! [`EnforcementLayer::by_introspection`](crate::enforce::EnforcementLayer::by_introspection), and a
//! backend of your own for the endpoint. `examples/own_table.rs` is a complete program.
