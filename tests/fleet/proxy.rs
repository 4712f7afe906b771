//! A proxy of other people stands in front of a relay.

use std::{
    env, fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{net::TcpStream, time::sleep};
use tower_revocation::{
    enforce::Freshness,
    log::{FleetLog, RevocationLog as _},
};

use crate::{
    nodes::{LEASE, covers, grant, index, node, wait_until},
    port::free_port,
    postgres::Server,
    relays::{Relay, has_token},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_wait_pass_nginx() {
    if !has_token("proxy::requests_that_wait_pass_nginx") {
        return;
    }
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let root = node(&server).await;
    let relay = Relay::start(&server.url("postgres"), free_port()).await;
    let Some(nginx) = Nginx::start(relay.port()).await else {
        return;
    };
    let url = format!("http://127.0.0.1:{}/feed", nginx.port);
    let log = FleetLog::builder(url).lease(LEASE).connect().await.unwrap();
    let index = index(&log).await;
    for _ in 0..20 {
        sleep(LEASE / 10).await;
        // The machine may be slow for a while.
        wait_until("fresh", || index.freshness() == Freshness::Fresh).await;
    }
    let mut times = Vec::new();
    for number in 0..5 {
        let begun = Instant::now();
        root.append(vec![grant(number)]).await.unwrap();
        wait_until("known", || covers(&index, number)).await;
        times.push(begun.elapsed());
    }
    times.sort();
    println!("refused behind nginx after {times:?}");
    // Who comes back a fifth of a lease after each answer would wait for so long each time.
    assert!(times[0] < LEASE / 10, "{times:?}");
}

/// Passes requests to a relay, with the settings that it has by itself.
struct Nginx {
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl Nginx {
    /// `None` if there is none. With `CI=true` that is a failure.
    async fn start(relay: u16) -> Option<Self> {
        let programs = ["/usr/sbin/nginx", "/usr/bin/nginx"];
        let Some(program) = programs.iter().find(|program| fs::exists(program).unwrap()) else {
            let reason = "nginx is missing: apt install nginx";
            assert!(env::var("CI").as_deref() != Ok("true"), "{reason}");
            println!("skipped: {reason}");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {what};"))
            .join(" ");
        let settings = format!(
            "daemon off; master_process off; pid pid; events {{}}
             http {{ access_log off; {paths} server {{
                 listen 127.0.0.1:{port};
                 location /feed {{ proxy_pass http://127.0.0.1:{relay}; }}
             }} }}",
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, settings).unwrap();
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", program, "-e", "stderr", "-p"])
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null());
        let nginx = Self {
            port,
            process: command.spawn().unwrap(),
            _folder: folder,
        };
        for _ in 0..3000 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(nginx);
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("nginx does not start");
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
