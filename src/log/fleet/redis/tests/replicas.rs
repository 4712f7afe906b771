//! At least half of the replicas confirm each write.

use super::{super::super::super::LogErrorKind, messages::refused, *};

fn connected(server: &Server, replicas: usize) {
    let wanted = format!("connected_slaves:{replicas}\r\n");
    fixture::until("the replicas are known", || {
        server.say("INFO replication").contains(&wanted)
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_of_the_replicas_must_confirm_and_a_new_one_counts() {
    for server in Server::each(&[]) {
        let one = server.replica();
        let plain = server.url();
        let alone = refused(&plain).await;
        assert!(
            alone.contains("has 1 replicas, and `replicas=0`"),
            "{alone}"
        );
        open_at(&format!("{plain}?assume=no-failover"), options()).await;

        let mut others = vec![server.replica()];
        connected(&server, 2);
        let log = open_at(&format!("{plain}?replicas=1"), options()).await;
        append(&log, [grant(1)]).await;
        others.push(server.replica());
        connected(&server, 3);
        for error in [
            log.append(request([batch([grant(2)])])).await.err(),
            log.poll(ask(Cursor::default())).await.err(),
        ] {
            let error = error.expect("it is refused");
            assert_eq!(error.kind(), LogErrorKind::Unavailable);
            let why = line(&error);
            assert!(why.contains("has 3 replicas, and `replicas=1`"), "{why}");
            assert!(why.contains("write `replicas=2`"), "{why}");
        }
        let again = refused(&format!("{plain}?replicas=1")).await;
        assert!(again.contains("has 3 replicas"), "{again}");
        let both = open_at(&format!("{plain}?replicas=2"), options()).await;
        append(&both, [grant(3)]).await;
        others.pop();
        connected(&server, 2);
        append(&log, [grant(4)]).await;
        drop(one);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_a_replaced_server_are_made_anew() {
    for server in Server::each(&[]) {
        let log = open(&server).await;
        append(&log, [grant(1)]).await;
        let names = || -> Vec<String> {
            let clients = server.say("CLIENT LIST");
            let ours = clients
                .lines()
                .filter(|line| line.contains("name=tower-revocation"));
            ours.filter_map(|line| Some(line.split(' ').next()?.to_owned()))
                .collect()
        };
        // For polls, for appends and for hints.
        fixture::until("all are there", || names().len() == 3);
        let before = names();
        log.reconnect();
        append(&log, [grant(2)]).await;
        poll(&log, Cursor::default()).await;
        fixture::until("all are others", || {
            let now = names();
            now.len() == 3 && !now.iter().any(|name| before.contains(name))
        });
    }
}
