//! Operators over TCP: with tokens, with certificates, and by a proxy.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
};

use super::{http::Http, process::Sidecar, world::World};

const CURL: [&str; 8] = [
    "--silent",
    "--show-error",
    "--noproxy",
    "*",
    "--output",
    "/dev/null",
    "--write-out",
    "%{http_code}",
];

impl World {
    /// A sidecar with these operators, and these lines in `[admin]`.
    pub(crate) fn with_operators(&self, operators: &str, lines: &str) -> Sidecar {
        let operators = self.write("operators", operators);
        let listen = "listen = \"127.0.0.1:0\"\n[gateway]";
        let more = format!(
            "listen = \"127.0.0.1:0\"\ntokens_file = {operators:?}\nhosts = [\"localhost\"]\n{lines}[gateway]"
        );
        let text = self.config("").replace(listen, &more);
        Sidecar::start(&self.write("config.toml", &text))
    }
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for a name and its key, in PEM.
fn certificate(authority: &Authority, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificate_of_an_authority_names_an_operator() {
    let world = World::new().await;
    let [ours, others] = [authority(), authority()];
    let server = certificate(&ours, "localhost");
    let roots = world.write("ca.pem", &ours.pem());
    let (cert, key) = (
        world.write("tls.crt", &server.0),
        world.write("tls.key", &server.1),
    );
    let sidecar = world.with_operators(
        "deployment viewer dns:deploy.test\n",
        &format!("tls = {{ cert = {cert:?}, key = {key:?}, client_ca = {roots:?} }}\n"),
    );
    let port = sidecar.url("admin.listen");
    let port = port.rsplit(':').next().unwrap();
    let ask = |path: &str, client: Option<(String, String)>| {
        let mut command = std::process::Command::new("curl");
        command.args(CURL).args(["--cacert", &roots]);
        if let Some((cert, key)) = client {
            command.args(["--cert", &world.write("client.crt", &cert)]);
            command.args(["--key", &world.write("client.key", &key)]);
        }
        let output = command
            .arg(format!("https://localhost:{port}{path}"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let status = "/v1/status";
    let known = certificate(&ours, "deploy.test");
    assert_eq!(ask(status, Some(known.clone())), "200");
    assert_eq!(ask("/v1/revocations:export", Some(known)), "403");
    let unknown = certificate(&ours, "other.test");
    assert_eq!(ask(status, Some(unknown)), "401");
    assert_eq!(ask(status, None), "401");
    // Probes have no certificate.
    assert_eq!(ask("/livez", None), "200");
    // The handshake fails.
    let forged = certificate(&others, "deploy.test");
    assert_eq!(ask(status, Some(forged)), "000");
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxy_on_the_list_names_operators() {
    let world = World::new().await;
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let operators = format!("ann viewer proxy\nbob security {digest}\n");
    let ask = async |sidecar: &Sidecar, fields: &[(&'static str, &str)]| {
        let admin = Http::to(sidecar.url("admin.listen"));
        let mut request = admin.request(hyper::Method::GET, "/v1/status");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(http_body_util::Full::default()).unwrap();
        admin.send(request).await.status.as_u16()
    };
    let names = |proxy: &str| {
        format!("proxy_names = {{ header = \"x-forwarded-user\", proxies = [{proxy:?}] }}\n")
    };
    let sidecar = world.with_operators(&operators, &names("127.0.0.0/8"));
    let user = "x-forwarded-user";
    assert_eq!(ask(&sidecar, &[(user, "ann")]).await, 200);
    // Its own password for the proxy is none here.
    let basic = ("authorization", "Basic YW5uOnB3");
    assert_eq!(ask(&sidecar, &[(user, "ann"), basic]).await, 200);
    for wrong in ["", "Ann", "ann,bob", "bob", "nobody"] {
        assert_eq!(ask(&sidecar, &[(user, wrong)]).await, 401, "{wrong}");
    }
    assert_eq!(ask(&sidecar, &[(user, "ann"), (user, "ann")]).await, 401);
    // A token counts more than the name.
    let token = ("authorization", "Bearer wrong");
    assert_eq!(ask(&sidecar, &[(user, "ann"), token]).await, 401);
    assert_eq!(
        ask(&sidecar, &[("authorization", "Bearer test")]).await,
        200
    );
    sidecar.end();

    let sidecar = world.with_operators(&operators, &names("10.0.0.7"));
    assert_eq!(ask(&sidecar, &[(user, "ann")]).await, 401);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operator_has_a_limit_of_requests() {
    let world = World::new().await;
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let sidecar = world.with_operators(
        &format!("bob viewer {digest}\n"),
        "requests_per_minute = 2\n",
    );
    let admin = Http::to(sidecar.url("admin.listen"));
    for _ in 0..2 {
        assert_eq!(admin.get_with("/v1/status", "test").await.status, 200);
    }
    let refused = admin.get_with("/v1/status", "test").await;
    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty());
    // Probes are not counted.
    assert_eq!(admin.get("/livez").await.status, 200);
    sidecar.end();
}
