//! URLs and variables, without a server.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::*;

type Variables<'a> = &'a [(&'a str, &'a str)];

fn read(url: &str, variables: Variables<'_>) -> Result<Settings, Fault> {
    let url = Url::parse(url)?;
    let environment = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::read(&url, &environment, Duration::from_secs(2))
}

fn refused(url: &str, variables: Variables<'_>) -> String {
    let fault = read(url, variables)
        .err()
        .unwrap_or_else(|| panic!("{url} is accepted"));
    assert!(!fault.to_string().contains('\n'));
    fault.to_string()
}

fn password(url: &str, variables: Variables<'_>) -> Option<String> {
    let settings = read(url, variables).unwrap_or_else(|fault| panic!("{fault}"));
    let password = settings.servers[0].config.get_password()?;
    Some(String::from_utf8(password.to_vec()).unwrap())
}

fn places(settings: &Settings) -> Vec<&str> {
    settings
        .servers
        .iter()
        .map(|server| &*server.place)
        .collect()
}

#[test]
fn url_has_hosts_role_and_database() {
    let settings = read("postgresql://me@one:1,two,[::1]:3/app", &[]).unwrap();
    assert_eq!(places(&settings), ["one:1", "two:5432", "::1:3"]);
    assert_eq!((&*settings.role, &*settings.database), ("me", "app"));
    let settings = read("postgres://?user=me&host=one,two&port=7&dbname=app", &[]).unwrap();
    assert_eq!(places(&settings), ["one:7", "two:7"]);
    assert_eq!((&*settings.role, &*settings.database), ("me", "app"));
    let settings = read("postgres://it%27s@:7/a%5Cb", &[("PGHOST", "one")]).unwrap();
    assert_eq!(places(&settings), ["one:7"]);
    assert_eq!((&*settings.role, &*settings.database), ("it's", "a\\b"));
    let settings = read("postgres://me@%2Frun%2Fpg/", &[]).unwrap();
    assert_eq!(places(&settings), ["/run/pg:5432"]);
    assert_eq!(settings.database, "me");
    assert!(settings.tls.is_none());
}

#[test]
fn variables_complete_the_url_and_never_replace_it() {
    let variables = [
        ("PGHOST", "one,two"),
        ("PGPORT", "7"),
        ("PGUSER", "me"),
        ("PGDATABASE", "app"),
        ("PGPASSWORD", "secret"),
    ];
    let settings = read("postgres://", &variables).unwrap();
    assert_eq!(places(&settings), ["one:7", "two:7"]);
    assert_eq!((&*settings.role, &*settings.database), ("me", "app"));
    assert_eq!(password("postgres://", &variables).unwrap(), "secret");
    let settings = read("postgres://you:pw@three:8/other", &variables).unwrap();
    assert_eq!(places(&settings), ["three:8"]);
    assert_eq!((&*settings.role, &*settings.database), ("you", "other"));
    assert_eq!(
        password("postgres://you:p%40w@three:8/other", &variables).unwrap(),
        "p@w"
    );
}

#[test]
fn tls_is_demanded_off_this_machine_only() {
    let modes = |url: &str| {
        let settings = read(url, &[]).unwrap_or_else(|fault| panic!("{fault}"));
        let servers = settings.servers.iter();
        let modes: Vec<_> = servers.map(|server| server.config.get_ssl_mode()).collect();
        assert_eq!(settings.tls.is_some(), modes.contains(&SslMode::Require));
        modes
    };
    for url in [
        "postgres://me@localhost/",
        "postgres://me@127.0.0.1/",
        "postgres://me@[::1]/?sslmode=prefer",
        "postgres://me@%2Frun/?sslmode=disable",
        "postgres://me@%2Frun/?sslmode=require",
        "postgres://me@db/?hostaddr=127.0.0.2",
    ] {
        assert_eq!(modes(url), [SslMode::Disable], "{url}");
    }
    for url in [
        "postgres://me@db/",
        "postgres://me@10.0.0.1/?sslmode=prefer",
        "postgres://me@localhost.example/?sslmode=allow",
        "postgres://me@localhost/?sslmode=verify-full",
        "postgres://me@localhost/?hostaddr=10.0.0.1",
    ] {
        assert_eq!(modes(url), [SslMode::Require], "{url}");
    }
    assert_eq!(
        modes("postgres://me@localhost,db/"),
        [SslMode::Disable, SslMode::Require]
    );
    assert!(refused("postgres://me@localhost,db/?sslmode=disable", &[]).contains("db:5432"));
    assert!(refused("postgres://me@db/", &[("PGSSLMODE", "disable")]).contains("sslmode"));
}

