//! Another incarnation begins.

use super::{super::super::engine::Engine, Cursor, History, append, grant, poll};

/// The first who notices begins another life, and all see it. The records stay.
pub(crate) async fn lives<E: Engine>(one: &E, other: &E) {
    append(one, [grant(1)]).await;
    let before = poll(one, Cursor::default()).await;
    one.begin(before.incarnation).await.unwrap();
    let after = poll(other, before.upto).await;
    assert_ne!(after.incarnation, before.incarnation);
    assert_eq!(after.history, History::Same);
    // Who noticed as well is too late.
    other.begin(before.incarnation).await.unwrap();
    assert_eq!(poll(one, before.upto).await.incarnation, after.incarnation);
    assert_eq!(append(one, [grant(2)]).await.incarnation, after.incarnation);
    assert_eq!(poll(other, before.upto).await.records, [grant(2)]);
}
