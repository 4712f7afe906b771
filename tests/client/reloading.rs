//! A registry that reloads from its file.

use std::{
    error::Error as _,
    fs::{self, File},
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use hyper::Request;
use hyper_util::rt::TokioTimer;
use serde_json::json;
use tempfile::TempDir;
use tower_revocation::{
    ErrorKind,
    client::{
        Basic, Credentials,
        assertion::Assertions,
        registry::{ClientAuthenticator, Clients as _, ReloadingRegistry},
    },
};

use crate::{
    fixture::{ISSUER, PK, by, pk},
    jwks_uri::serve,
};

const ONE: &str = r#"[{ "client_id": "c1", "client_secret": "s3cr3t-one" }]"#;
/// As long as `ONE`.
const TWO: &str = r#"[{ "client_id": "c1", "client_secret": "s3cr3t-two" }]"#;

/// A file in a folder of its own, and the registry in it.
struct Reloading {
    folder: TempDir,
    clients: ReloadingRegistry,
}

impl Reloading {
    fn of(document: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clients.json");
        fs::write(&path, document).unwrap();
        let clients = ReloadingRegistry::open(&path).unwrap();
        Self { folder, clients }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("clients.json")
    }

    fn write(&self, document: impl AsRef<[u8]>) {
        fs::write(self.path(), document).unwrap();
    }

    /// Writes a file whose modification time is an hour and some seconds ago.
    fn write_aged(&self, document: &str, seconds: u64) {
        self.write(document);
        let modified = SystemTime::now() - Duration::from_secs(3600 + seconds);
        let file = File::options().write(true).open(self.path()).unwrap();
        file.set_modified(modified).unwrap();
    }

    async fn admits(&self, client_id: &str, secret: &str) -> bool {
        admits(&self.clients, client_id, secret).await
    }
}

async fn admits(clients: &ReloadingRegistry, client_id: &str, secret: &str) -> bool {
    let authenticator = ClientAuthenticator::new(clients.clone());
    let basic = Basic::new(format!("{client_id}:{secret}")).unwrap();
    let request = Request::new(Credentials::Basic(basic));
    match authenticator.authenticate(&request).await {
        Ok(client) => client.client_id() == client_id,
        Err(error) if error.kind() == ErrorKind::InvalidClient => false,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn reload_adds_changes_and_removes_clients() {
    let reloading = Reloading::of(
        r#"[
            { "client_id": "changed", "client_secret": "old" },
            { "client_id": "removed", "client_secret": "s" }
        ]"#,
    );
    let authenticator = ClientAuthenticator::new(reloading.clients.clone());
    let by = async |client_id: &str, secret: &str| {
        let basic = Basic::new(format!("{client_id}:{secret}")).unwrap();
        let request = Request::new(Credentials::Basic(basic));
        authenticator.authenticate(&request).await.is_ok()
    };
    assert!(by("changed", "old").await && by("removed", "s").await);

    reloading.write(
        r#"[
            { "client_id": "changed", "client_secret": "new" },
            { "client_id": "added", "client_secret": "s" }
        ]"#,
    );
    assert!(by("changed", "old").await, "nothing reloads by itself");
    reloading.clients.reload().unwrap();
    assert!(by("changed", "new").await && !by("changed", "old").await);
    assert!(by("added", "s").await && !by("removed", "s").await);
}

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

#[tokio::test]
async fn unchanged_file_is_not_reloaded() {
    let reloading = Reloading::of(ONE);
    assert!(!reloading.clients.reload_if_changed().unwrap());
    reloading.write(ONE);
    assert!(!reloading.clients.reload_if_changed().unwrap());
    reloading.clients.reload().unwrap();

    // A young file is compared by its content, even if its time and length are the same.
    reloading.write(TWO);
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

#[tokio::test]
async fn reload_keeps_the_keys_that_were_fetched() {
    let (remote, uri, fetches) = serve(PK.jwks(&json!({ "kid": "k1" }))).await;
    let document = |name: &str| {
        json!({
            "client_id": "pk-client",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": uri,
            "client_name": name,
        })
        .to_string()
    };
    let reloading = Reloading::of(&document("one"));
    let authenticator = ClientAuthenticator::new(reloading.clients.clone())
        .assertions(Assertions::new(ISSUER))
        .remote_keys(remote);
    assert_eq!(by(&authenticator, &pk(&json!({}))).await.status, 200);

    reloading.write(document("two"));
    reloading.clients.reload().unwrap();
    let client = reloading
        .clients
        .client("pk-client")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(client.client_name(), Some("two"));
    assert_eq!(by(&authenticator, &pk(&json!({}))).await.status, 200);
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn reload_does_not_admit_a_used_assertion() {
    let document = |name: &str| {
        json!({
            "client_id": "pk-client",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": PK.jwks(&json!({ "kid": "k1" })),
            "client_name": name,
        })
        .to_string()
    };
    let reloading = Reloading::of(&document("one"));
    let authenticator =
        ClientAuthenticator::new(reloading.clients.clone()).assertions(Assertions::new(ISSUER));
    let assertion = pk(&json!({}));
    assert_eq!(by(&authenticator, &assertion).await.status, 200);
    reloading.write(document("two"));
    reloading.clients.reload().unwrap();
    assert_eq!(by(&authenticator, &assertion).await.status, 401);
}

#[tokio::test]
async fn reload_counts_password_hashes_again() {
    let reloading = Reloading::of(ONE);
    assert!(!reloading.clients.have_password_hashes());
    let hash = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
    reloading.write(json!({ "client_id": "c1", "client_secret_hash": hash }).to_string());
    reloading.clients.reload().unwrap();
    assert!(reloading.clients.have_password_hashes());
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
