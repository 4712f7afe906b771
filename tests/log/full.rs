//! A disk that is really full: a small file system in memory, where the test may mount one.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tower_revocation::{
    enforce::Index,
    log::{
        EmbeddedLog, LogErrorKind, NumericDate, Revocation, RevocationLog as _, Selector, Snapshot,
    },
};

/// A disk of 16 megabytes.
struct Disk(TempDir);

impl Disk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m", "none"])
            .arg(folder.path())
            .output();
        let mounted = mount.is_ok_and(|mount| mount.status.success());
        mounted.then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fills the remaining space.
    fn fill(&self) {
        let mut file = File::create(self.path().join("filler")).unwrap();
        for size in [64 * 1024, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// Returns more records than fit into the space that the file already has.
fn batch(number: usize) -> Vec<Revocation> {
    let names = (0..5000).map(|name| format!("{number} {name}"));
    names
        .map(|name| Revocation::forever(Selector::grant(&name), NumericDate::FOREVER))
        .collect()
}

#[tokio::test]
async fn full_disk_fails_appends_until_there_is_space_and_loses_nothing() {
    let Some(disk) = Disk::mount() else {
        eprintln!("skipped: only root can mount a file system");
        return;
    };
    let path = disk.path().join("log.redb");
    let log = EmbeddedLog::open(&path).unwrap();
    let index = Index::follow(&log).await.unwrap();
    disk.fill();
    let mut appended = 0;
    let error = loop {
        match log.append(batch(appended)).await {
            Ok(_) => appended += 1,
            Err(error) => break error,
        }
        assert!(appended < 1000, "the disk never fills");
    };
    assert_eq!(error.kind(), LogErrorKind::Storage, "{error:?}");
    assert!(error.retry_delay().is_some() && !log.health().is_writable());
    assert!(index.readiness().is_ready());

    // After a restart the disk is still full, and every acknowledged record is there.
    drop((index, log));
    let log = EmbeddedLog::open(&path).unwrap();
    let index = Index::follow(&log).await.unwrap();
    assert!(index.len() >= appended * 5000);

    fs::remove_file(disk.path().join("filler")).unwrap();
    let started = Instant::now();
    while log.append(batch(appended)).await.is_err() {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the log never recovers"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(log);
    let records = EmbeddedLog::open_existing(&path).unwrap();
    let records = Snapshot::of(&records).await.unwrap().records;
    assert_eq!(records.len(), (appended + 1) * 5000);
    assert_eq!(index.len(), records.len());
}
