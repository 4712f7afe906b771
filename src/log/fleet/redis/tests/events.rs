//! What operators hear at the start.

use super::{super::super::tests::events::Lines, *};

#[tokio::test]
async fn setting_that_is_assumed_is_a_warning() {
    let (lines, _listening) = Lines::listen();
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
