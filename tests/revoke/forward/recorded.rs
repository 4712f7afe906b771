//! What is recorded of a forwarded revocation?

use super::*;

/// The token of [`C1`] after its expiry.
fn expired() -> Introspection {
    let mut known = known(&Secret::new("refresh.c1.g1")).unwrap();
    known.exp = Some(NumericDate::new(1000));
    known
}

/// Some servers respond with 200 for the token of another client, or to every request.
#[tokio::test]
async fn success_of_the_other_server_records_only_the_token_of_an_unverified_client() {
    let server = success().await;
    let (backend, log) = forward(&server);
    assert_eq!(send(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log).await, [token_selector("refresh.c1.g1")]);

    let (backend, log) = forward(&server);
    assert_eq!(send_verified(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log).await, [Selector::grant("g1")]);
}

#[tokio::test]
async fn second_introspection_decides_what_is_recorded() {
    let server = success().await;
    for (second, expected, records) in [
        (
            Ok(Introspected::Unrecognised(Reason::Unrecognised)),
            200,
            vec![Selector::grant("g1")],
        ),
        (Ok(expired().into()), 200, vec![Selector::grant("g1")]),
        // The revocation had no effect, although the server reported success.
        (
            Ok(known(&Secret::new("refresh.c1.g1")).unwrap().into()),
            503,
            vec![],
        ),
        // The introspection still knows the token, and says that it is dead.
        (
            Ok(revoked("refresh.c1.g1")),
            200,
            vec![Selector::grant("g1")],
        ),
        (Err("down"), 503, vec![token_selector("refresh.c1.g1")]),
    ] {
        let (backend, log) = forward(&server);
        let backend = backend.confirm_by(service_fn(move |_: Secret| {
            ready(second.clone().map_err(BoxError::from))
        }));
        assert_eq!(send(&backend, form(C1)).await.status, expected);
        assert_eq!(recorded(&log).await, records);
    }
}

/// Nobody says anything about a token whose issuer is not asked.
#[tokio::test]
async fn second_introspection_counts_for_the_tokens_of_its_issuers_only() {
    const SHOP: &str = "https://shop.example.com";
    let server = success().await;
    for (iss, expected) in [
        (Some(SHOP), Selector::grant("g1")),
        (
            Some("https://bank.example.com"),
            token_selector("refresh.c1.g1"),
        ),
        (
            Some("https://shop.example.com/"),
            token_selector("refresh.c1.g1"),
        ),
        (None, token_selector("refresh.c1.g1")),
    ] {
        let introspect = service_fn(move |token: Secret| {
            let mut known = known(&token).unwrap();
            known.iss = iss.map(str::to_owned);
            ready(Ok::<_, BoxError>(Some(known)))
        });
        let log = MemoryLog::new();
        let record = RecordRevocation::new(introspect, log.clone());
        let backend = ForwardRevocation::new(&server.uri(), record)
            .unwrap()
            .confirm_by(service_fn(|_: Secret| {
                ready(Ok::<_, BoxError>(None::<Introspection>))
            }))
            .confirm_tokens_of([SHOP]);
        assert_eq!(send(&backend, form(C1)).await.status, 200);
        assert_eq!(recorded(&log).await, [expected], "{iss:?}");
    }
}

fn revoked(token: &str) -> Introspected {
    let mut token = known(&Secret::new(token)).unwrap();
    token.revoked = true;
    token.into()
}

/// If the client is verified, the rest of the grant is recorded. An unverified client learns
/// nothing and changes nothing.
#[tokio::test]
async fn token_that_is_already_revoked_is_not_recorded_again() {
    let server = success().await;
    let log = MemoryLog::new();
    let introspect = service_fn(|token: Secret| {
        let known = known(&token).map(|_| revoked(token.expose()));
        ready(Ok::<_, BoxError>(known.unwrap_or(None.into())))
    });
    let backend = ForwardRevocation::new(
        &server.uri(),
        RecordRevocation::new(introspect, log.clone()),
    )
    .unwrap();
    assert_eq!(send(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log).await, []);
    let of_another = "client_id=c2&token=refresh.c1.g1";
    assert_eq!(
        send(&backend, form(of_another)).await.error,
        "invalid_grant"
    );
    assert_eq!(send_verified(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log).await, [Selector::grant("g1")]);
}

#[tokio::test]
async fn token_of_another_client_is_invalid_grant_and_is_not_recorded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    let of_another = "client_id=c2&token=refresh.c1.g1";
    let response = send_verified(&backend, form(of_another)).await;
    assert_eq!(
        (response.status.as_u16(), &*response.error),
        (400, "invalid_grant")
    );
    assert_eq!(server.asked(), 0);

    // For an unverified client, the other server decides first.
    server.does(Does::Respond(with_status(401)));
    assert_eq!(send(&backend, form(of_another)).await.status, 401);
    server.does(Does::Respond(Response::new(Full::default())));
    let response = send(&backend, form(of_another)).await;
    assert_eq!(
        (response.status.as_u16(), &*response.error),
        (400, "invalid_grant")
    );
    assert_eq!(recorded(&log).await, []);
}

#[tokio::test]
async fn token_without_a_selector_is_forwarded_and_not_recorded() {
    let server = success().await;
    let nameless = service_fn(async |_: Secret| {
        Ok::<_, BoxError>(Some(Introspection::new(TokenKind::AccessToken, "c1")))
    });
    let log = MemoryLog::new();
    let record = RecordRevocation::new(nameless, log.clone());
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    assert_eq!(send(&backend, form(C1)).await.status, 200);
    assert_eq!(server.asked(), 1);
    assert_eq!(recorded(&log).await, []);
}
