//! `PgBouncer` between a node and the server, if it is installed.

use std::{
    fs,
    process::{Child, Stdio},
};

use super::{super::super::super::LogErrorKind, *};

struct Pooler {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Pooler {
    fn start(server: &Server, mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = port::free_port();
        let file = folder.path().join("pgbouncer.ini");
        let to = server.port();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={to} user=admin\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\nunix_socket_dir =\n\
             pool_mode = {mode}\n",
        );
        fs::write(&file, settings).unwrap();
        server.programs.own(folder.path());
        server.programs.own(&file);
        let mut command = server.programs.command("/usr/sbin/pgbouncer");
        let process = command
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pooler = Self {
            process,
            port,
            _folder: folder,
        };
        fixture::until("the pooler listens", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        pooler
    }

    fn url(&self) -> String {
        format!("postgres://admin@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn pooler_of_transactions_is_refused_and_one_of_sessions_serves() {
    if !std::path::Path::new("/usr/sbin/pgbouncer").exists() {
        println!("skipped: apt install pgbouncer");
        return;
    }
    let Some(server) = Server::start(&[]) else {
        return;
    };
    for mode in ["transaction", "statement"] {
        let pooler = Pooler::start(&server, mode);
        let error = open_at(&pooler.url(), options()).await.err().unwrap();
        assert_eq!(
            error.kind(),
            LogErrorKind::Misconfigured,
            "{mode}: {}",
            line(&error)
        );
        assert!(
            line(&error).contains("pool_mode = session"),
            "{mode}: {}",
            line(&error)
        );
    }
    let pooler = Pooler::start(&server, "session");
    let log = open_at(&pooler.url(), options()).await;
    let log = log.unwrap_or_else(|error| panic!("{}", line(&error)));
    append(&log, [grant(1)]).await;
    assert_eq!(poll(&log, Cursor::default()).await.records, [grant(1)]);
}
