//! One line for each thing that can be wrong, without the password.

use super::{super::super::super::LogErrorKind, *};

pub(super) async fn refused(url: &str, kind: LogErrorKind, wanted: &[&str]) {
    let options = Options {
        timeout: Duration::from_secs(2),
        ..options()
    };
    let error = open_at(url, options).await.err().expect("it is refused");
    let line = line(&error);
    assert_eq!(error.kind(), kind, "{line}");
    for wanted in wanted {
        assert!(line.contains(wanted), "{wanted}: {line}");
    }
    assert!(!line.contains('\n'), "{line}");
    let debug = format!("{error:?}");
    assert!(
        !line.contains("hunter2") && !debug.contains("hunter2"),
        "{line} {debug}"
    );
}

#[tokio::test]
async fn wrong_settings_are_refused_with_what_to_change() {
    for setting in ["fsync=off", "full_page_writes=off"] {
        let Some(server) = Server::start(&[setting]) else {
            return;
        };
        let name = setting.trim_end_matches("=off");
        refused(
            &server.url("postgres"),
            LogErrorKind::Misconfigured,
            &[name, "set it to on"],
        )
        .await;
    }
}

#[tokio::test]
async fn wrong_place_role_or_password_is_named() {
    use LogErrorKind::{Misconfigured, Unavailable};
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let port = server.port();
    server.sql(
        "postgres",
        "create role secret login password 'right'; create role poor login",
    );
    let at =
        |login: &str, database: &str| format!("postgres://{login}@127.0.0.1:{port}/{database}");
    let place = &*format!("127.0.0.1:{port}");

    refused(
        &at("secret:hunter2", "postgres"),
        Misconfigured,
        &[place, "password of secret"],
    )
    .await;
    refused(
        &at("secret", "postgres"),
        Misconfigured,
        &["asks for the password", "PGPASSWORD"],
    )
    .await;
    refused(
        &at("nobody:hunter2", "postgres"),
        Misconfigured,
        &[place, "nobody"],
    )
    .await;
    refused(
        &at("admin:hunter2", "absent"),
        Misconfigured,
        &["no database absent"],
    )
    .await;
    refused(
        &at("poor:hunter2", "postgres"),
        Misconfigured,
        &["poor lacks rights", "GRANT", "member of the role that owns"],
    )
    .await;
    let elsewhere = "postgres://me:hunter2@127.0.0.1:1/postgres";
    refused(elsewhere, Unavailable, &["nothing listens at 127.0.0.1:1"]).await;
    let nowhere = "postgres://me:hunter2@nowhere.invalid/postgres";
    refused(
        nowhere,
        Unavailable,
        &["nowhere.invalid:5432", "cannot be reached"],
    )
    .await;
    let no_socket = "postgres://me:hunter2@%2Fnowhere/postgres";
    refused(no_socket, Unavailable, &["no socket at /nowhere:5432"]).await;
    let tls = format!("{}?sslmode=require", at("admin:hunter2", "postgres"));
    refused(&tls, Misconfigured, &["does not offer TLS", "ssl = on"]).await;
    refused(
        "postgres://me:hunter2@db/?replicas=1",
        Misconfigured,
        &[
            "the builder",
            "`replicas`, which this kind of log does not have",
        ],
    )
    .await;

    let right = open_at(&at("secret:right", "postgres"), options()).await;
    assert!(line(&right.err().unwrap()).contains("secret lacks rights"));
}

#[tokio::test]
async fn limit_of_connections_is_named() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    server.sql("postgres", "create role one login connection limit 1");
    server.sql("postgres", "grant create on database postgres to one");
    let url = server.url("postgres").replace("admin", "one");
    let wanted = ["no connection left", "role \"one\"", "CONNECTION LIMIT"];
    refused(&url, LogErrorKind::Unavailable, &wanted).await;
}

#[tokio::test]
async fn role_with_the_rights_of_a_node_needs_no_more() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    drop(open(&server).await);
    let grants = [
        "create role node login",
        "grant usage on schema tower_revocation to node",
        "grant select, insert, update, delete on all tables in schema tower_revocation to node",
    ];
    server.sql("postgres", &grants.join(";"));
    let url = server.url("postgres").replace("admin", "node");
    let log = open_at(&url, options()).await.unwrap();
    append(&log, [grant(1)]).await;
    assert_eq!(poll(&log, Cursor::default()).await.records, [grant(1)]);
    assert_eq!(log.sweep().await.unwrap(), 0);
    // Only appends of many callers would fail later.
    let emit = "execute on function pg_logical_emit_message(bool, text, text)";
    server.sql("postgres", &format!("revoke {emit} from public"));
    let lacks = ["node lacks rights", "pg_logical_emit_message"];
    refused(&url, LogErrorKind::Misconfigured, &lacks).await;
    server.sql("postgres", &format!("grant {emit} to node"));
    server.sql(
        "postgres",
        "revoke insert on tower_revocation.log from node",
    );
    let error = log.append(request([batch([grant(2)])])).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Unavailable);
    assert!(line(&error).contains("node lacks rights"));
    refused(
        &url,
        LogErrorKind::Misconfigured,
        &["node lacks rights", "tower_revocation"],
    )
    .await;
}

#[tokio::test]
async fn standby_is_refused_and_the_primary_is_found_among_hosts() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let standby = server.standby();
    refused(
        &standby.url("postgres"),
        LogErrorKind::Misconfigured,
        &["is a standby"],
    )
    .await;
    let [other, own] = [standby.port(), server.port()];
    let both = format!("postgres://admin@127.0.0.1:1,127.0.0.1:{other},127.0.0.1:{own}/postgres");
    let log = open_at(&both, options()).await.unwrap();
    append(&log, [grant(1)]).await;
}

#[tokio::test]
async fn socket_serves_as_well() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let folder = server.socket().to_str().unwrap().replace('/', "%2F");
    let url = format!("postgres://admin@{folder}:{}/postgres", server.port());
    let log = open_at(&url, options()).await.unwrap();
    append(&log, [grant(1)]).await;
}
