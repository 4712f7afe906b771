//! Variables and flags, which count more than the file.

use super::*;

#[test]
fn variables_count_more_than_the_file() {
    let config = under(&[
        ("SIDECAR_GATEWAY__UPSTREAM", "https://api.example.com"),
        ("SIDECAR_ISSUER__0__AUDIENCE", "[\"a\", \"b\"]"),
        ("SIDECAR_ISSUER__1__AUDIENCE", "true"),
        ("SIDECAR_ISSUER__1__URL", "https://b.example.com"),
        ("SIDECAR_LIMITS__CONNECTIONS", "7"),
        ("SIDECAR_RUN__ALLOW_ROOT", "true"),
        ("SIDECAR_CONFIG", "elsewhere"),
        ("SIDECAR_PORT", "tcp://10.0.0.1:80"),
        ("SIDECAR_SERVICE_PORT_HTTP", "80"),
        ("OTHER", "x"),
    ])
    .unwrap();
    let gateway = config.gateway.unwrap();
    assert_eq!(gateway.upstream.unwrap(), "https://api.example.com/");
    assert_eq!(config.issuers[0].audience, ["a", "b"]);
    assert_eq!(config.issuers[1].audience, ["true"]);
    assert_eq!(config.limits.connections, 7);
    assert_eq!(config.limits.connections_per_address, 1);
    assert!(config.run.allow_root);
}

#[test]
fn flags_count_more_than_variables() {
    let variable = (
        "SIDECAR_GATEWAY__LISTEN".to_owned(),
        "127.0.0.1:1".to_owned(),
    );
    let mut overrides = from_environment([variable]).unwrap();
    overrides.push(from_flag("gateway.listen=127.0.0.1:2").unwrap());
    overrides.push(from_flag("issuer[0].dialect = keycloak").unwrap());
    let (config, _) = read("s.toml", GOOD, overrides).unwrap();
    assert_eq!(config.gateway.unwrap().listen.address.port(), 2);
    assert_eq!(config.issuers[0].dialect, Dialect::Keycloak);
}

#[test]
fn error_in_a_variable_or_a_flag_names_it() {
    for (name, value, expected) in [
        (
            "SIDECAR_GATEWAY_UPSTREAM",
            "x",
            "SIDECAR_GATEWAY_UPSTREAM: unknown variable: write",
        ),
        (
            "SIDECAR_GATEWAY__UPSTRAEM",
            "x",
            "SIDECAR_GATEWAY__UPSTRAEM: unknown field `upstraem`",
        ),
        (
            "SIDECAR_GATEWAY__LISTEN",
            "x",
            "SIDECAR_GATEWAY__LISTEN: gateway.listen: expected an",
        ),
        (
            "SIDECAR_LIMITS__CONNECTIONS",
            "x",
            "SIDECAR_LIMITS__CONNECTIONS: a string does not",
        ),
        (
            "SIDECAR_ISSUER__3__URL",
            "x",
            "SIDECAR_ISSUER__3__URL: the next one in the list is",
        ),
        (
            "SIDECAR_ISSUER__0__AUDIENCE",
            "[",
            "SIDECAR_ISSUER__0__AUDIENCE: the value is not valid",
        ),
        (
            "SIDECAR_LOG__PATH__X",
            "x",
            "SIDECAR_LOG__PATH__X: `path` has no keys",
        ),
    ] {
        let error = under(&[(name, value)]).unwrap_err();
        assert!(error.starts_with(expected), "{expected:?}, not {error:?}");
    }
    let flag = from_flag("revoke.mode=both").unwrap();
    let error = read("s.toml", GOOD, vec![flag]).unwrap_err().join("\n");
    assert!(
        error.starts_with("--set revoke.mode: this value does not fit here, expected"),
        "{error}"
    );
    assert!(from_flag("gateway.listen").is_err());
    assert!(from_flag("=x").is_err());
}
