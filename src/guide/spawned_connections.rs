//! Errors and lifetimes in `tokio::spawn` with plain hyper.
//!
//! Closures and boxed services whose error is [`BoxError`](tower::BoxError) work as authenticator,
//! backend and introspection. They also work if the connection is spawned in a block:
//! `tokio::spawn(async move { .. })`. In such a block the compiler does not know that a `BoxError`
//! is `'static`. It rejects code that depends on it with "implementation of `From` is not general
//! enough". Three cases remain:
//!
//! * **The inner service.** hyper itself rejects an inner service whose error is `BoxError`. Return
//!   [`Infallible`](std::convert::Infallible) or an error type of your own. Or spawn the connection
//!   without a block around it: `tokio::spawn(connection)`.
//! * **The body of the request.** An outer layer may replace it by a body whose error is
//!   `BoxError`. Then even closures do not accept each other's requests. Map the error in that
//!   layer to a type of your own. Bodies of responses may have any error.
//! * **A [`ByHint`](crate::ByHint), `ByFormat` or `RecordRevocation` that your own block calls.**
//!   Put it into a [`BoxCloneSyncService`](tower::util::BoxCloneSyncService) first.
