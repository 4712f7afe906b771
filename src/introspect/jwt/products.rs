//! How well-known products write their access tokens.

use super::Dialect;

/// Each of these is as the product writes tokens unless it is told to do otherwise. What its
/// administrators have changed is said with the methods of [`Dialect`].
impl Dialect {
    /// Access tokens of Keycloak.
    ///
    /// | of a token | is |
    /// |---|---|
    /// | `typ` of the header | `JWT`, or `at+jwt` where the client asks for it |
    /// | mark | the member `typ` is `Bearer` or `DPoP` |
    /// | client | `azp` |
    /// | subject | `sub` |
    /// | identifier | `jti` |
    /// | session | `sid` |
    /// | grant | not said |
    /// | scope | `scope` |
    ///
    /// The member `typ` of an ID token is `ID`, that of a refresh token `Refresh` or `Offline`.
    /// **Refresh tokens are signed JWTs, and no tokens to this dialect**: where clients revoke
    /// them, ask Keycloak about them ([`upstream`](crate::introspect)), or they are answered as
    /// unknown. Issuers are realms: `https://HOST/realms/NAME`. **`aud` names an API only where an
    /// audience mapper puts it there.** A lightweight access token has fewer members; what it lacks
    /// it cannot be revoked by.
    #[must_use]
    pub fn keycloak() -> Self {
        Self::rfc9068()
            .types(["JWT", "at+jwt"])
            .demand("typ", ["Bearer", "DPoP"])
            .client(["azp"])
    }

    /// Access tokens of Auth0, of either profile.
    ///
    /// | of a token | is |
    /// |---|---|
    /// | `typ` of the header | `JWT`; of the RFC 9068 profile `at+jwt` |
    /// | mark | `nonce`, `at_hash` and `c_hash` are not there |
    /// | client | `azp`; of the RFC 9068 profile `client_id` |
    /// | subject | `sub` |
    /// | identifier | `jti`, in the RFC 9068 profile alone |
    /// | session, grant | not said |
    /// | scope | `scope` |
    ///
    /// An ID token has a client as its audience, and no member that names the client besides:
    /// [`Audience`](super::Audience) has to name APIs, never clients. Refresh tokens are no JWTs.
    /// **A token of the default profile has no identifier**, and so cannot be revoked alone: choose
    /// the RFC 9068 profile for the API. Issuers end with a slash: `https://TENANT.auth0.com/`.
    #[must_use]
    pub fn auth0() -> Self {
        Self::rfc9068()
            .types(["JWT", "at+jwt"])
            .client(["azp", "client_id"])
            .no_id_token()
    }

    /// Access tokens of Amazon Cognito user pools.
    ///
    /// | of a token | is |
    /// |---|---|
    /// | `typ` of the header | none, or `JWT` |
    /// | mark | `token_use` is `access` |
    /// | client | `client_id` |
    /// | subject | `sub` |
    /// | identifier | `jti` |
    /// | session | not said |
    /// | grant | `origin_jti`, which all tokens of one refresh token have in common |
    /// | scope | `scope` |
    ///
    /// The `token_use` of an ID token is `id`. Refresh tokens are encrypted, and so no signed JWT.
    /// Access tokens have no `aud` unless a resource was asked for:
    /// [`Audience::unchecked`](super::Audience::unchecked), and a look at the client or the scope
    /// where requests are let through.
    #[must_use]
    pub fn cognito() -> Self {
        Self::rfc9068()
            .types(["JWT"])
            .untyped()
            .demand("token_use", ["access"])
            .grant("origin_jti")
    }

    /// Access tokens of Okta's custom authorization servers.
    ///
    /// | of a token | is |
    /// |---|---|
    /// | `typ` of the header | none, `JWT` or `at+jwt` |
    /// | mark | `cid` is there; `nonce`, `at_hash` and `c_hash` are not |
    /// | client | `cid` |
    /// | subject | `sub`, which is the user's login; say `subject("uid")` for what stays when it changes |
    /// | identifier | `jti` |
    /// | session, grant | not said |
    /// | scope | `scp`, an array |
    ///
    /// An ID token has no `cid`. Refresh tokens are no JWTs. Tokens of the org authorization server
    /// are for Okta alone, and cannot be verified by anybody else.
    #[must_use]
    pub fn okta() -> Self {
        Self::rfc9068()
            .types(["JWT", "at+jwt"])
            .untyped()
            .client(["cid"])
            .scope("scp")
            .no_id_token()
    }

    /// JWT access tokens of WSO2 Identity Server, API Manager and Asgardeo.
    ///
    /// | of a token | is |
    /// |---|---|
    /// | `typ` of the header | `at+jwt`; of older versions `JWT` or none |
    /// | mark | `aut` is `APPLICATION_USER`, `APPLICATION` or `AGENT` |
    /// | client | `client_id`, `azp`, or both |
    /// | subject | `sub` |
    /// | identifier | `jti` |
    /// | session, grant | not said |
    /// | scope | `scope` |
    ///
    /// An ID token may have the same audience, which is the client, but no `aut`. Refresh tokens
    /// are no JWTs.
    #[must_use]
    pub fn wso2() -> Self {
        Self::rfc9068()
            .types(["at+jwt", "JWT"])
            .untyped()
            .demand("aut", ["APPLICATION_USER", "APPLICATION", "AGENT"])
            .client(["client_id", "azp"])
    }

    /// Access tokens of Microsoft Entra ID, v1.0 and v2.0, for an API of one's own.
    ///
    /// | of a token | is |
    /// |---|---|
    /// | `typ` of the header | `JWT` |
    /// | mark | `appid` or `azp` is there; `nonce`, `at_hash` and `c_hash` are not |
    /// | client | `appid` (v1.0), `azp` (v2.0) |
    /// | subject | `sub`, another one for each API; say `subject("oid")` for the user as the directory knows it |
    /// | identifier | `uti` |
    /// | session | `sid` |
    /// | grant | not said |
    /// | scope | `scp`; the `roles` of an application are not looked at |
    ///
    /// An ID token names no client but its audience. Refresh tokens are no JWTs. Tokens for
    /// Microsoft Graph cannot be verified by anybody else. The issuer is that of one tenant,
    /// `https://sts.windows.net/TENANT/` or `https://login.microsoftonline.com/TENANT/v2.0`.
    #[must_use]
    pub fn entra() -> Self {
        Self::rfc9068()
            .types(["JWT"])
            .client(["appid", "azp"])
            .id("uti")
            .scope("scp")
            .no_id_token()
    }

    /// None of what only ID tokens have (`OpenID` Connect Core §2, §3.3.2.11).
    fn no_id_token(self) -> Self {
        self.refuse("nonce").refuse("at_hash").refuse("c_hash")
    }
}
