//! What the core expects of every engine.

use super::{
    super::super::{engine::SKEW, tests::contract},
    *,
};

#[tokio::test]
async fn log_has_each_record_once_in_order_and_covered_ones_never() {
    for server in Server::each(&[]) {
        contract::records(&open(&server).await, u64::MAX).await;
    }
}

#[tokio::test]
async fn records_merge_by_the_later_dates() {
    for server in Server::each(&[]) {
        contract::merging(&open(&server).await).await;
    }
}

#[tokio::test]
async fn refused_batches_write_nothing_and_the_others_commit() {
    for server in Server::each(&[]) {
        let limited = Options {
            ceiling: 5,
            ..options()
        };
        contract::limits(&open_at(&server.url(), limited).await).await;
    }
}

#[tokio::test]
async fn watermark_for_now_is_raised_to_the_time_of_the_server() {
    for server in Server::each(&[]) {
        contract::stamping(&open(&server).await).await;
    }
}

#[tokio::test]
async fn time_of_the_log_does_not_go_back_a_little() {
    for server in Server::each(&[]) {
        let log = open(&server).await;
        let now = append(&log, [grant("first")]).await.at.seconds();
        // Far ahead, the clock was wrong.
        for (ahead, counts) in [(SKEW / 2, true), (SKEW * 60, false)] {
            server.say(&format!("HSET {{tr}}:head stamp {}", now + ahead));
            let at = append(&log, [grant(ahead)]).await.at.seconds();
            assert_eq!(at == now + ahead, counts, "{at}");
        }
        append(&log, [contract::watermark("behind", now - SKEW / 2, now)]).await;
        let stored = all(&log).await.last().unwrap().not_before().seconds();
        assert!((now..now + SKEW).contains(&stored), "{stored}");
    }
}

#[tokio::test]
async fn reader_goes_on_from_every_cursor_and_begins_again_after_a_fork() {
    for server in Server::each(&[]) {
        contract::cursors(&open(&server).await).await;
    }
}

#[tokio::test]
async fn request_that_is_sent_again_does_not_hide_a_loss() {
    for server in Server::each(&[]) {
        let log = open(&server).await;
        contract::resent(&log, || save(&server), || restore(&server)).await;
    }
}

#[tokio::test]
async fn mark_depends_on_the_records_of_its_append() {
    for server in Server::each(&[]) {
        let log = open(&server).await;
        contract::resent_at_its_place(&log, || save(&server), || restore(&server)).await;
    }
}

const SAVED: [&str; 3] = ["head", "records", "stream"];

fn save(server: &Server) {
    for key in SAVED {
        server.say(&format!("COPY {{tr}}:{key} {{tr}}:saved:{key}"));
    }
}

fn restore(server: &Server) {
    for key in SAVED {
        server.say(&format!("RENAME {{tr}}:saved:{key} {{tr}}:{key}"));
    }
}

#[tokio::test]
async fn long_log_comes_in_pages() {
    for server in Server::each(&[]) {
        contract::pages(&open(&server).await).await;
    }
}

#[tokio::test]
async fn members_report_and_silent_ones_are_struck_out() {
    for server in Server::each(&[]) {
        contract::members(&open(&server).await).await;
    }
}

#[tokio::test]
async fn first_who_notices_begins_another_life() {
    for server in Server::each(&[]) {
        contract::lives(&open(&server).await, &open(&server).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_leave_no_gap_and_every_reader_sees_one_order() {
    for server in Server::each(&[]) {
        let mut logs = Vec::new();
        for _ in 0..4 {
            logs.push(open(&server).await);
        }
        contract::writers(logs, 64, 4).await;
    }
}

#[tokio::test]
async fn logs_with_names_are_apart() {
    for server in Server::each(&[]) {
        let named = Options {
            name: Some("other".to_owned()),
            ..options()
        };
        let [one, other] = [open(&server).await, open_at(&server.url(), named).await];
        append(&one, [grant(1)]).await;
        append(&other, [grant(2)]).await;
        assert_eq!(
            (all(&one).await, all(&other).await),
            (vec![grant(1)], vec![grant(2)])
        );
    }
}

#[cfg(feature = "embedded")]
#[tokio::test]
async fn log_that_was_emptied_gets_everything_back_from_a_file() {
    for server in Server::each(&[]) {
        let flush = || {
            server.say("FLUSHALL");
        };
        contract::mirror(async || open(&server).await, flush).await;
    }
}
