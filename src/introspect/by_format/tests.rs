//! Which introspection is called for which token.

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

type Output = Result<Option<Introspection>, Infallible>;

fn named(name: &'static str) -> ServiceFn<impl Fn(Secret) -> Ready<Output> + Clone> {
    service_fn(move |_| ready(Ok(Some(Introspection::new(TokenKind::AccessToken, name)))))
}

fn chosen(token: &str) -> String {
    let both = ByFormat::new(named("jwt"), named("opaque"));
    let introspected = block_on(both.oneshot(Secret::new(token))).unwrap();
    introspected.into_token().unwrap().into_claims().client_id
}

#[test]
fn jwts_go_to_the_first_introspection_and_all_others_to_the_second() {
    assert_eq!(chosen(JWT), "jwt");
    for opaque in [
        "",
        ".",
        "..",
        "45ghiukldjahdnhzdauz",
        // One dot, as some servers write them. Two dots without a header. A JWE. A PASETO.
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
        assert_eq!(chosen(opaque), "opaque", "{opaque:?}");
    }
}

#[test]
fn jwt_in_another_spelling_is_a_jwt() {
    // Padding, non-zero trailing bits, and white space around the braces of the header.
    for jwt in [
        "eyJhbGciOiJFUzI1NiJ9.e30=.c2ln",
        "eyJhbGciOiJub25lIn0=.e30.c2ln",
        "eyJhbGciOiJub25lIn1.e30.c2ln",
        "IHsiYWxnIjoiRVMyNTYifSA.e30.c2ln",
    ] {
        assert_eq!(chosen(jwt), "jwt", "{jwt:?}");
    }
}

#[test]
fn error_of_the_chosen_introspection_is_returned() {
    let down = service_fn(async |_: Secret| Err::<Option<Introspection>, _>("down"));
    let both = ByFormat::new(down, named("opaque"));
    let error = block_on(both.oneshot(Secret::new(JWT))).unwrap_err();
    assert_eq!(error.to_string(), "down");
}

#[tokio::test]
async fn only_the_chosen_introspection_has_to_be_ready() {
    let (jwt, mut jwt_handle) = tower_test::mock::pair::<Secret, Option<Introspection>>();
    let (opaque, mut opaque_handle) = tower_test::mock::pair::<Secret, Option<Introspection>>();
    jwt_handle.allow(0);
    opaque_handle.allow(1);
    let mut both = ByFormat::new(jwt, opaque);

    let mut waiting = Box::pin(both.ready().await.unwrap().call(Secret::new(JWT)));
    assert!(waiting.as_mut().now_or_never().is_none());
    let called = both.ready().await.unwrap().call(Secret::new("opaque"));
    let respond = async {
        let (token, send) = opaque_handle.next_request().await.unwrap();
        assert_eq!(token.expose(), "opaque");
        send.send_response(None);
    };
    assert!(futures::join!(called, respond).0.unwrap().token().is_none());

    jwt_handle.allow(1);
    let respond = async {
        let (token, send) = jwt_handle.next_request().await.unwrap();
        assert_eq!(token.expose(), JWT);
        send.send_response(None);
    };
    assert!(
        futures::join!(waiting, respond)
            .0
            .unwrap()
            .token()
            .is_none()
    );
}
