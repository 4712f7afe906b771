//! The dialects of well-known products.

use super::Dialect;

/// Each of these dialects describes the product with its default settings. If its administrators
/// have changed them, adapt the dialect with the methods of [`Dialect`].
impl Dialect {
    /// Access tokens of Keycloak.
    ///
    /// | Part of the token | Value |
    /// |---|---|
    /// | `typ` of the header | `JWT`, or `at+jwt` if the client is configured so |
    /// | distinguished by | the claim `typ` is `Bearer` or `DPoP` |
    /// | client | `azp` |
    /// | subject | `sub` |
    /// | identifier | `jti` |
    /// | session | `sid` |
    /// | grant | none |
    /// | scope | `scope` |
    ///
    /// The claim `typ` of an ID token is `ID`, that of a refresh token `Refresh` or `Offline`.
    /// **Refresh tokens are signed JWTs, but this dialect does not accept them.** If clients revoke
    /// them, ask Keycloak about them ([`upstream`](crate::introspect)); otherwise they are unknown.
    /// An issuer is a realm: `https://HOST/realms/NAME`. **`aud` names an API only if an audience
    /// mapper adds it.** A lightweight access token has fewer claims, and cannot be revoked by the
    /// claims that it lacks.
    #[must_use]
    pub fn keycloak() -> Self {
        Self::rfc9068()
            .types(["JWT", "at+jwt"])
            .demand("typ", ["Bearer", "DPoP"])
            .client(["azp"])
    }

    /// Access tokens of Auth0, of either profile.
    ///
    /// | Part of the token | Value |
    /// |---|---|
    /// | `typ` of the header | `JWT`; in the RFC 9068 profile `at+jwt` |
    /// | distinguished by | no `nonce`, `at_hash` or `c_hash` |
    /// | client | `azp`; in the RFC 9068 profile `client_id` |
    /// | subject | `sub` |
    /// | identifier | `jti`, only in the RFC 9068 profile |
    /// | session, grant | none |
    /// | scope | `scope` |
    ///
    /// The audience of an ID token is a client, and no other claim names that client. So
    /// [`Audience`](super::Audience) must name APIs, never clients. Refresh tokens are not JWTs.
    /// **A token of the default profile has no identifier**, so it cannot be revoked alone: choose
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
    /// | Part of the token | Value |
    /// |---|---|
    /// | `typ` of the header | none, or `JWT` |
    /// | distinguished by | `token_use` is `access` |
    /// | client | `client_id` |
    /// | subject | `sub` |
    /// | identifier | `jti` |
    /// | session | none |
    /// | grant | `origin_jti`, the same in all tokens of one refresh token |
    /// | scope | `scope` |
    ///
    /// The `token_use` of an ID token is `id`. Refresh tokens are encrypted, so they are not signed
    /// JWTs. Access tokens have no `aud` unless the client asks for a resource: use
    /// [`Audience::unchecked`](super::Audience::unchecked), and check the client or the scope of
    /// each request.
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
    /// | Part of the token | Value |
    /// |---|---|
    /// | `typ` of the header | none, `JWT` or `at+jwt` |
    /// | distinguished by | has `cid`, and no `nonce`, `at_hash` or `c_hash` |
    /// | client | `cid` |
    /// | subject | `sub`, the login; use `subject("uid")` for an identifier that never changes |
    /// | identifier | `jti` |
    /// | session, grant | none |
    /// | scope | `scp`, an array |
    ///
    /// An ID token has no `cid`. Refresh tokens are not JWTs. Tokens of the org authorization
    /// server are only for Okta, and only Okta can verify them.
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
    /// | Part of the token | Value |
    /// |---|---|
    /// | `typ` of the header | `at+jwt`; in older versions `JWT` or none |
    /// | distinguished by | `aut` is `APPLICATION_USER`, `APPLICATION` or `AGENT` |
    /// | client | `client_id`, `azp`, or both |
    /// | subject | `sub` |
    /// | identifier | `jti` |
    /// | session, grant | none |
    /// | scope | `scope` |
    ///
    /// An ID token may have the same audience, the client, but it has no `aut`. Refresh tokens are
    /// not JWTs.
    #[must_use]
    pub fn wso2() -> Self {
        Self::rfc9068()
            .types(["at+jwt", "JWT"])
            .untyped()
            .demand("aut", ["APPLICATION_USER", "APPLICATION", "AGENT"])
            .client(["client_id", "azp"])
    }

    /// Access tokens of Microsoft Entra ID, v1.0 and v2.0, for your own API.
    ///
    /// | Part of the token | Value |
    /// |---|---|
    /// | `typ` of the header | `JWT` |
    /// | distinguished by | has `appid` or `azp`, and no `nonce`, `at_hash` or `c_hash` |
    /// | client | `appid` (v1.0), `azp` (v2.0) |
    /// | subject | `sub`, one for each API; use `subject("oid")` for the user in the directory |
    /// | identifier | `uti` |
    /// | session | `sid` |
    /// | grant | none |
    /// | scope | `scp`; the `roles` of an application are not read |
    ///
    /// An ID token names no client other than its audience. Refresh tokens are not JWTs. Only
    /// Microsoft Graph can verify tokens for Microsoft Graph. The issuer is that of one tenant:
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

    /// Refuses the claims that only ID tokens have (`OpenID` Connect Core §2, §3.3.2.11).
    fn no_id_token(self) -> Self {
        self.refuse("nonce").refuse("at_hash").refuse("c_hash")
    }
}
