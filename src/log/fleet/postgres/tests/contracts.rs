//! What the core expects of every engine.

use super::*;

/// Opens a log on a server of its own. `None` if there is no PostgreSQL.
async fn started() -> Option<(Server, Postgres)> {
    let server = Server::start(&[])?;
    let log = open(&server).await;
    Some((server, log))
}

#[tokio::test]
async fn log_has_each_record_once_in_order_and_covered_ones_never() {
    if let Some((_server, log)) = started().await {
        // Its numbers have a sign, and the last one stands for the end of time.
        contract::records(&log, i64::MAX as u64 - 1).await;
    }
}

#[tokio::test]
async fn records_merge_by_the_later_dates() {
    if let Some((_server, log)) = started().await {
        contract::merging(&log).await;
    }
}

#[tokio::test]
async fn refused_batches_write_nothing_and_the_others_commit() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let limited = Options {
        ceiling: 5,
        ..options()
    };
    let log = open_at(&server.url("postgres"), limited).await;
    contract::limits(&log.unwrap()).await;
}

#[tokio::test]
async fn watermark_for_now_is_raised_to_the_time_of_the_server() {
    if let Some((_server, log)) = started().await {
        contract::stamping(&log).await;
    }
}

#[tokio::test]
async fn time_of_the_log_does_not_go_back_a_little() {
    const HOUR: u64 = 3600;
    let Some((server, log)) = started().await else {
        return;
    };
    let now = append(&log, [grant("first")]).await.at.seconds();
    // Far ahead, the clock was wrong.
    let mut last = now;
    for (ahead, counts) in [(30, true), (HOUR, false)] {
        let set = format!("update tower_revocation.log set at = {}", last + ahead);
        server.sql("postgres", &set);
        let at = append(&log, [grant(ahead)]).await.at.seconds();
        assert_eq!(at == last + ahead, counts, "{at}");
        last = now;
    }
    append(&log, [watermark("behind", now - 30, now + 9)]).await;
    let stored = all(&log).await.last().unwrap().not_before().seconds();
    assert!((now..now + 60).contains(&stored), "{stored}");
}

#[tokio::test]
async fn reader_goes_on_from_every_cursor_and_begins_again_after_a_fork() {
    if let Some((_server, log)) = started().await {
        contract::cursors(&log).await;
    }
}

#[tokio::test]
async fn request_that_is_sent_again_does_not_hide_a_loss() {
    let Some((server, log)) = started().await else {
        return;
    };
    let lose = || {
        let sql = "delete from tower_revocation.log where sequence > 1";
        server.sql("postgres", sql);
    };
    contract::resent(&log, || {}, lose).await;
}

#[tokio::test]
async fn mark_depends_on_the_records_of_its_append() {
    let Some((server, log)) = started().await else {
        return;
    };
    let lose = || {
        let sql = "delete from tower_revocation.log where sequence > 1";
        server.sql("postgres", sql);
    };
    contract::resent_at_its_place(&log, || {}, lose).await;
}

#[tokio::test]
async fn long_log_comes_in_pages() {
    if let Some((_server, log)) = started().await {
        contract::pages(&log).await;
    }
}

#[tokio::test]
async fn members_report_and_silent_ones_are_struck_out() {
    if let Some((_server, log)) = started().await {
        contract::members(&log).await;
    }
}

#[tokio::test]
async fn first_who_notices_begins_another_life() {
    if let Some((server, log)) = started().await {
        contract::lives(&log, &open(&server).await).await;
    }
}

#[cfg(feature = "embedded")]
#[tokio::test]
async fn log_that_was_emptied_gets_everything_back_from_a_file() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let truncate = || {
        server.sql("postgres", "truncate tower_revocation.log");
    };
    contract::mirror(async || open(&server).await, truncate).await;
}
