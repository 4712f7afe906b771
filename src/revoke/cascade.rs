//! What is revoked together with a token?

/// What is revoked together with a token (RFC 7009 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cascade {
    /// Only that token.
    Token,
    /// All tokens of the same authorization, as with [`Grant`](Self::Grant). For a token without a
    /// grant, only that token, even if it has a session.
    GrantOnly,
    /// All tokens of the same authorization, past and future: every access token and every refresh
    /// token, rotated or not. For a token without a grant, all tokens of its session. For a token
    /// with neither, only that token.
    Grant,
    /// The grant, and all tokens that the client holds for the same subject until now. A token
    /// without a subject is treated as with [`Grant`](Self::Grant), because no subject does not
    /// mean every subject.
    SubjectAndClient,
    /// The grant, and all tokens that any client holds for the same subject until now. A token
    /// without a subject is treated as with [`Grant`](Self::Grant).
    Subject,
}
