//! Replay protection after a restore.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use futures::executor::block_on;
use tower_revocation::{
    ErrorKind,
    client::replay::{EmbeddedGuard, ReplayGuard},
    log::EmbeddedLog,
};

use super::{once, open, refusal, soon, use_up};

/// A log that was restored from a backup. One identifier was used before the backup, another one
/// after it.
fn restored(folder: &Path, used_before: bool) -> PathBuf {
    let [path, backup, copy] = ["log", "backup", "copy"].map(|name| folder.join(name));
    let log = EmbeddedLog::open(&path).unwrap();
    let guard = EmbeddedGuard::open(log.clone()).unwrap();
    if used_before {
        assert!(use_up(&guard, 1));
    }
    block_on(log.backup(&backup)).unwrap();
    assert!(use_up(&guard, 2));
    drop((guard, log));
    drop(EmbeddedLog::restore(&backup, &copy).unwrap());
    copy
}

#[test]
fn identifier_used_after_the_backup_is_refused_after_a_restore() {
    for used_before in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let path = restored(folder.path(), used_before);
        // Also after a restart.
        for _ in 0..2 {
            let guard = open(&path);
            let again = refusal(block_on(guard.use_up(once(2), soon())));
            assert_eq!(again.kind(), ErrorKind::Unavailable);
            // An identifier that is known to be used is certainly used.
            if used_before {
                assert!(!use_up(&guard, 1));
            }
        }
    }
}

#[test]
fn expiry_after_the_doubtful_time_is_accepted_after_a_restore() {
    let folder = tempfile::tempdir().unwrap();
    let path = restored(folder.path(), true);
    let minutes = |count: u64| SystemTime::now() + Duration::from_secs(60 * count);
    let guard = open(&path).max_lifetime(Duration::from_secs(60));
    block_on(guard.use_up(once(3), minutes(2))).unwrap_err();
    assert!(block_on(guard.use_up(once(4), minutes(5))).unwrap());
    // By default assertions live for an hour.
    let guard = guard.max_lifetime(Duration::from_secs(60 * 60));
    block_on(guard.use_up(once(5), minutes(60))).unwrap_err();
    assert!(block_on(guard.use_up(once(6), minutes(65))).unwrap());
}
