//! All refusals have the same response, and their reason is in the error.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use hyper::StatusCode;
use tower::BoxError;
use tower_revocation::client::{
    AuthMethod, Refusal,
    registry::{BasicDecoding, Client, ClientAuthenticator, Clients, Registry},
};

use super::{EXAMPLE, digest, example, hours, only, raw, revoke};

#[tokio::test]
async fn every_reason_has_the_same_response() {
    let clients = Registry::from_iter([
        example(),
        Client::builder("expired")
            .secret(digest("gX1fBat3bV"))
            .secret_expires_at(hours(-1))
            .build(),
        Client::builder("in-the-body")
            .secret(digest("gX1fBat3bV"))
            .auth_methods([AuthMethod::ClientSecretPost])
            .build(),
        Client::builder("disabled")
            .secret(digest("gX1fBat3bV"))
            .disabled(true)
            .build(),
        Client::builder("by-key")
            .secret(digest("gX1fBat3bV"))
            .auth_methods([AuthMethod::PrivateKeyJwt])
            .build(),
        Client::public("spa-1"),
        Client::public("spa-2")
            .into_builder()
            .auth_methods([AuthMethod::ClientSecretBasic])
            .build(),
    ]);
    for authenticator in [
        ClientAuthenticator::new(clients.clone()),
        ClientAuthenticator::new(clients).hmac_key([7; 32]),
    ] {
        let right = revoke(&authenticator, Some(EXAMPLE), "token=rt1").await;
        assert_eq!(right.status, StatusCode::OK);

        let unknown = revoke(
            &authenticator,
            Some(&raw("nobody", "gX1fBat3bV")),
            "token=rt1",
        )
        .await;
        assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            unknown.headers["www-authenticate"],
            r#"Basic realm="oauth", charset="UTF-8""#
        );
        for (client_id, secret) in [
            ("s6BhdRkqt3", "WRONG"),
            ("expired", "gX1fBat3bV"),
            ("in-the-body", "gX1fBat3bV"),
            ("disabled", "gX1fBat3bV"),
            ("by-key", "gX1fBat3bV"),
            ("spa-1", "gX1fBat3bV"),
            ("spa-2", "gX1fBat3bV"),
            ("s6BhdRkqt3", ""),
        ] {
            let authorization = raw(client_id, secret);
            let response = revoke(&authenticator, Some(&authorization), "token=rt1").await;
            assert_eq!(
                response.visible(),
                unknown.visible(),
                "{client_id}:{secret}"
            );
        }
        for body in [
            "token=rt1&client_id=nobody&client_secret=gX1fBat3bV",
            "token=rt1&client_id=s6BhdRkqt3&client_secret=gX1fBat3bV",
            "token=rt1&client_id=spa-1&client_secret=gX1fBat3bV",
            "token=rt1&client_id=s6BhdRkqt3",
            "token=rt1&client_id=expired",
            "token=rt1&client_id=nobody",
        ] {
            let response = revoke(&authenticator, None, body).await;
            assert_eq!(response.visible(), unknown.visible(), "{body}");
        }
    }
}

#[tokio::test]
async fn database_that_is_down_is_503_and_not_401() {
    #[derive(Clone)]
    struct Down;
    impl Clients for Down {
        async fn client(&self, _: &str) -> Result<Option<Arc<Client>>, BoxError> {
            Err("the database of clients is gone".into())
        }
    }
    let authenticator = ClientAuthenticator::new(Arc::new(Down));
    for (authorization, body) in [
        (Some(EXAMPLE), "token=rt1"),
        (None, "token=rt1&client_id=post-client&client_secret=p0st"),
        (None, "token=rt1&client_id=spa-1"),
    ] {
        let response = revoke(&authenticator, authorization, body).await;
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers["retry-after"], "1");
        assert_eq!(response.body, r#"{"error":"temporarily_unavailable"}"#);
    }
}

#[tokio::test]
async fn database_that_ignores_case_does_not_change_the_comparison() {
    #[derive(Clone)]
    struct IgnoresCase(Registry);
    impl Clients for IgnoresCase {
        async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, BoxError> {
            self.0.client(&client_id.to_lowercase()).await
        }
    }
    let clients = IgnoresCase(only(Client::confidential("c2", digest("s3cr3t-two"))));
    let authenticator = ClientAuthenticator::new(clients);
    let right = revoke(&authenticator, Some(&raw("c2", "s3cr3t-two")), "token=rt1").await;
    assert_eq!(right.status, StatusCode::OK);
    let other = revoke(&authenticator, Some(&raw("C2", "s3cr3t-two")), "token=rt1").await;
    assert_eq!(other.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn lookups_of_a_refusal_do_not_depend_on_the_client() {
    #[derive(Clone, Default)]
    struct Counting(Registry, Arc<Mutex<Vec<String>>>);
    impl Clients for Counting {
        async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, BoxError> {
            self.1.lock().unwrap().push(client_id.to_owned());
            self.0.client(client_id).await
        }
    }
    let mut seen = HashSet::new();
    for client in [
        Client::confidential("a b", digest("x y")),
        Client::builder("a b")
            .secret(digest("x y"))
            .basic_decoding(BasicDecoding::Raw)
            .build(),
        Client::builder("a b")
            .secret(digest("x y"))
            .disabled(true)
            .build(),
        Client::public("someone-else"),
    ] {
        let clients = Counting(only(client), Arc::default());
        let authenticator = ClientAuthenticator::new(clients.clone());
        revoke(&authenticator, Some(&raw("a+b", "x+z")), "token=rt1").await;
        seen.insert(clients.1.lock().unwrap().clone());
    }
    assert_eq!(
        seen,
        HashSet::from([vec!["a b".to_owned(), "a+b".to_owned()]])
    );
}

#[tokio::test]
async fn every_reason_has_the_same_response_and_its_own_refusal() {
    let clients = Registry::from_iter([
        example(),
        Client::builder("off")
            .secret(digest("s"))
            .disabled(true)
            .build(),
        Client::public("spa-1"),
    ]);
    let authenticator = ClientAuthenticator::new(clients);
    let cases = [
        (raw("nobody", "s"), Refusal::UnknownClient),
        (raw("off", "s"), Refusal::UnknownClient),
        (raw("s6BhdRkqt3", "wrong"), Refusal::WrongSecret),
        (raw("spa-1", "s"), Refusal::MethodNotRegistered),
    ];
    let mut responses = Vec::new();
    for (authorization, expected) in cases {
        let response = revoke(&authenticator, Some(&authorization), "token=rt1").await;
        assert_eq!(response.refusal, Some(expected));
        responses.push((response.status, response.headers, response.body));
    }
    assert!(responses.windows(2).all(|two| two[0] == two[1]));
}
