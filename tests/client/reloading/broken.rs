//! Broken files keep the old clients.

use std::{
    error::Error as _,
    fs::{self, File},
    io,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use tower_revocation::client::registry::ReloadingRegistry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use super::{ONE, Reloading, TWO};

#[tokio::test]
async fn invalid_file_keeps_the_old_clients() {
    let reloading = Reloading::of(ONE);
    for (document, expected) in [
        (
            r#"[{ "client_id": "c1", "client_secret": ["s3cr3t-two"] }]"#.as_bytes(),
            "invalid client registry",
        ),
        (b"[{ \"client_id\": \"c1\" }]", "invalid client registry"),
        (b"not JSON: s3cr3t-two", "invalid client registry"),
        (b"\"s3cr3t-two\"", "invalid client registry"),
        (b"", "invalid client registry"),
        (b"\xff\xfe s3cr3t-two", "cannot read the client registry"),
    ] {
        reloading.write(document);
        let error = reloading.clients.reload().unwrap_err();
        assert_eq!(error.path(), reloading.path());
        let text = error.to_string();
        assert!(text.starts_with(expected), "{text}");
        let invalid = error.registry_error().is_some();
        assert_eq!(invalid, expected.starts_with("invalid"), "{text}");

        let last = reloading.clients.last_error().unwrap();
        let source = last.source().unwrap().to_string();
        assert_eq!(source, error.source().unwrap().to_string());
        for printed in [
            text,
            source,
            format!("{error:?}"),
            format!("{:?}", reloading.clients),
        ] {
            assert!(!printed.contains("s3cr3t"), "{printed}");
        }
        assert!(reloading.admits("c1", "s3cr3t-one").await);
    }
    reloading.write(TWO);
    reloading.clients.reload().unwrap();
    assert!(reloading.clients.last_error().is_none());
    assert!(reloading.admits("c1", "s3cr3t-two").await);
}

#[tokio::test]
async fn half_written_file_keeps_the_old_clients() {
    let reloading = Reloading::of(ONE);
    for written in 0..TWO.len() {
        reloading.write(&TWO[..written]);
        reloading.clients.reload().unwrap_err();
        assert!(reloading.admits("c1", "s3cr3t-one").await, "{written}");
    }
    reloading.write(TWO);
    assert!(reloading.clients.reload_if_changed().unwrap());
    assert!(reloading.admits("c1", "s3cr3t-two").await);
}

#[tokio::test]
async fn missing_file_keeps_the_old_clients() {
    let reloading = Reloading::of(ONE);
    fs::remove_file(reloading.path()).unwrap();
    for _ in 0..2 {
        let error = reloading.clients.reload_if_changed().unwrap_err();
        let source = error.source().unwrap().downcast_ref::<io::Error>();
        assert_eq!(source.unwrap().kind(), io::ErrorKind::NotFound);
        assert!(error.registry_error().is_none());
        assert!(reloading.clients.last_error().is_some());
    }
    assert!(reloading.admits("c1", "s3cr3t-one").await);

    // The same file is back.
    reloading.write(ONE);
    assert!(reloading.clients.reload_if_changed().unwrap());
    assert!(reloading.clients.last_error().is_none());
}

#[test]
fn first_file_must_be_valid() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("clients.json");
    assert!(ReloadingRegistry::open(&missing).is_err());
    assert!(ReloadingRegistry::open(folder.path()).is_err());
    fs::write(&missing, "[{").unwrap();
    let error = ReloadingRegistry::open(&missing).unwrap_err();
    assert_eq!(error.registry_error().unwrap().line(), 1);
}

#[test]
fn file_above_64_mib_is_refused() {
    let reloading = Reloading::of(ONE);
    let file = File::options().write(true).open(reloading.path()).unwrap();
    // Zeros, which take no space.
    file.set_len(64 * 1024 * 1024 + 1).unwrap();
    let error = reloading.clients.reload().unwrap_err();
    let source = error.source().unwrap().to_string();
    assert_eq!(source, "the file is larger than 64 MiB");
}

#[test]
fn invalid_file_stays_an_error_until_it_changes() {
    let reloading = Reloading::of(ONE);
    reloading.write_aged("[{", 30);
    for _ in 0..3 {
        let error = reloading.clients.reload_if_changed().unwrap_err();
        assert!(error.registry_error().is_some());
    }
    reloading.write_aged(ONE, 20);
    assert!(reloading.clients.reload_if_changed().unwrap());
    assert!(reloading.clients.last_error().is_none());
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn reloads_are_events_without_secrets() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let reloading = Reloading::of(ONE);
    reloading.clients.reload().unwrap();
    let text = lines.take();
    assert!(text.contains(" INFO tower_revocation: "), "{text}");
    assert!(
        text.contains("the client registry was reloaded clients=1"),
        "{text}"
    );

    reloading.write(r#"[{ "client_id": "c1", "client_secret": {"s3cr3t-two": 1} }]"#);
    reloading.clients.reload().unwrap_err();
    let text = lines.take();
    assert!(text.contains("ERROR tower_revocation: "), "{text}");
    assert!(text.contains("the last valid one stays in use"), "{text}");
    assert!(text.contains("line 1, column "), "{text}");
    assert!(!text.contains("s3cr3t"), "{text}");

    // The same failure again is no other event.
    reloading.clients.reload().unwrap_err();
    assert_eq!(lines.take(), "");
    fs::remove_file(reloading.path()).unwrap();
    reloading.clients.reload().unwrap_err();
    reloading.clients.reload_if_changed().unwrap_err();
    assert_eq!(lines.take().lines().count(), 1);
}

/// Reads the registry at every event, as a subscriber that reports the health of a server does.
struct ReadAtEvents(Mutex<mpsc::Sender<bool>>, ReloadingRegistry);

impl<S: tracing::Subscriber> Layer<S> for ReadAtEvents {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        let is_broken = self.1.last_error().is_some();
        self.0.lock().unwrap().send(is_broken).unwrap();
    }
}

#[test]
fn subscriber_may_read_the_registry_during_an_event() {
    let reloading = Reloading::of(ONE);
    let (seen, is_broken) = mpsc::channel();
    let clients = reloading.clients.clone();
    let path = reloading.path();
    // A thread of its own, because it would never end.
    std::thread::spawn(move || {
        let layer = ReadAtEvents(Mutex::new(seen), clients.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        let _guard = tracing::subscriber::set_default(subscriber);
        clients.reload().unwrap();
        fs::write(path, "[{").unwrap();
        clients.reload().unwrap_err();
    });
    let next = || is_broken.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!([next(), next()], [false, true]);
}
