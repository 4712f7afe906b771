//! Clients, tokens and a server for the transcripts.

use std::{collections::HashMap, convert::Infallible, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tower::{
    BoxError, Layer as _, Service, ServiceExt as _, service_fn, util::BoxCloneSyncService,
};
use tower_revocation::{
    RevocationLayer, Secret,
    client::{
        AuthMethod, Credentials, Identified, SecretDigest,
        registry::{Client, ClientAuthenticator, Registry},
    },
    enforce::{EnforcementLayer, Index},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate, Selector},
    revoke::RecordRevocation,
};

pub(crate) type Endpoint =
    BoxCloneSyncService<Request<Full<Bytes>>, Response<Full<Bytes>>, Infallible>;
pub(crate) type Resource =
    BoxCloneSyncService<Request<Incoming>, Response<axum::body::Body>, BoxError>;
pub(crate) type Introspect = BoxCloneSyncService<Secret, Option<Introspection>, BoxError>;

/// What a server knows.
#[derive(Default)]
pub(crate) struct World {
    registry: Registry,
    tokens: HashMap<&'static str, Introspection>,
    pub(crate) log: MemoryLog,
}

impl World {
    /// A confidential client, with any method that uses a secret.
    pub(crate) fn client(mut self, client_id: &str, secret: &str) -> Self {
        let client = Client::builder(client_id)
            .auth_methods([AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost])
            .secret(SecretDigest::sha256(&Secret::new(secret)))
            .build();
        self.registry.insert(client);
        self
    }

    pub(crate) fn public(mut self, client_id: &str) -> Self {
        self.registry.insert(Client::public(client_id));
        self
    }

    pub(crate) fn token(
        mut self,
        token: &'static str,
        kind: TokenKind,
        client_id: &str,
        more: impl FnOnce(&mut Introspection),
    ) -> Self {
        let mut introspection = Introspection::new(kind, client_id);
        introspection.token = Some(Selector::token("https://as.test", token));
        introspection.iat = Some(NumericDate::now());
        more(&mut introspection);
        self.tokens.insert(token, introspection);
        self
    }

    /// An access token of a subject.
    pub(crate) fn access(self, token: &'static str, client_id: &str, subject: &str) -> Self {
        let of = |claims: &mut Introspection| claims.sub = Some(subject.to_owned());
        self.token(token, TokenKind::AccessToken, client_id, of)
    }

    /// A refresh token and an access token of one grant of the subject `ann`.
    pub(crate) fn family(
        self,
        refresh: &'static str,
        access: &'static str,
        client_id: &str,
    ) -> Self {
        let of = |claims: &mut Introspection| {
            claims.sub = Some("ann".to_owned());
            claims.grant = Some(format!("grant of {client_id}"));
        };
        self.token(refresh, TokenKind::RefreshToken, client_id, of)
            .token(access, TokenKind::AccessToken, client_id, of)
    }

    /// A token of a grant.
    pub(crate) fn of_grant(
        self,
        token: &'static str,
        kind: TokenKind,
        client_id: &str,
        grant: &str,
    ) -> Self {
        let of = |claims: &mut Introspection| claims.grant = Some(grant.to_owned());
        self.token(token, kind, client_id, of)
    }

    pub(crate) fn introspect(&self) -> Introspect {
        let tokens = Arc::new(self.tokens.clone());
        BoxCloneSyncService::new(service_fn(move |secret: Secret| {
            let token = tokens.get(secret.expose()).cloned();
            async move { Ok(token) }
        }))
    }

    pub(crate) fn clients(&self) -> ClientAuthenticator<Registry> {
        ClientAuthenticator::new(self.registry.clone())
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.endpoint_of(self.clients())
    }

    pub(crate) fn endpoint_of<A, C>(&self, authenticator: A) -> Endpoint
    where
        A: Service<Request<Credentials>, Response = Option<C>, Error: Into<BoxError>>,
        A: Clone + Send + Sync + 'static,
        A::Future: Send,
        C: Identified + Send + 'static,
    {
        let backend = RecordRevocation::new(self.introspect(), self.log.clone())
            .responsible_for_all_tokens(true)
            .client_orders_of(["https://as.test"]);
        let layer = RevocationLayer::new("/", authenticator, backend).timer(TokioTimer::new());
        BoxCloneSyncService::new(layer.into_endpoint())
    }

    /// A server. `wrap` puts profiles around a resource that needs a live token, on all other paths.
    pub(crate) async fn serve<S, B>(&self, wrap: impl FnOnce(Resource) -> S) -> SocketAddr
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = BoxError>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let index = Index::follow(&self.log).await.unwrap();
        let resource = service_fn(async |_: Request<Incoming>| {
            Ok::<_, BoxError>(Response::new(Full::<Bytes>::default()))
        });
        let resource = EnforcementLayer::new(self.introspect(), index).layer(resource);
        let resource = resource.map_response(|response| response.map(axum::body::Body::new));
        let app = wrap(BoxCloneSyncService::new(resource));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(
                        TokioIo::new(connection),
                        TowerToHyperService::new(app.clone()),
                    );
                tokio::spawn(connection);
            }
        });
        address
    }
}
