//! The `oauth2` crate as a client. It requires TLS.

use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, IntrospectionUrl, PkceCodeChallenge, RedirectUrl, RefreshToken,
    RequestTokenError, RevocationErrorResponseType, RevocationUrl, StandardRevocableToken,
    TokenIntrospectionResponse as _, TokenResponse as _, TokenUrl,
    basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse},
};
use tempfile::TempDir;

use super::{
    http::{C1, C2, Credentials, FullResponse, Http, POST, REDIRECT_URI, SPA, redirect_parameter},
    https::Https,
    process::{Server, command, folder},
    tls::Front,
};

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointSet>;

/// A server behind TLS, and a client for it.
struct World {
    folder: TempDir,
    server: Server,
    https: Https,
    http: Http,
    issuer: String,
}

impl World {
    async fn new() -> Self {
        let (folder, _) = folder();
        Self::on(folder).await
    }

    async fn on(folder: TempDir) -> Self {
        let front = Front::bind().await;
        let issuer = front.url();
        let mut command = command();
        command
            .env("DATA", folder.path().join("state.redb"))
            .env("ISSUER", &issuer);
        let server = Server::run(command);
        let https = Https::to(&issuer, front.pem());
        front.serve(server.address.clone());
        let http = Http::to(server.url(""));
        Self {
            folder,
            server,
            https,
            http,
            issuer,
        }
    }

    /// Kills the server with `kill -9`, and starts a new process with the same file.
    async fn kill_and_restart(self) -> Self {
        self.server.kill();
        Self::on(self.folder).await
    }

    fn client(&self, credentials: Credentials) -> Client {
        let url = |path| format!("{}{path}", self.issuer);
        let client = BasicClient::new(ClientId::new(credentials.id().into()))
            .set_auth_uri(AuthUrl::new(url("/oauth2/authorize")).unwrap())
            .set_token_uri(TokenUrl::new(url("/oauth2/token")).unwrap())
            .set_introspection_url(IntrospectionUrl::new(url("/oauth2/introspect")).unwrap())
            .set_revocation_url(RevocationUrl::new(url("/oauth2/revoke")).unwrap())
            .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.into()).unwrap());
        match credentials {
            Credentials::Basic(_, secret) => client
                .set_client_secret(ClientSecret::new(secret.into()))
                .set_auth_type(AuthType::BasicAuth),
            Credentials::Post(_, secret) => client
                .set_client_secret(ClientSecret::new(secret.into()))
                .set_auth_type(AuthType::RequestBody),
            _ => client.set_auth_type(AuthType::RequestBody),
        }
    }

    /// Gets tokens by an authorization code with PKCE. The test plays the browser.
    async fn tokens(&self, client: &Client) -> BasicTokenResponse {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state) = client
            .authorize_url(CsrfToken::new_random)
            .set_pkce_challenge(challenge)
            .url();
        let path = url.as_str().strip_prefix(&self.issuer).unwrap();
        let answer = self.http.get(path).await;
        assert_eq!(
            redirect_parameter(&answer, "state").as_deref(),
            Some(&**state.secret())
        );
        assert_eq!(
            redirect_parameter(&answer, "iss").as_deref(),
            Some(&*self.issuer)
        );
        let code = redirect_parameter(&answer, "code").unwrap_or_else(|| panic!("{answer:?}"));
        let https = |request| self.https.clone().send(request);
        client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(verifier)
            .request_async(&https)
            .await
            .unwrap()
    }

    async fn revoke(
        &self,
        client: &Client,
        token: impl Into<StandardRevocableToken>,
    ) -> Result<(), RevocationErrorResponseType> {
        let https = |request| self.https.clone().send(request);
        let answer = client
            .revoke_token(token.into())
            .unwrap()
            .request_async(&https)
            .await;
        answer.map_err(|error| match error {
            RequestTokenError::ServerResponse(error) => error.error().clone(),
            other => panic!("{other:?}"),
        })
    }

    async fn is_active(&self, client: &Client, token: &AccessToken) -> bool {
        let https = |request| self.https.clone().send(request);
        client
            .introspect(token)
            .request_async(&https)
            .await
            .unwrap()
            .active()
    }

    async fn me(&self, token: &AccessToken) -> FullResponse {
        self.http.me(token.secret()).await
    }
}

fn refused(answer: &FullResponse) -> bool {
    answer.status == 401
        && answer
            .header("www-authenticate")
            .contains("error=\"invalid_token\"")
}

fn refresh_token(tokens: &BasicTokenResponse) -> RefreshToken {
    tokens.refresh_token().unwrap().clone()
}

#[tokio::test]
async fn oauth2_client_gets_uses_and_revokes_tokens() {
    let world = World::new().await;
    let resource_server = world.client(C1);
    for credentials in [C1, POST, SPA] {
        let client = world.client(credentials);
        let first = world.tokens(&client).await;
        assert_eq!(world.me(first.access_token()).await.text("sub"), "alice");

        let https = |request| world.https.clone().send(request);
        let rotated = refresh_token(&first);
        let next = client
            .exchange_refresh_token(&rotated)
            .request_async(&https)
            .await
            .unwrap();
        assert_ne!(refresh_token(&next).secret(), rotated.secret());
        assert!(world.is_active(&resource_server, next.access_token()).await);

        world.revoke(&client, refresh_token(&next)).await.unwrap();
        for tokens in [&first, &next] {
            assert!(refused(&world.me(tokens.access_token()).await));
            assert!(
                !world
                    .is_active(&resource_server, tokens.access_token())
                    .await
            );
        }
        let dead = refresh_token(&next);
        match client
            .exchange_refresh_token(&dead)
            .request_async(&https)
            .await
            .unwrap_err()
        {
            RequestTokenError::ServerResponse(error) => {
                assert_eq!(*error.error(), BasicErrorResponseType::InvalidGrant);
            }
            other => panic!("{other:?}"),
        }
        // A second revocation succeeds too, and so does that of an access token of an ended grant.
        world.revoke(&client, refresh_token(&next)).await.unwrap();
        world
            .revoke(&client, next.access_token().clone())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn oauth2_client_gets_an_error_for_a_token_of_another_client() {
    let world = World::new().await;
    let tokens = world.tokens(&world.client(C2)).await;
    let error = world
        .revoke(&world.client(C1), refresh_token(&tokens))
        .await
        .unwrap_err();
    let expected = RevocationErrorResponseType::Basic(BasicErrorResponseType::InvalidGrant);
    assert_eq!(error, expected);
    assert_eq!(world.me(tokens.access_token()).await.status, 200);
}

#[tokio::test]
async fn revocation_survives_kill_9_and_a_restart() {
    let world = World::new().await;
    let client = world.client(C1);
    let (dead, alive) = (world.tokens(&client).await, world.tokens(&client).await);
    world.revoke(&client, refresh_token(&dead)).await.unwrap();

    let world = world.kill_and_restart().await;
    assert!(refused(&world.me(dead.access_token()).await));
    assert_eq!(world.me(alive.access_token()).await.status, 200);
}