#[test]
fn what_is_unknown_is_refused_and_no_password_is_shown() {
    for (url, wanted) in [
        ("postgres://me:hunter2@db/?sslmod=require", "`sslmod`"),
        ("postgres://me@db/?password=x&hunter2", "a parameter that"),
        ("postgres://me@db/?password=x&hunter2=y", "a parameter that"),
        ("postgres://me@db/?Hunter2=y", "a parameter that"),
        ("postgres://me:hunter/2@db/app", "%2F"),
        ("postgres://me:hunter?2@db/app", "%2F"),
        ("postgres://me:hunter2@db:port/", "port"),
        (
            "postgres://me:hunter2@db/?connect_timeout=soon",
            "connect_timeout",
        ),
        ("postgres://me:hunter2@db/?sslmode=sometimes", "sslmode"),
        ("postgres://me:hunter2@db/?sslrootcert=%4", "escape"),
        ("postgres://me:hunter2@db/?sslrootcert=%+1", "escape"),
        (
            "postgres://me:hunter2@db/?channel_binding=require",
            "channel_binding",
        ),
        (
            "postgres://me:hunter2@db/?target_session_attrs=standby",
            "primary",
        ),
        ("postgres://me:hunter2@db/?sslcert=a", "sslkey"),
        (
            "postgres://me:hunter2@db/?hostaddr=10.0.0.1,10.0.0.2",
            "hostaddr",
        ),
        ("postgres://me:hunter2@a,b,c/?port=1,2", "port"),
        ("postgres://hunter2", "no role"),
        (
            "postgres://me:hunter2@db/?password=hunter2",
            "`password` twice",
        ),
        ("postgres://me:hunter2@db/?host=hunter", "`host` twice"),
        (
            "postgres://me:hunter2@db/?durability=volatile",
            "`durability`",
        ),
        (
            "postgres://me:hunter2@db/?sslmode=require&sslmode=hunter2",
            "`sslmode` twice",
        ),
    ] {
        let line = refused(url, &[]);
        assert!(
            line.contains(wanted) && !line.to_lowercase().contains("hunter"),
            "{url}: {line}"
        );
    }
    assert!(refused("postgres://me@db/", &[("PGSERVICE", "x")]).contains("PGSERVICE"));
    assert!(refused("postgres://me@/", &[("PGPORT", "x")]).contains("PGPORT"));
    assert!(refused("postgres://me@/", &[("PGHOSTADDR", "x")]).contains("PGHOSTADDR"));
}

#[test]
fn password_files_are_read_as_by_libpq() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    let file = folder.path().join(".pgpass");
    let lines = "# comment:*:*:*:no\n\
                 db:5432:app:you:no\n\
                 d\\:b:*:*:me:colon\n\
                 db:5432:app:me:p\\:w\\\\:rest\n\
                 *:*:*:*:any";
    fs::write(&file, lines).unwrap();
    let allow = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    allow(0o600);
    let of = |url: &str| password(url, &[("HOME", home)]);
    assert_eq!(of("postgres://me@db/app").unwrap(), "p:w\\");
    assert_eq!(of("postgres://me@db:1/app").unwrap(), "any");
    assert_eq!(of("postgres://me:url@db/app").unwrap(), "url");
    assert_eq!(of("postgres://me:@db/app").unwrap(), "");
    allow(0o640);
    assert!(refused("postgres://me@db/app", &[("HOME", home)]).contains("chmod 600"));

    let missing = format!("{home}/missing");
    assert!(password("postgres://me@db/app", &[("HOME", &missing)]).is_none());
    assert!(refused("postgres://me@db/", &[("PGPASSFILE", &missing)]).contains("missing"));
    assert!(
        refused(
            "postgres://me@db/",
            &[("TOWER_REVOCATION_PASSWORD_FILE", &missing)]
        )
        .contains("missing")
    );
    let secret = folder.path().join("secret");
    fs::write(&secret, "from a file\n").unwrap();
    let secret = secret.to_str().unwrap();
    let variables = [("TOWER_REVOCATION_PASSWORD_FILE", secret), ("HOME", home)];
    assert_eq!(
        password("postgres://me@db/", &variables).unwrap(),
        "from a file"
    );
    let [variable, file] = [
        ("PGPASSWORD", "variable"),
        ("TOWER_REVOCATION_PASSWORD_FILE", secret),
    ];
    assert_eq!(
        password("postgres://me@db/", &[file, variable]).unwrap(),
        "variable"
    );
}
