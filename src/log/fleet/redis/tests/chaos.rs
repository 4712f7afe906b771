//! Servers that crash, stand still, or lose what they had.

use std::sync::Arc;

use super::{super::super::super::LogErrorKind, *};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_loses_nothing_that_was_acknowledged_and_is_another_incarnation() {
    for mut server in Server::each(&[]) {
        let log = Arc::new(open(&server).await);
        let mut acknowledged = Vec::new();
        let mut incarnations = Vec::new();
        for round in 0..3 {
            let (sent, mut received) = tokio::sync::mpsc::unbounded_channel();
            let writer = tokio::spawn({
                let log = log.clone();
                async move {
                    for number in 0.. {
                        let record = grant(format!("{round} {number}"));
                        if log.append(request([batch([record])])).await.is_err() {
                            return;
                        }
                        sent.send(record).unwrap();
                    }
                }
            });
            for _ in 0..20 {
                acknowledged.push(received.recv().await.unwrap());
            }
            server.stop();
            writer.await.unwrap();
            while let Some(record) = received.recv().await {
                acknowledged.push(record);
            }
            server.restart();
            let page = recovered(&log).await;
            assert!(
                acknowledged
                    .iter()
                    .all(|record| page.records.contains(record))
            );
            assert!(!incarnations.contains(&page.incarnation));
            incarnations.push(page.incarnation);
        }
    }
}

#[tokio::test]
async fn server_that_stands_still_holds_no_call_longer_than_its_limit() {
    for server in Server::each(&[]) {
        let log = open_at(&server.url(), hasty()).await;
        append(&log, [grant(1)]).await;
        server.signal("STOP");
        for _ in 0..2 {
            let append = request([batch([grant(2)])]);
            let calls = futures::future::join3(
                log.poll(ask(Cursor::default())),
                log.append(append),
                log.leave(1),
            );
            let limit = Duration::from_secs(5);
            let (polled, appended, left) =
                tokio::time::timeout(limit, calls).await.expect("an end");
            for error in [polled.err(), appended.err(), left.err()] {
                let error = error.expect("no answer");
                assert_eq!(error.kind(), LogErrorKind::Unavailable);
                let line = line(&error);
                assert!(line.contains("did not answer within"), "{line}");
            }
        }
        server.signal("CONT");
        recovered(&log).await;
        append(&log, [grant(3)]).await;
    }
}

#[tokio::test]
async fn dropped_call_leaves_no_answer_for_the_next() {
    for server in Server::each(&[]) {
        let log = open(&server).await;
        for number in 0..30 {
            let mut given_up = Box::pin(append(&log, [grant(number)]));
            for _ in 0..number % 5 {
                if futures::poll!(&mut given_up).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(given_up);
            let kept = append(&log, [grant(format!("kept {number}"))]).await;
            let done = super::super::super::engine::Done::Appended {
                sequence: poll(&log, Cursor::default()).await.upto.sequence,
                added: 1,
            };
            assert_eq!(kept.batches, [done]);
        }
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
