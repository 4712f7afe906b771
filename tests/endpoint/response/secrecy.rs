//! What a response does not contain.

use std::error::Error as StdError;

use hyper::header;
use proptest::prelude::*;
use tower_revocation::{Error, ErrorKind, Outcome, RevocationLayer};

use super::own;
use crate::{
    fixture::{C1, World, always, respond, send, with},
    form::encode,
};

#[tokio::test]
async fn error_is_in_the_extensions_and_its_cause_is_not_sent() {
    let cause = "password of the database is hunter2";
    let backend = always(Err(cause));
    let layer = RevocationLayer::new("/revoke", World::new().authenticator(), backend);
    let response = respond(layer.clone(), own("token=RT1")).await;
    let error = response.extensions().get::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.source().unwrap().to_string(), cause);
    let response = send(layer, own("token=RT1")).await;
    assert!(!format!("{response:?}").contains("hunter2"));

    let foreign = respond(World::new().layer(), own("token=RT2")).await;
    assert_eq!(
        foreign.extensions().get::<Error>().unwrap().kind(),
        ErrorKind::InvalidGrant
    );
    let success = respond(World::new().layer(), own("token=RT1")).await;
    assert!(success.extensions().get::<Error>().is_none());
}

#[tokio::test]
async fn line_break_in_a_parameter_injects_no_header() {
    let response = World::new()
        .bare("token=t&client_id=a%0d%0aSet-Cookie%3Ax")
        .await;
    response.assert_unauthorized();
    assert!(!response.headers.contains_key(header::SET_COOKIE));
}

proptest! {
    #[test]
    fn response_repeats_nothing_of_the_request(
        secret in "[~^|][a-zA-Z0-9<>~^|]{5,20}",
        shape in prop::sample::select(vec![
            "token=SECRET", "token=RT1&client_id=SECRET", "client_secret=SECRET&client_id=post-client",
            "token=RT1&SECRET=x", "token=RT1&client_assertion=SECRET", "token_type_hint=SECRET",
            "token=SECRET%00", "SECRET=%zz",
        ]),
        authorized in any::<bool>(),
        outcome in prop::sample::select(vec![
            Outcome::Revoked, Outcome::NotFound, Outcome::IssuedToAnother, Outcome::Unsupported,
        ]),
    ) {
        let body = shape.replace("SECRET", &encode(&secret));
        let request = with(body, |head| if authorized {
            head.header(header::AUTHORIZATION, C1).header("x-secret", &secret)
        } else {
            head
        });
        let layer = RevocationLayer::new(
            "/revoke",
            World::new().authenticator(),
            always::<&str>(Ok(outcome)),
        );
        let response = futures::executor::block_on(send(layer, request));
        let text = format!("{response:?}");
        prop_assert!(!text.contains(&secret));
    }
}
