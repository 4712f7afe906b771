//! A registry that reloads from its file.

mod broken;
mod prepared;
mod watch;

use std::{
    fs::{self, File},
    path::PathBuf,
    sync::atomic::Ordering,
    time::{Duration, SystemTime},
};

use hyper::Request;
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
        self.write_at(
            document,
            SystemTime::now() - Duration::from_secs(3600 + seconds),
        );
    }

    /// Writes a file with this modification time.
    fn write_at(&self, document: &str, modified: SystemTime) {
        self.write(document);
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
