//! What operators hear at the start.

use std::{
    io,
    sync::{Arc, Mutex},
};

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
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

#[tokio::test]
async fn setting_that_is_assumed_is_a_warning() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for server in Server::each(&["--maxmemory", "100mb", "--appendfsync", "no"]) {
        let url = server.url();
        for (query, expected) in [
            (
                "?assume=noeviction,aof-always",
                &["noeviction", "aof-always"][..],
            ),
            ("?assume=aof-always", &["aof-always"]),
        ] {
            open_at(&format!("{url}{query}"), options()).await;
            let lines = lines.take();
            assert_eq!(lines.lines().count(), expected.len(), "{lines}");
            for (line, setting) in lines.lines().zip(expected) {
                assert!(line.contains(" WARN tower_revocation: "), "{line}");
                assert!(line.contains(&format!("setting=\"{setting}\"")), "{line}");
            }
        }
    }
    for server in Server::each(&[]) {
        open(&server).await;
        assert_eq!(lines.take(), "");
    }
}
