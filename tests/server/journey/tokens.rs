//! The life of access tokens and refresh tokens.

use futures::future::join_all;

use crate::{
    http::{C1, C2, FullResponse, Http, POST, SPA, SPA2},
    process::{Server, folder},
};

#[tokio::test]
async fn every_client_gets_tokens_uses_them_revokes_them_and_is_refused() {
    server!(server, http);
    for credentials in [C1, C2, POST, SPA, SPA2] {
        let (access, refresh) = http.tokens(credentials).await;
        let me = http.me(&access).await;
        assert_eq!(
            (me.status.as_u16(), me.text("sub").as_str()),
            (200, "alice")
        );
        assert!(http.is_active(&access).await && http.is_active(&refresh).await);

        let response = http.revoke(credentials, &refresh).await;
        assert_eq!((response.status.as_u16(), response.body.len()), (200, 0));
        assert!(http.me(&access).await.is_refused_token());
        assert!(!http.is_active(&access).await && !http.is_active(&refresh).await);
        assert!(
            http.refresh(credentials, &refresh)
                .await
                .is_error(400, "invalid_grant")
        );
    }
    drop(server);
}

#[tokio::test]
async fn revoked_access_token_does_not_end_its_grant() {
    server!(server, http);
    let (access, refresh) = http.tokens(C1).await;
    assert_eq!(http.revoke(C1, &access).await.status, 200);
    assert!(http.me(&access).await.is_refused_token());
    let next = http.refresh(C1, &refresh).await.text("access_token");
    assert_eq!(http.me(&next).await.status, 200);
    drop(server);
}

#[tokio::test]
async fn token_of_another_client_is_refused_and_stays_live() {
    server!(server, http);
    let (access, refresh) = http.tokens(C2).await;
    for token in [&access, &refresh] {
        for credentials in [C1, SPA, POST] {
            assert!(
                http.revoke(credentials, token)
                    .await
                    .is_error(400, "invalid_grant")
            );
        }
        assert!(http.is_active(token).await);
    }
    drop(server);
}

#[tokio::test]
async fn unknown_and_revoked_tokens_get_the_same_response() {
    server!(server, http);
    let (access, _) = http.tokens(C1).await;
    let plain = |mut response: FullResponse| {
        response.headers.remove("date");
        format!("{response:?}")
    };
    let first = plain(http.revoke(C1, &access).await);
    assert_eq!(plain(http.revoke(C1, &access).await), first);
    assert_eq!(plain(http.revoke(C1, "45ghiukldjahdnhzdauz").await), first);
    drop(server);
}

#[tokio::test]
async fn reused_refresh_token_ends_its_grant() {
    server!(server, http);
    let (first_access, first) = http.tokens(C1).await;
    let response = http.refresh(C1, &first).await;
    let (access, refresh) = (
        response.text("access_token"),
        response.text("refresh_token"),
    );
    assert_ne!(first, refresh);
    assert_eq!(http.me(&access).await.status, 200);

    assert!(
        http.refresh(C1, &first)
            .await
            .is_error(400, "invalid_grant")
    );
    for access in [&first_access, &access] {
        assert!(http.me(access).await.is_refused_token());
    }
    assert!(
        http.refresh(C1, &refresh)
            .await
            .is_error(400, "invalid_grant")
    );
    drop(server);
}

#[tokio::test]
async fn refresh_can_narrow_the_scope_but_not_widen_it() {
    server!(server, http);
    let (_, refresh) = http.tokens(C1).await;
    let ask = async |token: &str, scope| {
        let parameters = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("scope", scope),
        ];
        http.post("/oauth2/token", C1, &parameters).await
    };
    assert!(
        ask(&refresh, "read admin")
            .await
            .is_error(400, "invalid_scope")
    );
    let less = ask(&refresh, "read").await;
    assert_eq!(less.text("scope"), "read");
    let me = http.me(&less.text("access_token")).await;
    assert_eq!(me.text("scope"), "read");
    // The scope of the grant is unchanged.
    let all = http.refresh(C1, &less.text("refresh_token")).await;
    assert_eq!(all.text("scope"), "read write");
    drop(server);
}

#[tokio::test]
async fn at_most_one_of_concurrent_refreshes_succeeds() {
    server!(server, http);
    let (_, refresh) = http.tokens(SPA).await;
    let responses = join_all((0..8).map(|_| http.refresh(SPA, &refresh))).await;
    assert_eq!(
        responses
            .iter()
            .filter(|response| response.status == 200)
            .count(),
        1
    );
    drop(server);
}

#[tokio::test]
async fn client_credentials_are_for_confidential_clients() {
    server!(server, http);
    let parameters = [("grant_type", "client_credentials")];
    for credentials in [C1, POST] {
        let response = http.post("/oauth2/token", credentials, &parameters).await;
        let access = response.text("access_token");
        assert_eq!(response.json().get("refresh_token"), None);
        assert_eq!(http.me(&access).await.text("client_id"), credentials.id());
        assert_eq!(http.revoke(credentials, &access).await.status, 200);
        assert!(http.me(&access).await.is_refused_token());
    }
    let response = http.post("/oauth2/token", SPA, &parameters).await;
    assert!(response.is_error(400, "unauthorized_client"));
    drop(server);
}
