//! Who is asked about what.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use futures::{FutureExt as _, executor::block_on};
use tower::{ServiceExt as _, service_fn, util::ServiceFn};

use super::*;
use crate::introspect::{Introspection, TokenKind};

/// RFC 7515 A.1, with a shorter signature.
const JWT: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UifQ.dBjftJeZ4CVP";

type Answer = Result<Option<Introspection>, Infallible>;

fn named(name: &'static str) -> ServiceFn<impl Fn(Secret) -> Ready<Answer> + Clone> {
    service_fn(move |_| ready(Ok(Some(Introspection::new(TokenKind::AccessToken, name)))))
}

fn asked(token: &str) -> String {
    let both = ByFormat::new(named("jwt"), named("opaque"));
    let answer = block_on(both.oneshot(Secret::new(token))).unwrap();
    answer.into_token().unwrap().into_claims().client_id
}

#[test]
fn a_jwt_goes_to_the_one_and_everything_else_to_the_other() {
    assert_eq!(asked(JWT), "jwt");
    for opaque in [
        "",
        ".",
        "..",
        "45ghiukldjahdnhzdauz",
        // One dot, as some servers write them; two dots and no header; a JWE; a PASETO.
        "ory_at_8Yb3.wQ7d",
        "one.two.three",
        "eyJhbGciOiJFUzI1NiJ9.e30.",
        "eyJhbGciOiJFUzI1NiJ9..c2ln",
        ".e30.c2ln",
        "eyJhbGciOiJFUzI1NiJ9.e30.=",
        "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn",
        "eyJhbGciOiJkaXIifQ.a2V5.aXY.Y2lwaGVy.dGFn",
        "v4.public.eyJpc3MiOiJqb2UifQ",
        // `[]`, `{` and `"{}"`.
        "W10.e30.c2ln",
        "ew.e30.c2ln",
        "Int9Ig.e30.c2ln",
        "eyJhbGciOiJFUzI1NiJ9.e30.c2l+",
        "eyJhbGciOiJFUzI1NiJ9.e 30.c2ln",
    ] {
        assert_eq!(asked(opaque), "opaque", "{opaque:?}");
    }
}

#[test]
fn a_jwt_in_another_spelling_is_a_jwt() {
    // Padded, with bits that mean nothing, and with white space around the header's braces.
    for jwt in [
        "eyJhbGciOiJFUzI1NiJ9.e30=.c2ln",
        "eyJhbGciOiJub25lIn0=.e30.c2ln",
        "eyJhbGciOiJub25lIn1.e30.c2ln",
        "IHsiYWxnIjoiRVMyNTYifSA.e30.c2ln",
    ] {
        assert_eq!(asked(jwt), "jwt", "{jwt:?}");
    }
}

#[test]
fn an_error_of_the_chosen_one_is_the_answer() {
    let down = service_fn(async |_: Secret| Err::<Option<Introspection>, _>("down"));
    let both = ByFormat::new(down, named("opaque"));
    let error = block_on(both.oneshot(Secret::new(JWT))).unwrap_err();
    assert_eq!(error.to_string(), "down");
}

#[tokio::test]
async fn the_chosen_one_alone_is_waited_for() {
    let (jwt, mut jwt_handle) = tower_test::mock::pair::<Secret, Option<Introspection>>();
    let (opaque, mut opaque_handle) = tower_test::mock::pair::<Secret, Option<Introspection>>();
    jwt_handle.allow(0);
    opaque_handle.allow(1);
    let mut both = ByFormat::new(jwt, opaque);

    let mut waiting = Box::pin(both.ready().await.unwrap().call(Secret::new(JWT)));
    assert!(waiting.as_mut().now_or_never().is_none());
    let answering = both.ready().await.unwrap().call(Secret::new("opaque"));
    let answer = async {
        let (token, send) = opaque_handle.next_request().await.unwrap();
        assert_eq!(token.expose(), "opaque");
        send.send_response(None);
    };
    assert!(
        futures::join!(answering, answer)
            .0
            .unwrap()
            .token()
            .is_none()
    );

    jwt_handle.allow(1);
    let answer = async {
        let (token, send) = jwt_handle.next_request().await.unwrap();
        assert_eq!(token.expose(), JWT);
        send.send_response(None);
    };
    assert!(futures::join!(waiting, answer).0.unwrap().token().is_none());
}
