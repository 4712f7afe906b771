//! What may be used only once: who wins, what expires, and what is forgotten.

use super::{
    super::super::{
        super::NumericDate,
        engine::Engine,
        once::{
            OnceResult::{self, Forgotten, Fresh, FullQuota, Used},
            OnceUse,
        },
    },
    line,
};

pub(crate) fn soon() -> u64 {
    NumericDate::now().seconds() + 60
}

/// One of two clients has the odd numbers, and the other one the even numbers.
pub(crate) fn identifier(number: u8, expires: u64) -> OnceUse {
    OnceUse {
        digest: [number; 32],
        client: [b'a' + number % 2; 16],
        expires,
        quota: 3,
    }
}

pub(crate) async fn use_up<E: Engine>(log: &E, once: OnceUse) -> OnceResult {
    let store = log.once_store().unwrap();
    let used = store.use_up(once).await;
    used.unwrap_or_else(|error| panic!("{}", line(&error)))
}

/// An identifier counts until it expires, and within a quota, whichever node asks. `expire` makes the
/// entries 1, 3 and 5 expire, and may do so with all.
pub(crate) async fn once<E: Engine>(one: &E, two: &E, expire: impl FnOnce()) {
    let soon = soon();
    assert_eq!(use_up(one, identifier(1, soon)).await, Fresh);
    assert_eq!(use_up(one, identifier(1, soon)).await, Used);
    assert_eq!(use_up(two, identifier(1, soon + 9)).await, Used);
    // Together, too: the first decides.
    let at_once = [3, 3, 5, 7, 9, 2].map(|number| use_up(two, identifier(number, soon)));
    let at_once = futures::future::join_all(at_once).await;
    assert_eq!(at_once, [Fresh, Used, Fresh, FullQuota, FullQuota, Fresh]);
    // A use is recognised even if the quota is used up.
    assert_eq!(use_up(two, identifier(1, soon)).await, Used);
    assert_eq!(use_up(two, identifier(4, 1)).await, Used, "expired");

    // As after a minute. An expired entry does not count, and its identifier is free.
    expire();
    assert_eq!(use_up(one, identifier(7, soon)).await, Fresh);
    assert_eq!(use_up(one, identifier(1, soon)).await, Fresh);
    assert_eq!(use_up(two, identifier(1, soon)).await, Used);
}

/// What was swept is not used again if the clock goes back. `expire` makes the entry 1 expire, and
/// `ahead` makes it look as if the clock had been at that time during the sweep.
pub(crate) async fn swept_uses<E: Engine>(log: &E, expire: impl FnOnce(), ahead: impl FnOnce(u64)) {
    let soon = soon();
    assert_eq!(use_up(log, identifier(1, soon)).await, Fresh);
    assert_eq!(use_up(log, identifier(2, soon)).await, Fresh);
    expire();
    log.sweep().await.unwrap();
    assert_eq!(use_up(log, identifier(2, soon)).await, Used);

    ahead(soon);
    assert_eq!(use_up(log, identifier(1, soon)).await, Forgotten);
    assert_eq!(use_up(log, identifier(1, soon + 1)).await, Fresh);
}
