//! An introspection that fails, but knows that the token is not valid now.

use std::{error::Error as StdError, fmt, future::ready};

use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes, header::AUTHORIZATION};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    RevocationRequest, Secret,
    enforce::{EnforcementLayer, Index, Refused, Verdict},
    introspect::{Introspection, NotValidNow, Reason},
    log::MemoryLog,
    revoke::RecordRevocation,
};

/// An error of the user's own, with a cause.
#[derive(Debug)]
struct Wrapped(NotValidNow);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the introspection failed")
    }
}

impl StdError for Wrapped {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

fn failure(reason: Reason, is_wrapped: bool) -> BoxError {
    let not_valid_now = NotValidNow::new(reason, "the database is down");
    if is_wrapped {
        Wrapped(not_valid_now).into()
    } else {
        not_valid_now.into()
    }
}

async fn enforced(reason: Reason, is_wrapped: bool) -> (StatusCode, Option<Verdict>) {
    let introspect = service_fn(move |_: Secret| {
        ready(Err::<Option<Introspection>, _>(failure(reason, is_wrapped)))
    });
    let api = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Full::<Bytes>::default()))
    });
    let index = Index::follow(&MemoryLog::new()).await.unwrap();
    let api = EnforcementLayer::new(introspect, index).layer(api);
    let request = Request::get("/").header(AUTHORIZATION, "Bearer mF_9.B5f-4.1JqM");
    let response = api.oneshot(request.body(Full::default()).unwrap()).await;
    let response = response.unwrap();
    let refused = response.extensions().get::<Refused>();
    (response.status(), refused.map(Refused::verdict))
}

#[tokio::test]
async fn enforcement_refuses_the_token() {
    for is_wrapped in [false, true] {
        let expired = enforced(Reason::Expired, is_wrapped).await;
        let expected = (StatusCode::UNAUTHORIZED, Some(Verdict::Expired));
        assert_eq!(expired, expected);
        let not_yet = enforced(Reason::NotYet, is_wrapped).await;
        let invalid = Verdict::Invalid(Reason::NotYet);
        assert_eq!(not_yet, (StatusCode::UNAUTHORIZED, Some(invalid)));
    }
}

#[tokio::test]
async fn revocation_still_fails() {
    let introspect = service_fn(async |_: Secret| {
        Err::<Option<Introspection>, _>(failure(Reason::Expired, false))
    });
    let backend = RecordRevocation::new(introspect, MemoryLog::new());
    let request = RevocationRequest::new("c1".to_owned(), Secret::new("mF_9.B5f-4.1JqM"));
    let error = backend.oneshot(request).await.unwrap_err();
    let not_valid_now = NotValidNow::find(&*error).unwrap();
    assert_eq!(not_valid_now.reason(), Reason::Expired);
    assert_eq!(
        not_valid_now.to_string(),
        "the token is not valid now (expired)"
    );
    let cause = not_valid_now.source().unwrap().to_string();
    assert_eq!(cause, "the database is down");
}

#[test]
fn error_without_a_reason_has_none() {
    let error: BoxError = "the database is down".into();
    assert!(NotValidNow::find(&*error).is_none());
}
