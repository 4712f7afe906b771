//! Requests with a date.

use super::*;

/// Returns whether a request revokes tokens that were issued at these seconds.
async fn revoked(request: AdminRequest, issued: &[NumericDate]) -> (AdminResponse, Vec<bool>) {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let response = carry_out(&log, request).await;
    let covers = |iat: &NumericDate| index.covers(&token_with(|token| token.iat = Some(*iat)));
    (response, issued.iter().map(covers).collect())
}

#[tokio::test]
async fn request_with_a_date_spares_newer_tokens() {
    let date = |seconds: i64| NumericDate::from(1_300_819_380 + seconds);
    for target in [
        Target::Subject("alice".into()),
        Target::Client("c1".into()),
        Target::Key([1; 32]),
        Target::Issuer(ISSUER.into()),
    ] {
        let request = AdminRequest::new(target).before(date(0));
        let (response, revoked) = revoked(request, &[date(-1), date(0), date(1)]).await;
        assert_eq!(response.not_before, date(0));
        assert_eq!(revoked, [true, true, false]);
    }
}

#[tokio::test]
async fn date_in_the_future_counts_as_now() {
    for date in [NumericDate::now() + HOUR, NumericDate::FOREVER] {
        let now = NumericDate::now();
        let request = AdminRequest::new(Target::Subject("alice".into())).before(date);
        let (response, revoked) = revoked(request, &[now, now + HOUR]).await;
        assert!(response.not_before >= now && response.not_before < now + HOUR);
        assert_eq!(revoked, [true, false]);
    }
}

#[tokio::test]
async fn date_before_1970_spares_every_token() {
    let request = AdminRequest::new(Target::Subject("alice".into())).before(-1_i64);
    let (response, revoked) = revoked(request, &[NumericDate::from(1_i64)]).await;
    assert_eq!((response.not_before.seconds(), revoked), (0, vec![false]));
}

#[tokio::test]
async fn date_is_ignored_for_tokens_grants_and_sessions() {
    for target in [
        Target::of_token(&token()).unwrap(),
        Target::Grant("g1".into()),
        Target::Session("s1".into()),
    ] {
        let request = AdminRequest::new(target).before(NumericDate::new(1));
        let (response, revoked) = revoked(request, &[NumericDate::now() + HOUR]).await;
        assert_eq!(
            (response.not_before, revoked),
            (NumericDate::FOREVER, vec![true])
        );
    }
}

#[tokio::test]
async fn date_with_a_fraction_covers_its_whole_second() {
    let date = std::time::UNIX_EPOCH + Duration::from_millis(1_300_819_380_001);
    let request = AdminRequest::new(Target::Subject("alice".into())).before(date);
    let second = NumericDate::new(1_300_819_380);
    let next = NumericDate::new(1_300_819_381);
    let (_, revoked) = revoked(request, &[second, next]).await;
    assert_eq!(revoked, [true, false]);
}

#[tokio::test]
async fn request_with_an_earlier_date_restores_nothing() {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let request = AdminRequest::new(Target::Subject("alice".into()));
    carry_out(&log, request.clone()).await;
    carry_out(&log, request.before(1_i64)).await;
    assert!(index.covers(&token()));
}
