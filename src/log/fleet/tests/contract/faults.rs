//! Servers that crash, or stand still.

use std::{sync::Arc, time::Duration};

use super::{
    super::super::{
        super::LogErrorKind,
        engine::{Cursor, Done, Engine, Page},
    },
    all, append, ask, batch, grant, line, request,
};

/// Asks again until there is an answer.
pub(crate) async fn recovered<E: Engine>(log: &E) -> Page {
    let mut last = String::new();
    for _ in 0..400 {
        match log.poll(ask(Cursor::default())).await {
            Ok(page) => return page,
            Err(error) => {
                last = line(&error);
                assert_eq!(error.kind(), LogErrorKind::Unavailable, "{last}");
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the log does not recover: {last}");
}

/// What was acknowledged before a crash is there after it, in another incarnation: the nodes cannot
/// know that nothing was lost.
pub(crate) async fn crash<E: Engine, S>(
    log: E,
    server: &mut S,
    kill: impl Fn(&mut S),
    restart: impl Fn(&mut S),
) {
    let log = Arc::new(log);
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
        kill(server);
        writer.await.unwrap();
        while let Some(record) = received.recv().await {
            acknowledged.push(record);
        }
        restart(server);
        let page = recovered(&*log).await;
        let records = all(&*log).await;
        let is_there = |record| records.contains(record);
        assert!(acknowledged.iter().all(is_there));
        assert!(!incarnations.contains(&page.incarnation));
        incarnations.push(page.incarnation);
    }
}

/// A server that stands still holds no call for longer than the limit of the log, 1 s. `signal` sends
/// a signal to it.
pub(crate) async fn standstill<E: Engine>(log: &E, signal: impl Fn(&str)) {
    append(log, [grant(1)]).await;
    signal("STOP");
    for _ in 0..2 {
        let calls = futures::future::join4(
            log.poll(ask(Cursor::default())),
            log.append(request([batch([grant(2)])])),
            log.sweep(),
            log.leave(1),
        );
        let limit = Duration::from_secs(5);
        let calls = Box::pin(tokio::time::timeout(limit, calls)).await;
        let (polled, appended, swept, left) = calls.expect("an end");
        for error in [polled.err(), appended.err(), swept.err(), left.err()] {
            let error = error.expect("no answer");
            assert_eq!(error.kind(), LogErrorKind::Unavailable);
            let line = line(&error);
            assert!(line.contains("did not answer within"), "{line}");
        }
    }
    signal("CONT");
    recovered(log).await;
    append(log, [grant(3)]).await;
}

/// An append gets its own answer, also if the caller of the one before has gone away.
pub(crate) async fn dropped_calls<E: Engine>(log: &E) {
    for number in 0..30 {
        let mut given_up = Box::pin(append(log, [grant(number)]));
        for _ in 0..number % 5 {
            if futures::poll!(&mut given_up).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(given_up);
        let kept = grant(format!("kept {number}"));
        let done = append(log, [kept]).await.batches;
        let [Done::Appended { sequence, added: 1 }] = done[..] else {
            panic!("{done:?}");
        };
        let place = usize::try_from(sequence - 1).unwrap();
        assert_eq!(all(log).await[place], kept);
    }
}
