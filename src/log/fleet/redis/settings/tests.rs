//! URLs, without a server.

use super::*;

fn read(url: &str) -> Result<Settings, Fault> {
    Settings::read(&Url::parse(url)?, &|_| None)
}

fn refused(url: &str) -> String {
    let fault = read(url)
        .err()
        .unwrap_or_else(|| panic!("{url} is accepted"));
    assert!(!fault.to_string().contains('\n'));
    fault.to_string()
}

fn hosts(settings: &Settings) -> Vec<String> {
    settings.hosts.iter().map(ToString::to_string).collect()
}

#[test]
fn url_has_hosts_user_and_database() {
    let settings = read("redis://localhost").unwrap();
    assert_eq!(hosts(&settings), ["localhost:6379"]);
    assert_eq!(
        (settings.topology, settings.database),
        (Topology::Single, 0)
    );
    let settings = read("valkeys://me:p%40w@[::1]:1/7").unwrap();
    assert_eq!(hosts(&settings), ["[::1]:1"]);
    assert_eq!(
        (settings.user.as_deref(), settings.database),
        (Some("me"), 7)
    );
    assert_eq!(settings.password().unwrap().as_deref(), Some("p@w"));
    let settings = read("redis+sentinel://:pw@a,b:2,c/main?replicas=2&db=3").unwrap();
    assert_eq!(hosts(&settings), ["a:26379", "b:2", "c:26379"]);
    assert_eq!(settings.topology, Topology::Sentinel("main".to_owned()));
    assert_eq!(
        (settings.replicas, settings.database, settings.user),
        (2, 3, None)
    );
    let settings = read("redis+cluster://a,b?replicas=1").unwrap();
    assert_eq!(settings.topology, Topology::Cluster);
}

#[test]
fn tls_is_demanded_off_this_machine() {
    let tls = |url: &str| {
        let settings = read(url).unwrap_or_else(|fault| panic!("{fault}"));
        let hosts = settings.hosts.iter();
        hosts
            .map(|host| settings.needs_tls(host))
            .collect::<Vec<_>>()
    };
    assert_eq!(tls("redis://127.0.0.9"), [false]);
    assert_eq!(tls("rediss://localhost"), [true]);
    assert_eq!(tls("rediss://db"), [true]);
    assert_eq!(
        tls("redis+sentinel://localhost,b/main?replicas=1"),
        [false, true]
    );
    assert_eq!(tls("redis+cluster://[::1]?replicas=1&tls=on"), [true]);
    assert!(refused("redis://db").contains("rediss://"));
    assert!(refused("valkey://10.0.0.1").contains("valkeys://"));
}

#[test]
fn what_is_wrong_is_refused_and_no_password_is_shown() {
    for (url, wanted) in [
        ("mysql://me:hunter2@localhost", "redis://"),
        ("localhost", "redis://"),
        ("redis://me:hunter2/x@localhost", "%2F"),
        ("redis://me:hunter@2@localhost", "%40"),
        ("redis://me:hunter2@", "HOST"),
        ("redis://me:hunter2@localhost:port", "HOST:PORT"),
        ("redis://me:hunter2@localhost/hunter2", "number"),
        ("redis://me:hunter2@localhost/-1", "number"),
        ("redis://me:hunter2@localhost/99999999999", "number"),
        ("redis://me@localhost", "TOWER_REVOCATION_PASSWORD_FILE"),
        ("redis://me:hunter2@a,b", "redis+sentinel://"),
        (
            "redis://:hunter2@localhost?hunter2=hunter2",
            "a parameter that",
        ),
        ("redis://:hunter2@localhost?password=hunter2", "`password`"),
        (
            "redis://:hunter2@localhost?durability=hunter2",
            "durability",
        ),
        ("redis://:hunter2@localhost?assume=hunter2", "assume"),
        ("redis://:hunter2@localhost?replicas=hunter2", "replicas"),
        ("redis://:hunter2@localhost?replicas=17", "replicas"),
        (
            "redis://:hunter2@localhost?durability=replicated",
            "failover",
        ),
        (
            "redis+cluster://:hunter2@localhost?replicas=1&assume=no-failover",
            "no-failover",
        ),
        ("redis://:hunter2@localhost?sslcert=hunter2", "sslkey"),
        ("redis://:hunter2@localhost?sslrootcert=%4", "escape"),
        ("redis://:hunter2@localhost?tls=hunter2", "tls"),
        ("redis+sentinel://:hunter2@localhost/main", "replicas=1"),
        ("redis+sentinel://:hunter2@localhost?replicas=1", "NAME"),
        ("redis+cluster://:hunter2@localhost", "replicas=1"),
        ("redis+cluster://:hunter2@localhost/1?replicas=1", "cluster"),
    ] {
        let line = refused(url);
        assert!(
            line.contains(wanted) && !line.contains("hunter"),
            "{url}: {line}"
        );
    }
}

#[test]
fn password_file_is_read_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let variable = file.to_str().unwrap().to_owned();
    let environment = |name: &str| (name == PASSWORD_FILE).then(|| variable.clone());
    let settings =
        Settings::read(&Url::parse("redis://me@localhost").unwrap(), &environment).unwrap();
    let missing = settings.password().unwrap_err();
    assert!(missing.to_string().contains("cannot be read"));
    for password in ["one", "two"] {
        fs::write(&file, format!("{password}\n")).unwrap();
        assert_eq!(settings.password().unwrap().as_deref(), Some(password));
    }
    let settings = Settings::read(
        &Url::parse("redis://:three@localhost").unwrap(),
        &environment,
    )
    .unwrap();
    assert_eq!(settings.password().unwrap().as_deref(), Some("three"));
}
