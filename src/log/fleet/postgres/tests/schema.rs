//! The tables are made once, changed in order, and never misread.

use super::{
    super::{super::super::LogErrorKind, migrate, migrate::MIGRATIONS, target::Target},
    *,
};

fn target(server: &Server) -> Target {
    let timeout = Duration::from_secs(5);
    Target::new(Url::parse(&server.url("postgres")).unwrap(), None, timeout).unwrap()
}

#[tokio::test]
async fn nodes_that_start_at_once_make_one_log() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let logs = futures::future::join_all((0..8).map(|_| open(&server))).await;
    for (number, log) in logs.iter().enumerate() {
        assert_eq!(
            sequence(&append(log, [grant(number)]).await),
            number as u64 + 1
        );
    }
    let pages =
        futures::future::join_all(logs.iter().map(|log| poll(log, Cursor::default()))).await;
    assert!(pages.iter().all(|page| page.upto == pages[0].upto));
    assert!(
        pages
            .iter()
            .all(|page| page.incarnation == pages[0].incarnation)
    );
    let versions = "select count(*), max(version) from tower_revocation.migration";
    let newest = MIGRATIONS.len();
    assert_eq!(
        server.sql("postgres", versions),
        format!("{newest}|{newest}")
    );
}

#[tokio::test]
async fn older_tables_are_changed_once_and_newer_ones_are_refused() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    append(&log, [grant(1)]).await;
    let target = target(&server);
    let last = "alter table {schema}.meta add column other int; update {schema}.meta set other = 1";
    let next = [MIGRATIONS, &[last]].concat();
    let newest = next.len();
    let migrated = (0..4).map(async |_| {
        let session = target.connect().await?;
        migrate::migrate(&session, &target.schema, &next).await
    });
    for migrated in futures::future::join_all(migrated).await {
        migrated.unwrap();
    }
    assert_eq!(
        server.sql(
            "postgres",
            "select format, other from tower_revocation.meta"
        ),
        format!("{newest}|1")
    );
    assert_eq!(
        server.sql("postgres", "select count(*) from tower_revocation.log"),
        "1"
    );

    // A node that has them open notices, and so does one that starts.
    let polled = log.poll(ask(Cursor::default())).await.map(drop);
    let appended = log.append(request([batch([grant(2)])])).await.map(drop);
    let opened = open_at(&server.url("postgres"), options()).await.map(drop);
    for result in [polled, appended, opened] {
        let error = result.unwrap_err();
        assert_eq!(
            error.kind(),
            LogErrorKind::UnknownFormat,
            "{}",
            line(&error)
        );
        assert!(line(&error).contains(&format!("version {newest}")));
    }
}

#[tokio::test]
async fn migration_that_fails_leaves_nothing() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let target = target(&server);
    let session = target.connect().await.unwrap();
    let broken = [MIGRATIONS, &["select 1 / 0"]].concat();
    assert!(
        migrate::migrate(&session, &target.schema, &broken)
            .await
            .is_err()
    );
    drop(session);
    let log = open(&server).await;
    append(&log, [grant(1)]).await;
}

#[tokio::test]
async fn logs_with_other_names_are_other_logs() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let named = Options {
        name: Some("other_1".to_owned()),
        ..options()
    };
    let other = open_at(&server.url("postgres"), named).await.unwrap();
    let log = open(&server).await;
    append(&log, [grant(1)]).await;
    append(&other, [grant(2)]).await;
    let [one, two] = [
        poll(&log, Cursor::default()).await,
        poll(&other, Cursor::default()).await,
    ];
    assert_eq!((one.records, two.records), (vec![grant(1)], vec![grant(2)]));
    assert_ne!(one.incarnation, two.incarnation);
}

#[tokio::test]
async fn record_of_an_unknown_class_is_not_skipped() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    append(&log, [grant(1)]).await;
    server.sql(
        "postgres",
        "update tower_revocation.log set selector = set_byte(selector, 0, 200)",
    );
    let error = log.poll(ask(Cursor::default())).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::UnknownFormat);
}
