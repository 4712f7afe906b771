use super::*;

const GOOD: &str = r#"
[log]
path = "/var/lib/sidecar/log.redb"

[[issuer]]
url = "https://id.example.com"
audience = "https://api.example.com"

[gateway]
listen = "127.0.0.1:8080"
upstream = "http://127.0.0.1:3000"
"#;

fn good() -> Config {
    read("s.toml", GOOD, Vec::new()).unwrap().0
}

/// The error of a file.
fn refused(text: &str) -> String {
    let lines = read("s.toml", text, Vec::new()).unwrap_err();
    lines.join("\n")
}

/// The error of the good file with these lines after it.
fn with(lines: &str) -> String {
    refused(&format!("{GOOD}{lines}"))
}

/// The good file under these variables.
fn under(variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let overrides = from_environment(variables)?;
    let read = read("s.toml", GOOD, overrides).map_err(|lines| lines.join("\n"));
    Ok(read?.0)
}

#[test]
fn default_configuration_is_valid() {
    let (config, _) = read("default", DEFAULT, Vec::new()).unwrap();
    assert_eq!(config.log.longest_lifetime.unwrap().as_secs(), 30 * 86_400);
    assert!(config.verify.is_none() && config.revoke.is_none());
    // An eighth of all.
    assert_eq!(config.limits.connections_per_address, 2500);
    assert_eq!(config.limits.websocket_idle_timeout.as_secs(), 600);
}

#[test]
fn commented_lines_of_the_default_configuration_are_valid_too() {
    for (section, without) in [
        ("# [verify]\n", ""),
        ("# [revoke]\n", "# mode = \"forward\""),
        ("# [feed]\n", ""),
        ("# [links]\n", "# file ="),
        ("# [limits]\n", ""),
        ("# [run]\n", ""),
    ] {
        let start = DEFAULT.find(section).unwrap();
        let end = DEFAULT[start..]
            .find("\n\n")
            .map_or(DEFAULT.len(), |at| start + at);
        let lines = &DEFAULT[start..end];
        let lines = match without {
            "" => lines,
            without => &lines[..lines.find(without).unwrap()],
        };
        let lines = lines
            .lines()
            .map(|line| line.strip_prefix("# ").unwrap_or(line));
        let section = lines.collect::<Vec<_>>().join("\n");
        let needed = if section.starts_with("[links]") {
            "[revoke]\nmode = \"forward\"\nupstream = \"https://id\"\n"
        } else {
            ""
        };
        let (before, after) = (&DEFAULT[..start], &DEFAULT[end..]);
        let text = format!("{before}{section}\n{needed}{after}");
        read("default", &text, Vec::new()).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    }
}

#[test]
fn error_names_the_line_and_the_key() {
    for (lines, expected) in [
        (
            "listne = 1\n",
            "s.toml:12: gateway.listne: unknown field `listne`, expected one of",
        ),
        (
            "[gatewy]\n",
            "s.toml:12: gatewy: unknown field `gatewy`, expected one of",
        ),
        (
            "tls = { cert = \"c\" }\n",
            "s.toml:12: gateway.tls: missing field `key`",
        ),
        (
            "authorization = \"drop\"\n",
            "s.toml:12: gateway.authorization: this value does not fit here, expected `keep` or `remove`",
        ),
        ("\nlisten = \"127.0.0.1:1\"\n", "s.toml:13: duplicate key"),
        (
            "tls = 1\n",
            "s.toml:12: gateway.tls: a value of this type does not fit here, expected",
        ),
        ("x = \n", "s.toml:12: "),
        ("[revoke]\n", "s.toml:12: revoke.mode: missing: "),
        (
            "[revoke]\nmode = \"forward\"\n",
            "s.toml:12: revoke.upstream: missing: ",
        ),
        (
            "[revoke]\nmode = \"forward\"\nupstream = \"http://id.example.com/revoke\"\n",
            "s.toml:14: revoke.upstream: without TLS",
        ),
        (
            "routes = [\n  { path = \"/a\" },\n  { path = \"/a/../b\" },\n]\n",
            "s.toml:14: gateway.routes[1].path: expected a path",
        ),
        (
            "identity_headers = { subject = \"x-user\", client = \"X_User\" }\n",
            "s.toml:12: gateway.identity_headers.client: two fields have this name",
        ),
        (
            "identity_headers = { subject = \"host\" }\n",
            "s.toml:12: gateway.identity_headers.subject: expected the name of a field of your own",
        ),
        (
            "[run]\nreload_every = \"30\"\n",
            "s.toml:13: run.reload_every: a string does not fit here, expected a length of time",
        ),
        (
            "[verify]\nlisten = \"0.0.0.0:9001\"\n",
            "s.toml:13: verify.listen: 0.0.0.0:9001 is not a loopback address: add `tls`, or",
        ),
        (
            "[verify]\nlisten = \"127.0.0.1:8080\"\n",
            "s.toml:13: verify.listen: 127.0.0.1:8080 is the address of gateway.listen too",
        ),
        (
            "[[issuer]]\nurl = \"https://id.example.com\"\naudience = \"a\"\n",
            "s.toml:13: issuer[1].url: another issuer has this identifier too",
        ),
        (
            "[[issuer]]\nurl = \"https://b.example.com\"\n",
            "s.toml:12: issuer[1].audience: missing",
        ),
        (
            "[[issuer]]\nurl = \"https://b.example.com\"\naudience = \"a\"\ndialect = \"opaque\"\n",
            "s.toml:12: issuer[1].introspection: missing",
        ),
        (
            "[[issuer]]\nurl = \"https://b\"\naudience = \"a\"\n[issuer.introspection]\n\
             url = \"https://b/i\"\nsecret = \"hunter2\"\n",
            "s.toml:17: issuer[1].introspection.secret: unknown field `secret`",
        ),
        (
            "[admin]\ntokens_file = \"t\"\n",
            "s.toml:13: admin.tokens_file: it needs admin.listen",
        ),
        (
            "[logging]\nformat = \"xml\"\n",
            "s.toml:13: logging.format: this value does not fit here",
        ),
    ] {
        let error = with(lines);
        assert!(error.starts_with(expected), "{expected:?}, not {error:?}");
        assert!(
            !error.contains('\n') && !error.contains("hunter2"),
            "{error:?}"
        );
    }
}

