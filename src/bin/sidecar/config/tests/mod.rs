//! The reading of configurations.

mod mistakes;
mod on_revoke;
mod overrides;

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
    assert_eq!(config.admin.keep_orders.as_secs(), 400 * 86_400);
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
        ("# [sightings]\n", ""),
        ("# [me]\n", ""),
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
        let needed = match section.split(']').next() {
            Some("[links") => "[revoke]\nmode = \"forward\"\nupstream = \"https://id\"\n",
            Some("[me") => "[sightings]\n",
            _ => "",
        };
        let (before, after) = (&DEFAULT[..start], &DEFAULT[end..]);
        let text = format!("{before}{section}\n{needed}{after}");
        read("default", &text, Vec::new()).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    }
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

/// The keys of a section, as the error about an unknown one lists them.
fn keys(text: &str) -> Vec<String> {
    let lines = read("c", text, Vec::new()).unwrap_err();
    let (_, expected) = lines[0].split_once(", expected ").unwrap();
    let names = expected.split('`').skip(1).step_by(2);
    names.map(ToOwned::to_owned).collect()
}

#[test]
fn default_configuration_shows_every_key() {
    for section in [
        "log",
        "[issuer]",
        "gateway",
        "verify",
        "revoke",
        "[profile]",
        "links",
        "sightings",
        "me",
        "feed",
        "admin",
        "logging",
        "limits",
        "run",
    ] {
        let keys = keys(&format!("[{section}]\nno_such_key = 1\n"));
        assert!(keys.len() > 1, "{section}: {keys:?}");
        let (_, rest) = DEFAULT.split_once(&format!("[{section}]\n")).unwrap();
        let end = rest.find("\n[").unwrap_or(rest.len());
        let end = end.min(rest.find("\n# [[").unwrap_or(rest.len()));
        for key in keys {
            let is_there = rest[..end].lines().any(|line| {
                line.trim_start_matches("# ")
                    .starts_with(&format!("{key} = "))
            });
            let in_text = DEFAULT.contains(&format!(" {key} = "));
            assert!(is_there || in_text, "{section}.{key}");
        }
    }
}
