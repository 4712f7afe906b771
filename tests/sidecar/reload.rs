//! The configuration and its files are read again, wholly or not at all.

use std::time::Instant;

use rcgen::generate_simple_self_signed;
use tower_revocation::test_util::TestIssuer;

use super::{
    http::Http,
    process::{Sidecar, TIMEOUT, output, program, write},
    world::{OTHER, SHOP, World},
};

const USED: &str = "the configuration was read again, and is in use";
const REFUSED: &str = "the configuration is wrong: the one before stays in use";

async fn series(admin: &Http, name: &str) -> Option<f64> {
    let text = admin.get("/metrics").await.text;
    let line = text.lines().find(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with([' ', '{']))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_file_is_used_without_a_signal_and_without_a_restart() {
    let world = World::new().await;
    let sidecar = world.start("");
    let http = Http::to(sidecar.url("gateway.listen"));
    assert_eq!(http.get("/public").await.status, 401);

    let text = world.config("routes = [{ path = \"/public\", token = \"optional\" }]\n");
    world.write("config.toml", &text);
    sidecar.wait_for(USED);
    assert_eq!(http.get("/public").await.status, 200);
    assert_eq!(http.get("/private").await.status, 401);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_file_keeps_the_old_one_and_says_so_until_it_is_mended() {
    let world = World::new().await;
    let good = world.config("routes = [{ path = \"/public\", token = \"optional\" }]\n");
    let sidecar = Sidecar::start(&world.write("config.toml", &good));
    let http = Http::to(sidecar.url("gateway.listen"));
    let admin = Http::to(sidecar.url("admin.listen"));
    assert_eq!(
        series(&admin, "sidecar_config_reload_successful").await,
        Some(1.0)
    );

    for (times, (broken, expected)) in [
        ("[gateway", "config.toml:1: "),
        (
            "[log]\npath = \"x\"\n[gateway]\nlisten = \"127.0.0.1:0\"\n",
            "issuer: missing",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        world.write("config.toml", broken);
        sidecar.wait_for_times(REFUSED, times + 1);
        assert!(sidecar.log().contains(expected), "{}", sidecar.log());
        // The old one serves, and the process stays ready.
        assert_eq!(http.get("/public").await.status, 200);
        assert_eq!(http.get_with("/private", &world.token()).await.status, 200);
        let ready = admin.get("/readyz").await;
        assert_eq!(ready.status, 200);
        let warning = ready.json()["warnings"][0].clone();
        assert_eq!(warning["part"], "configuration");
        assert!(
            warning["reason"].as_str().unwrap().contains(expected),
            "{warning}"
        );
        assert_eq!(
            series(&admin, "sidecar_config_reload_successful").await,
            Some(0.0)
        );
    }
    // It is not read again and again while it stays the same.
    sidecar.signal("HUP");
    sidecar.wait_for_times(REFUSED, 3);

    world.write("config.toml", &good);
    sidecar.wait_for(USED);
    assert_eq!(
        series(&admin, "sidecar_config_reload_successful").await,
        Some(1.0)
    );
    assert!(
        admin.get("/readyz").await.json()["warnings"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    sidecar.end();
}

/// Probes ask the process, not the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_find_the_socket_in_a_broken_file() {
    let world = World::new().await;
    let good = world.config("");
    let sidecar = Sidecar::start(&world.write("config.toml", &good));
    for (times, broken) in [
        format!("{good}[gatway]\n"),
        format!("{good}authorization = \n"),
        good.replace("[log]", "[log"),
    ]
    .into_iter()
    .enumerate()
    {
        let config = world.write("config.toml", &broken);
        sidecar.wait_for_times(REFUSED, times + 1);
        let healthy = output(program().args(["health", "--config"]).arg(&config), "");
        assert!(healthy.status.success(), "{broken}: {healthy:?}");
    }
    sidecar.end();
}

/// A pipe that nobody writes to never ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipe_is_refused_and_holds_nothing_up() {
    let world = World::new().await;
    let sidecar = world.start(&world.terminate());
    let pipe = world.path("pipe");
    let made = output(std::process::Command::new("mkfifo").arg(&pipe), "");
    assert!(made.status.success(), "{made:?}");
    std::fs::rename(&pipe, world.path("clients.json")).unwrap();
    sidecar.wait_for("revoke.clients: ");
    sidecar.wait_for("expected a file, not a folder");
    let config = world.path("config.toml");
    let mut check = program();
    let checked = output(check.args(["--check", "--config"]).arg(&config), "");
    assert_eq!(checked.status.code(), Some(2), "{checked:?}");
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_of_a_listener_or_of_the_log_needs_a_restart() {
    let world = World::new().await;
    let good = world.config("");
    let sidecar = Sidecar::start(&world.write("config.toml", &good));
    let http = Http::to(sidecar.url("gateway.listen"));
    let optional = "routes = [{ path = \"/public\", token = \"optional\" }]\n";
    for (times, (changed, key)) in [
        (
            good.replace("log.redb", "other.redb"),
            "log: a change needs a restart",
        ),
        (
            good.replace(
                "listen = \"127.0.0.1:0\"\nupstream",
                "listen = \"[::1]:0\"\nupstream",
            ),
            "gateway.listen: a change needs a restart",
        ),
        (
            good.replace("admin.sock", "b.sock"),
            "admin.socket: a change needs a restart",
        ),
        (
            format!("{good}[limits]\nconnections = 5\n"),
            "limits: a change needs a restart",
        ),
        (
            good.replace("timeout = \"1s\"", "timeout = \"3s\""),
            "run.shutdown_timeout: a change needs a restart",
        ),
        (
            format!("{good}[verify]\nlisten = \"127.0.0.1:0\"\n"),
            "verify.listen: a change needs a restart",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        // Wholly or not at all: the route is not added either.
        let changed = changed.replace("[gateway]\n", &format!("[gateway]\n{optional}"));
        world.write("config.toml", &changed);
        sidecar.wait_for_times(REFUSED, times + 1);
        assert!(sidecar.log().contains(key), "{key}: {}", sidecar.log());
        assert_eq!(http.get("/public").await.status, 401, "{key}");
    }
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registry_is_read_again_and_a_broken_one_is_not_used() {
    let world = World::new().await;
    let sidecar = world.start(&world.terminate());
    let http = Http::to(sidecar.url("gateway.listen"));
    let token = world.token();
    let only = |client: (&str, &str), secret: &str| {
        format!(
            r#"[{{ "client_id": "{}", "client_secret": "{secret}" }}]"#,
            client.0
        )
    };
    world.write("clients.json", &only(SHOP, "another-secret"));
    sidecar.wait_for(USED);
    assert_eq!(http.revoke(SHOP, &token).await.status, 401);
    assert_eq!(http.revoke(OTHER, &token).await.status, 401);
    world.write("clients.json", "[{");
    sidecar.wait_for(REFUSED);
    assert!(
        sidecar.log().contains("revoke.clients: "),
        "{}",
        sidecar.log()
    );
    assert_eq!(
        http.revoke((SHOP.0, "another-secret"), &token).await.status,
        200
    );
    assert!(http.get_with("/", &token).await.is_refused());
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issuer_can_be_added_and_its_tokens_are_its_own() {
    let world = World::new().await;
    let sidecar = world.start("");
    let http = Http::to(sidecar.url("gateway.listen"));
    let second = TestIssuer::new("https://second.test");
    let token = second.token().client(SHOP.0).sign();
    assert!(http.get_with("/", &token).await.is_refused());

    let keys = world.write("keys.json", &second.jwks());
    let section = format!(
        "[[issuer]]\nurl = \"https://second.test\"\naudience = {:?}\njwks_file = {keys:?}\n",
        TestIssuer::AUDIENCE
    );
    world.write("config.toml", &world.config(&section));
    sidecar.wait_for(USED);
    assert_eq!(http.get_with("/", &token).await.status, 200);
    assert_eq!(http.get_with("/", &world.token()).await.status, 200);
    let forged = world
        .issuer
        .token()
        .claim("iss", "https://second.test")
        .sign();
    assert!(http.get_with("/", &forged).await.is_refused());
    sidecar.end();
}

/// A certificate for `localhost` and its key, both in PEM.
fn certificate() -> (String, String) {
    let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewed_certificate_is_used_by_new_connections_and_old_ones_go_on() {
    use std::sync::Arc;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };
    use tokio_rustls::{
        TlsConnector,
        client::TlsStream,
        rustls::{
            ClientConfig, RootCertStore,
            crypto::aws_lc_rs,
            pki_types::{CertificateDer, ServerName, pem::PemObject as _},
        },
    };

    async fn connect(address: &str, chain: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(chain.as_bytes()).unwrap();
        roots.add(root).unwrap();
        // With all features there are two providers.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }

    async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).await.unwrap();
            answer.extend(byte);
        }
        String::from_utf8(answer).unwrap()
    }

    let world = World::new().await;
    let [old, new] = [certificate(), certificate()];
    let (chain, key) = (world.path("tls.crt"), world.path("tls.key"));
    write(&chain, &old.0);
    write(&key, &old.1);
    let sidecar = world.start(&format!("tls = {{ cert = {chain:?}, key = {key:?} }}\n"));
    let address = sidecar.url("gateway.listen").replace("http://", "");
    let mut open = connect(&address, &old.0).await.unwrap();
    assert!(ask(&mut open).await.starts_with("HTTP/1.1 401"));

    // A certificate without its key is no certificate.
    write(&chain, &new.0);
    sidecar.wait_for(REFUSED);
    assert!(connect(&address, &old.0).await.is_ok());
    write(&key, &new.1);
    sidecar.wait_for(USED);
    let begun = Instant::now();
    while connect(&address, &new.0).await.is_err() {
        assert!(begun.elapsed() < TIMEOUT);
    }
    assert!(connect(&address, &old.0).await.is_err());
    assert!(ask(&mut open).await.starts_with("HTTP/1.1 401"));
    sidecar.end();
}