#[test]
fn file_without_a_needed_section_says_what_to_add() {
    for (text, expected) in [
        ("", "s.toml: log.path: missing: "),
        (
            "[log]\npath = \"l\"\n",
            "s.toml: gateway: there is nothing to serve",
        ),
        (
            "[log]\npath = \"l\"\nurl = \"postgres://h/d\"\n",
            "s.toml:1: log: `path`, `url`",
        ),
        (
            "[log]\npath = \"l\"\n[gateway]\nlisten = \"[::1]:80\"\n",
            "s.toml: issuer: missing: add an [[issuer]]",
        ),
    ] {
        let error = refused(text);
        assert!(error.starts_with(expected), "{expected:?}, not {error:?}");
    }
}

#[test]
fn password_in_a_url_is_refused_and_not_repeated() {
    for url in [
        "postgres://me:hunter2@db/app",
        "postgres://me@db/app?password=hunter2",
        "redis://:hunter2@cache",
    ] {
        let text = GOOD.replace(
            "path = \"/var/lib/sidecar/log.redb\"",
            &format!("url = \"{url}\""),
        );
        let error = refused(&text);
        assert!(
            error.starts_with("s.toml:3: log.url: the URL has a password"),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = under(&[("SIDECAR_LOG", "postgres://me:hunter2@db/app")]).unwrap_err();
    assert!(error.starts_with("SIDECAR_LOG: "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

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

#[test]
fn route_is_that_of_canonical_paths_only() {
    let text = format!(
        "{GOOD}routes = [{{ path = \"/health\", token = \"optional\" }}, {{ path = \"/public/*\" }}]\n"
    );
    let (config, _) = read("s.toml", &text, Vec::new()).unwrap();
    let [health, public] = &config.gateway.unwrap().routes[..] else {
        panic!("two routes");
    };
    assert!(health.is_token_optional && !public.is_token_optional);
    assert!(health.is_of("/health") && public.is_of("/public/a/b"));
    for path in [
        "/health/",
        "/healthy",
        "/Health",
        "//health",
        "/health/../admin",
    ] {
        assert!(!health.is_of(path), "{path}");
    }
    for path in [
        "/public",
        "/publicity",
        "/public/../admin",
        "/public/%2e%2E/admin",
        "/public/%2fadmin",
        "/public/a\\b",
        "/public/%5Cb",
        "/public//b",
    ] {
        assert!(!public.is_of(path), "{path}");
    }
}

#[test]
fn gateway_needs_no_api_if_it_only_revokes() {
    let text = GOOD.replace("upstream = \"http://127.0.0.1:3000\"\n", "");
    assert!(refused(&text).starts_with("s.toml:9: gateway.upstream: missing"));
    let text = format!("{text}[revoke]\nmode = \"terminate\"\nclients = \"c.json\"\n");
    assert!(read("s.toml", &text, Vec::new()).is_ok());
}

#[test]
fn equal_configurations_are_equal() {
    assert_eq!(good(), good());
    assert_ne!(
        good(),
        under(&[("SIDECAR_GATEWAY__PREFLIGHT", "pass")]).unwrap()
    );
}
