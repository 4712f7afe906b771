//! Servers that crash, stand still, or lose what they had.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_loses_nothing_that_was_acknowledged_and_is_another_incarnation() {
    for mut server in Server::each(&[]) {
        let log = open(&server).await;
        contract::crash(log, &mut server, Server::stop, Server::restart).await;
    }
}

#[tokio::test]
async fn server_that_stands_still_holds_no_call_longer_than_its_limit() {
    for server in Server::each(&[]) {
        let log = open_at(&server.url(), hasty()).await;
        contract::standstill(&log, |signal| server.signal(signal)).await;
    }
}

#[tokio::test]
async fn dropped_call_leaves_no_answer_for_the_next() {
    for server in Server::each(&[]) {
        contract::dropped_calls(&open(&server).await).await;
    }
}

#[tokio::test]
async fn removed_log_is_another_incarnation_with_other_numbers() {
    for server in Server::each(&[]) {
        let log = open(&server).await;
        append(&log, (0..10).map(grant)).await;
        let mut before = poll(&log, Cursor::default()).await;
        for command in [
            "FLUSHALL",
            "DEL {tr}:head",
            "DEL {tr}:records",
            "HDEL {tr}:head epoch",
        ] {
            server.say(command);
            let after = recovered(&log).await;
            assert_ne!(after.incarnation, before.incarnation, "{command}");
            // Also without another record, a node can go on from the last one.
            let last = poll(&log, after.upto).await;
            assert_eq!(last.history, History::Same, "{command}");
            append(&log, [grant(command)]).await;
            before = poll(&log, Cursor::default()).await;
            assert_eq!(before.incarnation, after.incarnation, "{command}");
            assert!(before.records.contains(&grant(command)), "{command}");
        }
        // The stream alone is not the log.
        server.say("DEL {tr}:stream");
        let after = poll(&log, before.upto).await;
        let same = (before.incarnation, History::Same);
        assert_eq!((after.incarnation, after.history), same);
        append(&log, [grant("next")]).await;
        let records = all(&log).await;
        assert!(records.contains(&grant("HDEL {tr}:head epoch")));
        assert!(records.contains(&grant("next")));
    }
}

#[tokio::test]
async fn forgotten_scripts_are_loaded_again() {
    for server in Server::each(&[]) {
        let log = open(&server).await;
        server.say("SCRIPT FLUSH");
        append(&log, [grant(1)]).await;
        assert_eq!(poll(&log, Cursor::default()).await.records, [grant(1)]);
    }
}

#[tokio::test]
async fn server_that_lets_nobody_wait_is_not_asked_without_pauses() {
    for server in Server::each(&[]) {
        let log = open(&server).await;
        tokio::time::timeout(Duration::from_secs(20), log.hint())
            .await
            .expect("it listens");
        server.say("ACL SETUSER default -xread");
        server.say("CLIENT KILL TYPE normal");
        let connections = || -> u32 {
            let about = server.say("INFO stats");
            let count = about
                .lines()
                .find_map(|line| line.strip_prefix("total_connections_received:"));
            count.unwrap().trim().parse().unwrap()
        };
        let before = connections();
        tokio::time::sleep(Duration::from_secs(3)).await;
        // Without growing pauses there are sixty.
        let more = connections() - before;
        assert!(more < 20, "{more}");
    }
}

#[tokio::test]
async fn hint_comes_from_another_node_and_after_a_lost_connection() {
    for server in Server::each(&[]) {
        let [one, two] = [open(&server).await, open(&server).await];
        let hinted = async || {
            let hint = tokio::time::timeout(Duration::from_secs(20), two.hint()).await;
            hint.expect("a hint");
            poll(&two, Cursor::default()).await
        };
        // The first tells that the node listens now.
        hinted().await;
        append(&one, [grant(1)]).await;
        assert_eq!(hinted().await.upto.sequence, 1);
        server.say("CLIENT KILL TYPE normal");
        hinted().await;
        append(&one, [grant(2)]).await;
        hinted().await;
    }
}
