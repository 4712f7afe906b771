//! What may be used only once in the whole fleet.

use futures::future::BoxFuture;

use super::super::LogError;

/// An identifier that somebody wants to use up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnceUse {
    pub(crate) digest: [u8; 32],
    /// Whose quota counts.
    pub(crate) client: [u8; 16],
    /// When it expires, in seconds since 1970. It may be forgotten from then on.
    pub(crate) expires: u64,
    /// At most this many identifiers of the client can be used up and not have expired.
    pub(crate) quota: u64,
}

/// What became of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnceResult {
    /// It was not used before. Exactly one use of an identifier gets this.
    Fresh,
    /// It was used before, or it has expired by the clock of the server.
    Used,
    /// It may have been used: the server has forgotten identifiers that expire later.
    Forgotten,
    /// The client has used up its quota.
    FullQuota,
}

/// A store of what was used, on the server of a log. Its clock counts.
pub(crate) trait OnceStore: Send + Sync {
    /// Uses up an identifier. Returns once that is durable. Dropping the future cancels nothing.
    ///
    /// # Errors
    ///
    /// Fails with `Unavailable` if there is no answer. The identifier may be used up then, and
    /// nobody else gets `Fresh` for it.
    fn use_up(&self, once: OnceUse) -> BoxFuture<'static, Result<OnceResult, LogError>>;
}
