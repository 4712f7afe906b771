//! What is said about a mistake in the file.

use super::*;

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
            "[admin]\nkeep_orders = \"0s\"\n",
            "s.toml:13: admin.keep_orders: expected at least 1s",
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
fn error_about_sessions_of_users_names_the_line_and_the_key() {
    for (lines, expected) in [
        (
            "[sightings]\ncapacity = 0\n",
            "s.toml:13: sightings.capacity: with 0 nothing is noted",
        ),
        (
            "[me]\n",
            "s.toml:12: me: sessions are known from sightings: add [sightings]",
        ),
        (
            "[sightings]\nenabled = false\n[me]\n",
            "s.toml:14: me: sessions are known from sightings",
        ),
        (
            "[sightings]\n[me]\npath = \"/me/\"\n",
            "s.toml:14: me.path: expected a path",
        ),
        (
            "[sightings]\n[me]\nscope = \"a b\"\n",
            "s.toml:14: me.scope: expected one scope",
        ),
        (
            "[sightings]\n[me]\ncors = [\"app.example.com\"]\n",
            "s.toml:14: me.cors[0]: expected an origin",
        ),
        (
            "[sightings]\n[me]\npath = \"/oauth2\"\n[revoke]\nmode = \"forward\"\nupstream = \"https://id\"\n",
            "s.toml:14: me.path: another endpoint has a path there",
        ),
    ] {
        let error = with(lines);
        assert!(error.starts_with(expected), "{error}");
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
