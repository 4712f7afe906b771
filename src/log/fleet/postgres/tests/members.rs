//! What a node gives back, and what it tries.

use super::{super::super::engine::Append, *};

#[tokio::test]
async fn records_that_are_given_back_keep_their_dates_and_need_no_room() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let limited = Options {
        ceiling: 1,
        ..options()
    };
    let log = open_at(&server.url("postgres"), limited).await.unwrap();
    append(&log, [grant(1)]).await;
    // Now, by a clock that is a little behind: an append would raise it.
    let date = NumericDate::new(NumericDate::now().seconds() - 20);
    let selector = Selector::subject("alice");
    let watermark = Revocation::watermark(selector, date, NumericDate::FOREVER);
    let back = Append {
        as_given: true,
        ..request([batch([watermark, grant(1), grant(2)])])
    };
    let done = log.append(back).await.unwrap().batches;
    let expected = Done::Appended {
        sequence: 3,
        added: 2,
    };
    assert_eq!(done, [expected]);
    let read = poll(&log, Cursor::default()).await.records;
    assert_eq!(read, [grant(1), watermark, grant(2)]);
}

#[tokio::test]
async fn empty_append_shows_whether_records_can_be_inserted() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    append(&log, [grant(1)]).await;
    assert!(log.append(request([])).await.unwrap().batches.is_empty());
    let table = "alter table tower_revocation.log";
    server.sql(
        "postgres",
        &format!("{table} add constraint closed check (false) not valid"),
    );
    log.append(request([])).await.unwrap_err();
    assert_eq!(poll(&log, Cursor::default()).await.records, [grant(1)]);
    server.sql("postgres", &format!("{table} drop constraint closed"));
    log.append(request([])).await.unwrap();
    assert_eq!(poll(&log, Cursor::default()).await.upto.sequence, 1);
}
