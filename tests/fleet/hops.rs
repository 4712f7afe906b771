//! From the database over a relay to another relay, and from there to a process that accepts tokens.

use std::{
    collections::HashSet,
    error::Error as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::sleep};
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use tower_revocation::{
    enforce::{Freshness, Index},
    log::{FleetLog, LogErrorKind, RevocationLog as _},
};

use crate::{
    nodes::{LEASE, covers, grant, index, node, wait_until},
    port::free_port,
    postgres::Server,
    relays::{Relay, has_token},
};

async fn follow(url: &str) -> (FleetLog, Index) {
    let log = FleetLog::builder(url).lease(LEASE).connect().await;
    let log = log.expect("the relay answers");
    let index = index(&log).await;
    (log, index)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_that_is_revoked_at_the_database_is_refused_two_hops_away() {
    let test = "hops::token_that_is_revoked_at_the_database_is_refused_two_hops_away";
    if !has_token(test) {
        return;
    }
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let root = node(&server).await;
    let database = server.url("postgres");
    let mut near = Relay::start(&database, free_port()).await;
    let mut middle = Relay::start(&near.url(), free_port()).await;
    let (far, index) = follow(&middle.url()).await;
    for number in 0..3 {
        let begun = Instant::now();
        let position = root.append(vec![grant(number)]).await.unwrap();
        wait_until("known", || covers(&index, number)).await;
        println!("refused two hops away after {:?}", begun.elapsed());
        wait_until("complete", || index.position() == position).await;
        wait_until("fresh", || index.freshness() == Freshness::Fresh).await;
    }
    let error = far.append(vec![grant(9)]).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Misconfigured);

    for (hop, number) in [(0, 3), (1, 4)] {
        let upstream = if hop == 0 {
            database.clone()
        } else {
            near.url()
        };
        let killed = if hop == 0 { &mut near } else { &mut middle };
        killed.kill();
        let cut = Instant::now();
        root.append(vec![grant(number)]).await.unwrap();
        sleep((LEASE + LEASE / 50).saturating_sub(cut.elapsed())).await;
        assert_ne!(index.freshness(), Freshness::Fresh);
        assert!(covers(&index, 0), "what it knows counts");
        assert!(!covers(&index, number));

        *killed = Relay::start(&upstream, killed.port()).await;
        let begun = Instant::now();
        wait_until("fresh", || index.freshness() == Freshness::Fresh).await;
        println!("fresh {:?} after the relay came back", begun.elapsed());
        assert!(covers(&index, number));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_hang_up_end_no_connection_to_the_database() {
    if !has_token("hops::clients_that_hang_up_end_no_connection_to_the_database") {
        return;
    }
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let relay = Relay::start(&server.url("postgres"), free_port()).await;
    let (_log, index) = follow(&relay.url()).await;
    let connections = || {
        let sql = "select pid from pg_stat_activity \
                   where backend_type = 'client backend' and pid <> pg_backend_pid()";
        let pids = server.sql("postgres", sql);
        pids.lines().map(str::to_owned).collect::<HashSet<_>>()
    };
    let before = connections();
    // It asks for what only the database knows, and goes away.
    let request = "GET /feed?after=0000000000000001.7.0000000000000001 HTTP/1.1\r\nhost: relay\r\n\
                   authorization: Bearer a-token-that-nobody-can-guess\r\n\
                   tower-revocation-member: 00000000000000aa\r\n\r\n";
    for pause in 0..300 {
        let mut client = TcpStream::connect(("127.0.0.1", relay.port()))
            .await
            .unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        sleep(Duration::from_micros(pause * 10)).await;
    }
    assert!(connections().is_superset(&before));
    assert_eq!(index.freshness(), Freshness::Fresh);
}

#[tokio::test]
async fn certificates_of_both_sides_are_verified() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (authority, other) = (Authority::new(), Authority::new());
    let relay = Relay::start_with_tls(&server.url("postgres"), authority.config()).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        path(&file)
    };
    let [certificate, key] = authority.issue("gateway");
    let own = format!(
        "sslcert={}&sslkey={}",
        file("certificate", &certificate),
        file("key", &key),
    );
    let trusted = format!("sslrootcert={}", file("root", &authority.pem));
    let distrusted = format!("sslrootcert={}", file("other", &other.pem));
    let at = |host: &str, query: &str| format!("https://{host}:{}/feed?{query}", relay.port());

    let root = node(&server).await;
    let (_log, index) = follow(&at("localhost", &format!("{trusted}&{own}"))).await;
    root.append(vec![grant(1)]).await.unwrap();
    wait_until("known", || covers(&index, 1)).await;
    wait_until("fresh", || index.freshness() == Freshness::Fresh).await;

    for (url, wanted) in [
        (at("localhost", &trusted), "`sslcert` and `sslkey`"),
        (
            at("localhost", &format!("{distrusted}&{own}")),
            "is not accepted",
        ),
        (
            at("127.0.0.1", &format!("{trusted}&{own}")),
            "is not accepted",
        ),
    ] {
        let error = FleetLog::builder(&url)
            .lease(LEASE)
            .connect()
            .await
            .unwrap_err();
        let line = error.source().unwrap().to_string();
        assert_eq!(error.kind(), LogErrorKind::Misconfigured, "{line}");
        assert!(line.contains(wanted), "{line}");
    }
}

/// Issues the certificates of both sides.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new([]).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(parameters, key);
        Self { pem, issuer }
    }

    fn issue(&self, name: &str) -> [String; 2] {
        let parameters = CertificateParams::new([name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        [certificate.pem(), key.serialize_pem()]
    }

    /// That of a server which asks for a certificate and verifies it, but serves others too.
    fn config(&self) -> ServerConfig {
        let [certificate, key] = self.issue("localhost");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(certificate_of(&self.pem)).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
        let verifier = verifier.allow_unauthenticated().build().unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate_of(&certificate)], key)
            .unwrap()
    }
}

fn certificate_of(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn path(file: &Path) -> String {
    file.to_str().unwrap().to_owned()
}
