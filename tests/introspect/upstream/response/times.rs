//! How `exp` and `iat` are read.

use super::*;

#[tokio::test]
async fn fraction_of_a_second_is_dropped() {
    let server = Server::json(active(json!({ "iat": 1000.9, "exp": 4e9, "nbf": 1e3 }))).await;
    let token = ask(&server.uncached(), "t").await.unwrap().unwrap();
    assert_eq!(token.iat, Some(NumericDate::new(1000)));
    assert_eq!(token.exp, Some(NumericDate::new(4_000_000_000)));
    assert_eq!(token.nbf, Some(NumericDate::new(1000)));
}

#[tokio::test]
async fn exp_beyond_the_calendar_is_limited_by_the_longest_lifetime() {
    let server = Server::json(json!({})).await;
    let iat = NumericDate::now();
    let hour = Duration::from_secs(3600);
    for exp in [
        json!(253_402_300_800_u64),
        json!(1_893_456_000_000_u64),
        json!(u64::MAX),
        json!(1e300),
    ] {
        server.says(&active(json!({ "exp": exp, "iat": iat.seconds() })));
        let token = ask(&server.uncached(), "t").await.unwrap().unwrap();
        assert_eq!(token.exp, None, "{exp}");
        let upstream = server
            .uncached_builder()
            .longest_lifetime(hour)
            .build()
            .unwrap();
        let token = ask(&upstream, "t").await.unwrap().unwrap();
        assert_eq!(token.exp, Some(iat + hour), "{exp}");
    }
    // A token that is too old is no fault of the server.
    let old = iat.seconds() - 7200;
    server.says(&active(json!({ "exp": iat.seconds() + 7200, "iat": old })));
    let upstream = server.uncached_builder().longest_lifetime(hour);
    let token = ask(&upstream.build().unwrap(), "t").await.unwrap().unwrap();
    assert!(token.is_too_old(iat));
    // An earlier `exp` stays as it is.
    let early = iat.seconds() + 60;
    server.says(&active(json!({ "exp": early, "iat": iat.seconds() })));
    let upstream = server
        .uncached_builder()
        .longest_lifetime(hour)
        .build()
        .unwrap();
    let token = ask(&upstream, "t").await.unwrap().unwrap();
    assert_eq!(token.exp, Some(NumericDate::new(early)));
}

#[tokio::test]
async fn exp_of_zero_means_never() {
    // Keycloak writes it for offline tokens. If they counted as expired, revoking them would
    // succeed although they stay live.
    let server = Server::json(active(json!({ "exp": 0 }))).await;
    let token = ask(&server.uncached(), "t").await.unwrap().unwrap();
    assert_eq!(token.exp, None);
}
