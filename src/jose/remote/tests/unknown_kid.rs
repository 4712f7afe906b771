//! Fetches for keys that the cached set does not have.

use super::*;

#[tokio::test(start_paused = true)]
async fn unknown_kid_causes_one_fetch_per_cool_down() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache();
    cache.keys(URI, Some("k1")).await.unwrap();

    source.replies(Reply::Keys("k2", None));
    assert!(cache.keys(URI, Some("k2")).await.unwrap().has_kid("k2"));
    assert_eq!(source.asked(), 2);

    source.replies(Reply::Keys("k3", None));
    for kid in 0..1000 {
        let keys = cache
            .keys(URI, Some(&format!("random-{kid}")))
            .await
            .unwrap();
        assert!(keys.has_kid("k2"));
    }
    assert_eq!(source.asked(), 2);

    seconds(60).await;
    assert!(cache.keys(URI, Some("k3")).await.unwrap().has_kid("k3"));
    assert_eq!(source.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_random_kids_at_once_cause_one_fetch() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    let kids: Vec<_> = (0..1000).map(|kid| format!("random-{kid}")).collect();
    for keys in join_all(kids.iter().map(|kid| cache.keys(URI, Some(kid)))).await {
        assert!(keys.unwrap().has_kid("k1"));
    }
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn first_fetch_without_the_kid_is_not_repeated_in_the_same_call() {
    let source = source(Reply::Keys("k1", None));
    assert!(
        !source
            .cache()
            .keys(URI, Some("k9"))
            .await
            .unwrap()
            .has_kid("k9")
    );
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn known_kids_do_not_wait_for_an_unknown_one() {
    let source = source(Reply::Keys("k1", None));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    source.hold();
    let mut asking = Box::pin(cache.keys(URI, Some("k2")));
    assert!(futures::poll!(&mut asking).is_pending());
    assert!(cache.keys(URI, Some("k1")).await.unwrap().has_kid("k1"));
    source.permits.add_permits(1);
    asking.await.unwrap();
}
