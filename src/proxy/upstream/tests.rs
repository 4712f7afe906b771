use super::Upstream;

#[test]
fn base_url_is_strict() {
    for url in [
        "http://127.0.0.1:3000",
        "https://api.example/v1/",
        "h2c://[::1]:50051",
        "http://api.example:80/",
    ] {
        assert!(Upstream::new(url).is_ok(), "{url}");
    }
    for url in [
        "",
        "/v1",
        "api.example",
        "ftp://api.example",
        "http://",
        "http://user@api.example",
        "http://api.example:80x",
        "http://api.example/?a",
        "http://api.example/#a",
        "http://api.example#",
    ] {
        assert!(Upstream::new(url).is_err(), "{url}");
    }
}

#[test]
fn path_cannot_leave_the_base() {
    let joined = |base: &str, requested: &str| {
        let base = Upstream::new(base).unwrap().base;
        let joined = base.join(&requested.parse().unwrap());
        joined.map(|uri| uri.to_string())
    };
    let base = "http://api.example/v1/";
    for (requested, expected) in [
        ("/a?b=%2F..&c", Some("/v1/a?b=%2F..&c")),
        ("/", Some("/v1/")),
        ("/..a/...", Some("/v1/..a/...")),
        ("/%2fa", Some("/v1/%2fa")),
        ("http://elsewhere.example/a", Some("/v1/a")),
        ("/..", None),
        ("/a/../b", None),
        ("/a/%2e%2E", None),
        ("/.%2E%2fadmin", None),
        ("/a%5C..%5cadmin", None),
        ("/a;b/c..;d", Some("/v1/a;b/c..;d")),
        ("/..;/admin", None),
        ("/a/..;b=c/admin", None),
        ("/.%2e%3b/admin", None),
        ("/%252e%252e/admin", None),
        ("/..%252fadmin", None),
        ("*", None),
    ] {
        let expected = expected.map(|path| format!("http://api.example{path}"));
        assert_eq!(joined(base, requested), expected, "{requested}");
    }
    // Without a base path there is nothing to leave.
    let same = Some("http://api.example/../a".to_owned());
    assert_eq!(joined("http://api.example", "/../a"), same);
}

#[test]
fn host_has_the_port_unless_it_is_the_default() {
    for (url, host) in [
        ("http://api.example", "api.example"),
        ("http://api.example:80/v1", "api.example"),
        ("http://api.example:8080", "api.example:8080"),
        ("http://[::1]:3000", "[::1]:3000"),
        ("http://[::1]/", "[::1]"),
    ] {
        assert_eq!(Upstream::new(url).unwrap().base.host, host, "{url}");
    }
}
