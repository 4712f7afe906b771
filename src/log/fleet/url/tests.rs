//! URLs, without an engine.

use std::error::Error as _;

use super::*;

fn refused(url: &str) -> String {
    let error = Address::parse(url).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Misconfigured, "{url}");
    error.source().unwrap().to_string()
}

#[test]
fn own_parameters_are_taken_and_the_others_passed_on() {
    let url = "postgres://me:secret@db/app?sslmode=require&lease=2s&name=a_1&append_timeout=250ms\
         &ceiling=7";
    let address = Address::parse(url).unwrap();
    let mut rest = address.url.parameters.clone();
    assert!(rest.end().unwrap_err().line().contains("`sslmode`"));
    assert_eq!(rest.take("sslmode").as_deref(), Some("require"));
    rest.end().unwrap();
    assert_eq!(address.ceiling, Some(7));
    assert_eq!(address.lease, Duration::from_secs(2));
    assert_eq!(address.ack, None);
    assert_eq!(address.append_timeout, Duration::from_millis(250));
    assert_eq!(address.name.as_deref(), Some("a_1"));
    assert!(!format!("{address:?}").contains("secret"));

    let address = Address::parse("postgresql:///app?lease=1m&ack=fleet").unwrap();
    assert_eq!(address.ack, Some(FleetAck::Fleet));
    assert_eq!(address.url.path, "app");
    assert_eq!(address.lease, Duration::from_secs(60));
    assert_eq!(
        (address.append_timeout, address.name),
        (Duration::from_secs(2), None)
    );
}

#[test]
fn parameter_that_is_not_usable_is_refused_without_the_password() {
    for query in [
        "lease=",
        "lease=5",
        "lease=5h",
        "lease=-5s",
        "lease=s",
        "lease=1ms",
        "lease=301s",
        "lease=99999999999s",
        "append_timeout=0s",
        "append_timeout=99ms",
        "append_timeout=301s",
        "skew=0s",
        "skew=61s",
        "ack=",
        "ack=all",
        "mirror=",
        "ack=fleet&ack=fleet",
        "lease=5s&sslmode=x&sslmode=x",
        "ceiling=",
        "ceiling=-1",
        "ceiling=+1",
        "ceiling=many",
        "name=",
        "name=A",
        "name=1a",
        "name=a-b",
        "name=a;b",
        "name=a%22b",
        "name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        let error = refused(&format!("postgres://me:secret@db/app?{query}"));
        assert!(
            !error.contains("secret") && error.contains('`'),
            "{query}: {error}"
        );
    }
    for url in [
        "",
        "postgres",
        "mysql://me:secret@db/app",
        "/path/to/log.redb",
    ] {
        assert!(!refused(url).contains("secret"));
    }
}

#[test]
fn parts_are_decoded_once() {
    let url = Url::parse("a+b://m%65:p%2540w@h:1,[::1],%2Frun:2/x%20/y?name=%41+&other=").unwrap();
    assert_eq!(url.scheme, "a+b");
    assert_eq!(
        (url.user.as_deref(), url.password.as_deref()),
        (Some("me"), Some("p%40w"))
    );
    let hosts: Vec<_> = url
        .hosts
        .iter()
        .map(|host| (&*host.name, host.port))
        .collect();
    assert_eq!(hosts, [("h", Some(1)), ("::1", None), ("/run", Some(2))]);
    assert_eq!(
        (&*url.path, &*url.decoded_path().unwrap()),
        ("x%20/y", "x /y")
    );
    let mut parameters = url.parameters;
    assert_eq!(parameters.take("name").as_deref(), Some("A+"));
    assert_eq!(
        (parameters.take("name"), parameters.take("other").as_deref()),
        (None, Some(""))
    );
    let url = Url::parse("postgres://").unwrap();
    assert!(url.hosts.is_empty() && url.user.is_none() && url.path.is_empty());
}

#[test]
fn what_is_not_a_url_is_refused_without_the_password() {
    for (url, wanted) in [
        ("a://me:hunter/2@h", "%2F"),
        ("a://me:hunter@2@h", "%40"),
        ("a://me:hunter%2@h", "%25"),
        ("a://me:hunter%0a2@h", "control character"),
        ("a://me:hunter2\n@h", "a line break"),
        ("a://me:hunter%ff@h", "%25"),
        ("a://me:hunter2@h:port", "HOST:PORT"),
        ("a://me:hunter2@h:+1", "HOST:PORT"),
        ("a://me:hunter2@h:65536", "HOST:PORT"),
        ("a://me:hunter2@h h", "HOST:PORT"),
        ("a://me:hunter2@[::1", "HOST:PORT"),
        ("a://me:hunter2@[::1]x", "HOST:PORT"),
        ("a://me:hunter2@[h]", "HOST:PORT"),
        ("a://h?hunter", "a parameter that"),
        ("a://h?password=x&hunter=2", "a parameter that"),
        ("a://h?hunter2=x", "a parameter that"),
        ("a://h?name=%4", "escape"),
        ("a://h?name=1&name=hunter", "`name` twice"),
    ] {
        let line = Url::parse(url)
            .err()
            .unwrap_or_else(|| panic!("{url} is accepted"))
            .line();
        assert!(
            line.contains(wanted) && !line.contains("hunter"),
            "{url}: {line}"
        );
    }
}

#[test]
fn this_machine_is_recognised() {
    for (host, expected) in [
        ("localhost", true),
        ("LocalHost", true),
        ("127.9.9.9", true),
        ("::1", true),
        ("", false),
        ("localhost.example", false),
        ("10.0.0.1", false),
        ("::", false),
    ] {
        assert_eq!(is_local(host), expected, "{host}");
    }
}
