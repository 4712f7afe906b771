//! Which member of a token says what?

use crate::{
    introspect::Reason,
    jose::{Claim, Claims, Jws},
};

/// How an issuer writes its access tokens: which member says what, and how they are told from other
/// tokens that the same key signs.
///
/// RFC 9068 settles all of it; begin with [`rfc9068`](Self::rfc9068) or with the product that it
/// is, and say what is different. **Names and values are compared byte for byte.**
///
/// ```
/// use tower_revocation::introspect::jwt::Dialect;
///
/// // An issuer of its own kind: no `typ` that says enough, and a member that does.
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
    pub(super) scope: ScopeClaim,
}

/// Where the scope is, and how it is written.
#[derive(Clone, Debug)]
pub(super) enum ScopeClaim {
    /// A string of words with spaces between (RFC 8693 §4.2).
    Words(String),
    /// The same, or an array of words.
    WordsOrList(String),
}

impl Dialect {
    /// JWT access tokens as RFC 9068 has them.
    ///
    /// | of a token | is |
    /// |---|---|
    /// | `typ` of the header | `at+jwt` or `application/at+jwt`, in any case (§2.1) |
    /// | client | `client_id` |
    /// | subject | `sub` |
    /// | identifier | `jti` |
    /// | session | `sid` |
    /// | grant | not said |
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
            scope: ScopeClaim::Words("scope".into()),
        }
    }

    /// The `typ`s that the header may have, and no others. Case does not matter, nor does
    /// `application/` before them (RFC 7515 §4.1.9).
    ///
    /// `JWT` is what every kind of token says: [`demand`](Self::demand) what only an access token
    /// has, or an ID token passes for one.
    #[must_use]
    pub fn types<I>(mut self, types: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// The header may also have no `typ`. The same care is needed as with `JWT`.
    #[must_use]
    pub fn untyped(mut self) -> Self {
        self.untyped = true;
        self
    }

    /// The member must be a string, and one of these. It may be called for several members.
    #[must_use]
    pub fn demand<I>(mut self, member: impl Into<String>, values: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let values = values.into_iter().map(Into::into).collect();
        self.demanded.push((member.into(), values));
        self
    }

    /// The member must not be there. It may be called for several members.
    #[must_use]
    pub fn refuse(mut self, member: impl Into<String>) -> Self {
        self.refused.push(member.into());
        self
    }

    /// The members that name the client. One of them has to be there; if several are, they have to
    /// say the same.
    #[must_use]
    pub fn client<I>(mut self, members: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.client = members.into_iter().map(Into::into).collect();
        self
    }

    /// The member that names the subject.
    #[must_use]
    pub fn subject(mut self, member: impl Into<String>) -> Self {
        self.subject = member.into();
        self
    }

    /// The member that identifies the token among all of its issuer.
    #[must_use]
    pub fn id(mut self, member: impl Into<String>) -> Self {
        self.id = member.into();
        self
    }

    /// The member that names the session.
    #[must_use]
    pub fn session(mut self, member: impl Into<String>) -> Self {
        self.session = Some(member.into());
        self
    }

    /// The member that names the authorization: all tokens that have it in common fall with any
    /// refresh token of theirs.
    #[must_use]
    pub fn grant(mut self, member: impl Into<String>) -> Self {
        self.grant = Some(member.into());
        self
    }

    /// The member that holds the scope, as words in a string or as an array of words.
    #[must_use]
    pub fn scope(mut self, member: impl Into<String>) -> Self {
        self.scope = ScopeClaim::WordsOrList(member.into());
        self
    }

    /// Whether it is an access token, by what it says of itself.
    pub(super) fn check(&self, jws: &Jws<'_>) -> Result<(), Reason> {
        if !self.is_type(jws.typ()) {
            Err(Reason::Typ)
        } else if !self.is_marked(&jws.claims) {
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

    fn is_marked(&self, claims: &Claims) -> bool {
        let is_demanded = |(name, values): &(String, Vec<String>)| {
            let value = claims.get(name).and_then(Claim::as_str);
            value.is_some_and(|value| values.iter().any(|accepted| accepted == value))
        };
        let is_refused = |name: &String| claims.get(name).is_some();
        self.demanded.iter().all(is_demanded) && !self.refused.iter().any(is_refused)
    }
}
