//! An authority confirms tokens while the index is stale.

use std::time::Duration;

use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    enforce::{End, EnforcementLayer, Index, Policy, TokenLife, Verdict, WhenUnknown},
    introspect::{Introspected, Introspection, Reason, TokenKind},
    log::{NumericDate, Revocation, RevocationLog as _, Selector, SelectorClass},
};

use crate::{
    fixture::{RemoteLog, forever, good, verdict, with_token},
    freshness::{over, stale},
};

#[tokio::test]
async fn authority_is_asked_if_the_policy_says_so() {
    let log = RemoteLog::default();
    let index = stale(&log).await;
    let layer = |known: Result<Option<Introspection>, &'static str>| {
        let authority = service_fn(move |token: Secret| {
            assert_eq!(token.expose(), crate::fixture::TOKEN);
            std::future::ready(known.clone().map_err(BoxError::from))
        });
        let policy = Policy::new().when_unknown(WhenUnknown::Introspect);
        over(&index).policy(policy).confirm_by(authority)
    };
    assert_eq!(
        verdict(&layer(Ok(Some(good()))), with_token()).await.0,
        StatusCode::OK
    );
    let invalid = Some(Verdict::Invalid(Reason::Unrecognised));
    assert_eq!(verdict(&layer(Ok(None)), with_token()).await.1, invalid);
    let unknown = Some(Verdict::Unknown);
    assert_eq!(verdict(&layer(Err("down")), with_token()).await.1, unknown);

    // A known record outranks the authority.
    log.append(forever(Selector::grant("g1"))).await.unwrap();
    let (status, _) = verdict(&layer(Ok(Some(good()))), with_token()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn record_that_comes_while_the_authority_is_asked_counts_by_every_selector() {
    let log = RemoteLog::default();
    let index = stale(&log).await;
    let appended = log.clone();
    // The authority knows only the subject of the token.
    let authority = service_fn(move |_: Secret| {
        let log = appended.clone();
        async move {
            let mut bare = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
            bare.iat = good().iat;
            log.append(forever(Selector::session("s1"))).await?;
            Ok::<_, BoxError>(Some(bare))
        }
    });
    let policy = Policy::new().when_unknown(WhenUnknown::Introspect);
    let layer = over(&index).policy(policy).confirm_by(authority);
    let revoked = Verdict::Revoked(Some(SelectorClass::Session));
    assert_eq!(
        verdict(&layer, with_token()).await,
        (StatusCode::UNAUTHORIZED, Some(revoked))
    );
}

#[tokio::test]
async fn confirmed_token_ends_by_every_selector() {
    let log = RemoteLog::default();
    let index = stale(&log).await;
    let soon = NumericDate::now() + Duration::from_secs(10);
    let authority = service_fn(move |_: Secret| {
        let mut bare = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
        bare.iat = good().iat;
        bare.exp = Some(soon);
        std::future::ready(Ok::<_, BoxError>(Some(bare)))
    });
    let policy = Policy::new().when_unknown(WhenUnknown::Introspect);
    let layer = over(&index).policy(policy).confirm_by(authority);
    let (sender, receiver) = std::sync::mpsc::channel();
    let api = layer.layer(service_fn(move |mut request: Request<Full<Bytes>>| {
        let extensions = request.extensions_mut();
        let token = extensions.remove::<Introspection>().unwrap();
        sender
            .send((token, extensions.remove::<TokenLife>().unwrap()))
            .unwrap();
        std::future::ready(Ok::<_, BoxError>(Response::new(Full::<Bytes>::default())))
    }));
    api.oneshot(with_token()).await.unwrap();
    let (token, life) = receiver.recv().unwrap();
    // The earlier `exp` of both.
    assert_eq!((token.sid.as_deref(), token.exp), (Some("s1"), Some(soon)));
    assert_eq!(life.ended(), None);
    log.append(forever(Selector::session("s1"))).await.unwrap();
    assert_eq!(
        life.ended(),
        Some(End::Revoked(Some(SelectorClass::Session)))
    );
}

#[tokio::test]
async fn life_of_a_token_that_is_confirmed_goes_on_although_its_record_may_be_forgotten() {
    let log = RemoteLog::default();
    let index = Index::follow(&log).await.unwrap();
    log.append(vec![Revocation::forever(
        Selector::grant("g2"),
        good().exp.unwrap() + Duration::from_secs(60),
    )])
    .await
    .unwrap();
    // The clock is a day ahead for one sweep.
    index.sweep(NumericDate::now() + Duration::from_secs(24 * 3600));
    assert!(!index.is_live(&good(), NumericDate::now()));
    let authority = service_fn(|_: Secret| std::future::ready(Ok::<_, BoxError>(Some(good()))));
    let policy = Policy::new().when_unknown(WhenUnknown::Introspect);
    let layer = over(&index).policy(policy).confirm_by(authority);
    let (sender, receiver) = std::sync::mpsc::channel();
    let api = layer.layer(service_fn(move |mut request: Request<Full<Bytes>>| {
        let life = request.extensions_mut().remove::<TokenLife>();
        sender.send(life.unwrap()).unwrap();
        std::future::ready(Ok::<_, BoxError>(Response::new(Full::<Bytes>::default())))
    }));
    api.oneshot(with_token()).await.unwrap();
    let life = receiver.recv().unwrap();
    assert_eq!(life.clone().ended(), None);
    log.append(forever(Selector::grant("g1"))).await.unwrap();
    let revoked = End::Revoked(Some(SelectorClass::Grant));
    assert_eq!(life.ended(), Some(revoked));
}

#[tokio::test]
async fn unknown_token_is_denied_without_an_authority() {
    let index = stale(&RemoteLog::default()).await;
    let layer = over(&index).policy(Policy::new().when_unknown(WhenUnknown::Introspect));
    assert_eq!(
        verdict(&layer, with_token()).await.1,
        Some(Verdict::Unknown)
    );
}

#[tokio::test]
async fn authority_is_not_asked_about_an_extension() {
    let index = stale(&RemoteLog::default()).await;
    let authority = service_fn(async |_: Secret| -> Result<Introspected, BoxError> {
        unreachable!("there is no token")
    });
    let layer = EnforcementLayer::from_extension(index)
        .policy(Policy::new().when_unknown(WhenUnknown::Introspect))
        .confirm_by(authority);
    let mut request = with_token();
    request.extensions_mut().insert(good());
    assert_eq!(verdict(&layer, request).await.1, Some(Verdict::Unknown));
}
