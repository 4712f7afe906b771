//! How an issuer writes its access tokens.

use crate::{
    introspect::Reason,
    jose::{Claim, Claims, Jws},
};

/// How an issuer writes its access tokens: the names of the claims, and what distinguishes access
/// tokens from other tokens that the same key signs.
///
/// RFC 9068 specifies all of it. Start with [`rfc9068`](Self::rfc9068) or with the product of the
/// issuer, and change what is different. **Names and values are compared byte for byte.**
///
/// ```
/// use tower_revocation::introspect::jwt::Dialect;
///
/// // This issuer writes `typ` JWT for all tokens. The claim `use` marks access tokens.
/// let dialect = Dialect::rfc9068()
///     .types(["JWT"])
///     .demand("use", ["access"])
///     .client(["azp"])
///     .session("session_id");
/// ```
#[derive(Clone, Debug)]
pub struct Dialect {
    types: Vec<String>,
    untyped: bool,
    demanded: Vec<(String, Vec<String>)>,
    refused: Vec<String>,
    pub(super) client: Vec<String>,
    pub(super) subject: String,
    pub(super) id: String,
    pub(super) session: Option<String>,
    pub(super) grant: Option<String>,
    pub(super) ancestors: Option<String>,
    pub(super) scope: ScopeClaim,
}

/// The claim with the scope, and its form.
#[derive(Clone, Debug)]
pub(super) enum ScopeClaim {
    /// A string of words, separated by spaces (RFC 8693 §4.2).
    Words(String),
    /// The same, or an array of words.
    WordsOrArray(String),
}

impl Dialect {
    /// JWT access tokens as specified in RFC 9068.
    ///
    /// | Part of the token | Value |
    /// |---|---|
    /// | `typ` of the header | `at+jwt` or `application/at+jwt`, in any case (§2.1) |
    /// | client | `client_id` |
    /// | subject | `sub` |
    /// | identifier | `jti` |
    /// | session | `sid` |
    /// | grant | none |
    /// | scope | `scope` |
    ///
    /// ID tokens and refresh tokens have another `typ`, or none (§5, RFC 8725 §3.11).
    #[must_use]
    pub fn rfc9068() -> Self {
        Self {
            types: vec!["at+jwt".into()],
            untyped: false,
            demanded: Vec::new(),
            refused: Vec::new(),
            client: vec!["client_id".into()],
            subject: "sub".into(),
            id: "jti".into(),
            session: Some("sid".into()),
            grant: None,
            ancestors: None,
            scope: ScopeClaim::Words("scope".into()),
        }
    }

    /// Sets the values that the `typ` of the header may have. Case does not matter, and neither
    /// does a prefix `application/` (RFC 7515 §4.1.9).
    ///
    /// Tokens of every kind have the `typ` `JWT`. If you accept it, also [`demand`](Self::demand) a
    /// claim that only access tokens have. Otherwise ID tokens are accepted as access tokens.
    #[must_use]
    pub fn types<I>(mut self, types: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Also accepts a header without `typ`. It needs the same care as `JWT` in
    /// [`types`](Self::types).
    #[must_use]
    pub fn untyped(mut self) -> Self {
        self.untyped = true;
        self
    }

    /// Requires that a claim is a string with one of these values. Call it once for each claim.
    #[must_use]
    pub fn demand<I>(mut self, claim: impl Into<String>, values: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let values = values.into_iter().map(Into::into).collect();
        self.demanded.push((claim.into(), values));
        self
    }

    /// Requires that a claim is missing. Call it once for each claim.
    #[must_use]
    pub fn refuse(mut self, claim: impl Into<String>) -> Self {
        self.refused.push(claim.into());
        self
    }

    /// Sets the claims that name the client. At least one of them must be there. If there are
    /// several, they must have the same value.
    #[must_use]
    pub fn client<I>(mut self, claims: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.client = claims.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the claim with the subject.
    #[must_use]
    pub fn subject(mut self, claim: impl Into<String>) -> Self {
        self.subject = claim.into();
        self
    }

    /// Sets the claim with the identifier of the token. It must be unique for the issuer.
    #[must_use]
    pub fn id(mut self, claim: impl Into<String>) -> Self {
        self.id = claim.into();
        self
    }

    /// Sets the claim with the session.
    #[must_use]
    pub fn session(mut self, claim: impl Into<String>) -> Self {
        self.session = Some(claim.into());
        self
    }

    /// Sets the claim with the grant (the authorization). Revoking a refresh token of a grant
    /// revokes all tokens with the same value.
    #[must_use]
    pub fn grant(mut self, claim: impl Into<String>) -> Self {
        self.grant = Some(claim.into());
        self
    }

    /// Sets the claim with the grants of the tokens that the token
    /// [descends](crate::introspect::Claims::ancestors) from: an array of strings, the nearest first.
    /// Defaults to none.
    ///
    /// ```
    /// use tower_revocation::introspect::jwt::Dialect;
    ///
    /// let tree = Dialect::rfc9068().grant("node").ancestors("above");
    /// ```
    #[must_use]
    pub fn ancestors(mut self, claim: impl Into<String>) -> Self {
        self.ancestors = Some(claim.into());
        self
    }

    /// Sets the claim with the scope: a string of words, or an array of words.
    #[must_use]
    pub fn scope(mut self, claim: impl Into<String>) -> Self {
        self.scope = ScopeClaim::WordsOrArray(claim.into());
        self
    }

    /// Whether the token is an access token.
    pub(super) fn check(&self, jws: &Jws<'_>) -> Result<(), Reason> {
        if !self.is_type(jws.typ()) {
            Err(Reason::Typ)
        } else if !self.has_demanded_claims(&jws.claims) {
            Err(Reason::Kind)
        } else {
            Ok(())
        }
    }

    fn is_type(&self, typ: Option<&str>) -> bool {
        const APPLICATION: &str = "application/";
        let Some(typ) = typ else { return self.untyped };
        let short = match typ.get(..APPLICATION.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(APPLICATION) => &typ[APPLICATION.len()..],
            _ => typ,
        };
        let mut types = self.types.iter();
        types.any(|known| known.eq_ignore_ascii_case(short))
    }

    fn has_demanded_claims(&self, claims: &Claims) -> bool {
        let is_demanded = |(name, values): &(String, Vec<String>)| {
            let value = claims.get(name).and_then(Claim::as_str);
            value.is_some_and(|value| values.iter().any(|accepted| accepted == value))
        };
        let is_refused = |name: &String| claims.get(name).is_some();
        self.demanded.iter().all(is_demanded) && !self.refused.iter().any(is_refused)
    }
}
