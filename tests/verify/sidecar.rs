//! The files of `examples/proxies` in front of the binary.

use std::process::{Command, Stdio};

use tower_revocation::test_util::TestIssuer;

use crate::{
    client::{get, send},
    process::{Ports, Proxy, recipe},
    programs::{caddy_of_debian, current_caddy, envoy, haproxy, nginx, traefik},
    world::{Issuer, World},
};

/// The sidecar, and the API that only a proxy asks it about.
struct Deployed {
    world: World,
    issuer: Issuer,
    sidecar: Proxy,
}

impl Deployed {
    async fn start() -> Self {
        let world = World::start().await;
        let issuer = Issuer::start().await;
        let url = issuer.issuer.issuer();
        let mut config = recipe("sidecar.toml");
        for (text, ours) in [
            ("https://id.example.com/realms/shop", url),
            ("https://api.example.com", TestIssuer::AUDIENCE),
            ("/var/lib/sidecar/log.redb", "log.redb"),
            // The port that the started program listens on.
            (":9001", ":8080"),
        ] {
            assert!(config.contains(text), "{text}");
            config = config.replace(text, ours);
        }
        config += "[run]\nallow_root = true\n[admin]\nsocket = \"admin.sock\"\n";
        let program = env!("CARGO_BIN_EXE_revocation-sidecar").as_ref();
        let files = [("sidecar.toml", config)];
        let sidecar = Proxy::start(program, world.ports(), &files, |command, _| {
            command.args(["--config", "sidecar.toml"]);
        })
        .await;
        Self {
            world,
            issuer,
            sidecar,
        }
    }

    fn ports(&self) -> Ports {
        Ports {
            verify: self.sidecar.port,
            ..self.world.ports()
        }
    }

    /// The command of an operator.
    fn revoke_subject(&self, subject: &str) {
        let revoked = Command::new(env!("CARGO_BIN_EXE_revocation-sidecar"))
            .args(["revoke", "--subject", subject, "--socket", "admin.sock"])
            .current_dir(self.sidecar.folder())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(revoked.status.success(), "{revoked:?}");
    }

    /// A request passes, is refused after a revocation, and while the sidecar is down.
    async fn works_behind(self, proxy: Option<Proxy>) {
        let Some(proxy) = proxy else {
            return;
        };
        proxy.wait_for_another_status(503).await;
        let token = |subject: &str| {
            let token = self.issuer.issuer.token().subject(subject).client("c1");
            format!("Bearer {}", token.sign())
        };
        let (alice, bob) = (token("alice"), token("bob"));
        let reply = get(proxy.port, "/a", &alice).await;
        assert_eq!(reply.status, 200, "{reply:?}, {}", self.sidecar.log());
        assert_eq!(reply.received("x-token-subject"), Some("alice"));
        assert_eq!(reply.received("x-token-client"), Some("c1"));
        assert_eq!(send(proxy.port, "GET /a", &[]).await.status, 401);
        assert_eq!(send(proxy.port, "GET /health", &[]).await.status, 200);

        self.revoke_subject("alice");
        assert_eq!(get(proxy.port, "/a", &alice).await.status, 401);
        assert_eq!(get(proxy.port, "/a", &bob).await.status, 200);

        let before = self.world.requests();
        drop(self.sidecar);
        let status = get(proxy.port, "/a", &bob).await.status;
        assert!((500..600).contains(&status), "{status}");
        assert_eq!(self.world.requests(), before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sidecar_works_behind_nginx() {
    let deployed = Deployed::start().await;
    let proxy = nginx(deployed.ports()).await;
    deployed.works_behind(proxy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sidecar_works_behind_haproxy() {
    let deployed = Deployed::start().await;
    let proxy = haproxy(deployed.ports()).await;
    deployed.works_behind(proxy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sidecar_works_behind_caddy_of_debian() {
    let deployed = Deployed::start().await;
    let proxy = caddy_of_debian(deployed.ports()).await;
    deployed.works_behind(proxy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sidecar_works_behind_the_current_caddy() {
    let deployed = Deployed::start().await;
    let proxy = current_caddy(deployed.ports()).await;
    deployed.works_behind(proxy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sidecar_works_behind_envoy_over_grpc() {
    let deployed = Deployed::start().await;
    let proxy = envoy(recipe("envoy-grpc.yaml"), deployed.ports()).await;
    deployed.works_behind(proxy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sidecar_works_behind_envoy_over_http() {
    let deployed = Deployed::start().await;
    let proxy = envoy(recipe("envoy-http.yaml"), deployed.ports()).await;
    deployed.works_behind(proxy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sidecar_works_behind_traefik() {
    let deployed = Deployed::start().await;
    let proxy = traefik(deployed.ports()).await;
    deployed.works_behind(proxy).await;
}
