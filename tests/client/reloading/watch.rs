//! When a file is reloaded.

#[cfg(unix)]
use std::fs;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use hyper_util::rt::TokioTimer;
use serde_json::json;

use super::{ONE, Reloading, TWO, admits};

#[tokio::test]
async fn unchanged_file_is_not_reloaded() {
    let reloading = Reloading::of(ONE);
    assert!(!reloading.clients.reload_if_changed().unwrap());
    reloading.write(ONE);
    assert!(!reloading.clients.reload_if_changed().unwrap());
    reloading.clients.reload().unwrap();

    // A young file is compared by its content, even if its time and length are the same.
    let now = SystemTime::now();
    reloading.write_at(ONE, now);
    assert!(!reloading.clients.reload_if_changed().unwrap());
    reloading.write_at(TWO, now);
    assert!(reloading.clients.reload_if_changed().unwrap());
    assert!(!reloading.clients.reload_if_changed().unwrap());

    // An old one by its time and its length.
    reloading.write_aged(ONE, 30);
    assert!(reloading.clients.reload_if_changed().unwrap());
    assert!(!reloading.clients.reload_if_changed().unwrap());
    reloading.write_aged(TWO, 20);
    assert!(reloading.clients.reload_if_changed().unwrap());
    reloading.write_aged(&format!("{ONE} "), 20);
    assert!(reloading.clients.reload_if_changed().unwrap());
    assert!(reloading.admits("c1", "s3cr3t-one").await);
}

/// The files of images and of package managers often have the same time: 1970.
#[cfg(unix)]
#[tokio::test]
async fn another_file_of_the_same_length_and_time_is_noticed() {
    let reloading = Reloading::of(ONE);
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let [one, two] = ["one.json", "two.json"].map(|name| reloading.folder.path().join(name));
    reloading.write_at(ONE, old);
    fs::rename(reloading.path(), &one).unwrap();
    reloading.write_at(TWO, old);
    fs::rename(reloading.path(), &two).unwrap();

    std::os::unix::fs::symlink(&one, reloading.path()).unwrap();
    // A file is young for two seconds.
    std::thread::sleep(Duration::from_millis(2100));
    assert!(!reloading.clients.reload_if_changed().unwrap());
    assert!(!reloading.clients.reload_if_changed().unwrap());

    fs::remove_file(reloading.path()).unwrap();
    std::os::unix::fs::symlink(&two, reloading.path()).unwrap();
    assert!(reloading.clients.reload_if_changed().unwrap());
    assert!(reloading.admits("c1", "s3cr3t-two").await);
    // The same file, written in place.
    fs::write(&two, ONE).unwrap();
    let file = fs::File::options().write(true).open(&two).unwrap();
    file.set_modified(old).unwrap();
    assert!(reloading.clients.reload_if_changed().unwrap());
    assert!(reloading.admits("c1", "s3cr3t-one").await);
}

#[tokio::test(start_paused = true)]
async fn watch_reloads_the_file_when_it_changes() {
    let reloading = Reloading::of(ONE);
    let interval = Duration::from_secs(10);
    let watch = tokio::spawn(reloading.clients.watch(TokioTimer::new(), interval));
    reloading.write(TWO);
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(reloading.admits("c1", "s3cr3t-one").await);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(reloading.admits("c1", "s3cr3t-two").await);

    reloading.write("[{");
    tokio::time::sleep(interval).await;
    assert!(reloading.clients.last_error().is_some());
    reloading.write(ONE);
    tokio::time::sleep(interval).await;
    assert!(reloading.clients.last_error().is_none());
    assert!(reloading.admits("c1", "s3cr3t-one").await);

    // It ends with the last clone.
    let Reloading { folder, clients } = reloading;
    drop(clients);
    watch.await.unwrap();
    drop(folder);
}

#[test]
#[should_panic(expected = "the interval of a watch is zero")]
fn watch_needs_an_interval() {
    let reloading = Reloading::of(ONE);
    drop(reloading.clients.watch(TokioTimer::new(), Duration::ZERO));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn authentications_succeed_while_the_file_reloads() {
    // Both documents have the client `c1`, whose secret changes, and `stable`.
    let document = |secret: &str, more: usize| {
        let mut clients = vec![
            json!({ "client_id": "stable", "client_secret": "stable" }),
            json!({ "client_id": "c1", "client_secret": secret }),
        ];
        clients
            .extend((0..more).map(|n| json!({ "client_id": n.to_string(), "client_secret": "s" })));
        json!(clients).to_string()
    };
    let reloading = Reloading::of(&document("s3cr3t-one", 0));
    let done = Arc::new(AtomicBool::new(false));

    let authentications: Vec<_> = (0..8)
        .map(|_| {
            let (clients, done) = (reloading.clients.clone(), done.clone());
            tokio::spawn(async move {
                let mut times = 0;
                while !done.load(Ordering::Relaxed) || times < 50 {
                    assert!(admits(&clients, "stable", "stable").await);
                    assert!(!admits(&clients, "c1", "s3cr3t-three").await);
                    times += 1;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let reloads: Vec<_> = (0..2)
        .map(|_| {
            let clients = reloading.clients.clone();
            let done = done.clone();
            std::thread::spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    // Fails for each file that is half written.
                    let _ = clients.reload_if_changed();
                }
            })
        })
        .collect();
    for round in 0..50 {
        let secret = ["s3cr3t-one", "s3cr3t-two"][round % 2];
        let document = document(secret, round * 4);
        reloading.write(&document[..document.len() / 2]);
        std::thread::yield_now();
        reloading.write(&document);
    }
    done.store(true, Ordering::Relaxed);
    for authentication in authentications {
        authentication.await.unwrap();
    }
    for reload in reloads {
        reload.join().unwrap();
    }
    reloading.clients.reload().unwrap();
    assert!(reloading.admits("c1", "s3cr3t-two").await);
    assert!(reloading.admits("195", "s").await);
}
