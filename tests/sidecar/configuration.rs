//! A wrong configuration is one line, and the exit code 2.

use std::{path::Path, process::Command};

use super::{
    process::{output, program, refused},
    world::World,
};

pub(crate) fn with(world: &World, text: &str) -> Command {
    let mut command = program();
    command.arg("--config").arg(world.write("c.toml", text));
    command
}

/// The good configuration with these lines after it is refused with this line, by `--check` too.
/// `place` is the number of the wrong line, counted from the first of these.
fn is_refused(world: &World, lines: &str, place: usize, expected: &str) {
    let good = world.config("");
    let text = format!("{good}{lines}");
    let line = good.lines().count() + place;
    let expected = format!("{}:{line}: {expected}", world.path("c.toml"));
    for check in [true, false] {
        let mut command = with(world, &text);
        if check {
            command.arg("--check");
        }
        let line = refused(&mut command, 2);
        assert!(line.starts_with(&expected), "{expected:?}, not {line:?}");
    }
    // Nothing was opened.
    assert!(!Path::new(&world.path("log.redb")).exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistake_in_the_file_is_one_line_with_its_place() {
    let world = World::new().await;
    for (lines, place, expected) in [
        ("[gatway]\n", 1, "gatway: unknown field `gatway`"),
        (
            "authorization = \"gone\"\n",
            1,
            "gateway.authorization: this value does not fit here, expected `keep`",
        ),
        (
            "[logging]\nlevel = \"loud\"\n",
            2,
            "logging.level: expected error, warn",
        ),
        ("[revoke]\n", 1, "revoke.mode: missing: "),
    ] {
        is_refused(&world, lines, place, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistake_about_a_log_on_a_server_is_found_without_the_server() {
    let world = World::new().await;
    let secret = world.write("password", "secret");
    let missing = world.path("no-such-file");
    let url_file = world.write("url", "postgres://app@localhost/app?lease=900s\n");
    for (log, expected) in [
        (
            "url = \"mysql://localhost/app\"".to_owned(),
            "must begin with `postgres://`",
        ),
        (
            "url = \"postgres://app@localhost/app?leese=5s\"".to_owned(),
            "log.url: ",
        ),
        ("url = \"redis://localhost:99999\"".to_owned(), "log.url: "),
        (
            "url = \"https://localhost/feed?ack=fleet\"".to_owned(),
            "log.url: the log is not set up as it must be: a feed has no `ack`",
        ),
        (
            format!("url_file = {url_file:?}"),
            "log.url_file: the log is not set up as it must be: `lease` must be between",
        ),
        (format!("url_file = {missing:?}"), "log.url_file: "),
        (
            format!("url = \"postgres://app@localhost/app\"\npassword_file = {missing:?}"),
            "log.password_file: ",
        ),
        (
            format!(
                "url = \"postgres://app@localhost/app?sslmode=verify-full&sslrootcert={missing}\"\npassword_file = {secret:?}"
            ),
            "log.url: ",
        ),
    ] {
        let text = world.config_with(&log, "");
        for check in [true, false] {
            let mut command = with(&world, &text);
            if check {
                command.arg("--check");
            }
            let line = refused(&mut command, 2);
            assert!(
                line.contains(expected),
                "{check} {expected:?}, not {line:?}"
            );
            assert!(!line.contains("secret"), "{line}");
        }
    }
    // A server that is away is no mistake.
    let good = world.config_with("url = \"postgres://app@localhost:1/app\"", "");
    let checked = output(with(&world, &good).arg("--check"), "");
    assert!(checked.status.success(), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_a_feed_that_nobody_may_have_are_found_by_the_check() {
    let world = World::new().await;
    for tokens in ["short\n", "a token with blanks in it\n"] {
        let file = world.write("tokens", tokens);
        let lines = format!("[feed]\nlisten = \"127.0.0.1:0\"\ntokens_file = {file:?}\n");
        is_refused(&world, &lines, 3, "feed.tokens_file: ");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configuration_of_the_readme_is_valid() {
    let world = World::new().await;
    let readme = include_str!("../../README.md");
    let (_, after) = readme
        .split_once("```toml\n[log]")
        .expect("it has a configuration");
    let (text, _) = after.split_once("```").unwrap();
    let checked = output(with(&world, &format!("[log]{text}")).arg("--check"), "");
    assert!(checked.status.success(), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistake_in_a_named_file_is_one_line_with_the_key() {
    let world = World::new().await;
    let clients = world.write("not-a-registry.json", "[{}, 7]");
    let empty = world.write("empty", "\n");
    let pem = world.write("not.pem", "x");
    let keys = world.write("keys.json", "{\"keys\":[]}");
    let missing = world.path("missing");
    let tls = |path: &str| format!("tls = {{ cert = {path:?}, key = {path:?} }}\n");
    let registry = |path: &str| format!("[revoke]\nmode = \"terminate\"\nclients = {path:?}\n");
    let issuer =
        |rest: &str| format!("[[issuer]]\nurl = \"https://b.test\"\naudience = \"a\"\n{rest}");
    let absent = |key: &str| format!("{key}: {missing}: No such file");
    for (lines, place, expected) in [
        (tls(&missing), 1, absent("gateway.tls.cert")),
        (
            tls(&pem),
            1,
            "gateway.tls: the PEM contains no certificate".into(),
        ),
        (
            registry(&clients),
            3,
            format!("revoke.clients: {clients}: "),
        ),
        (registry(&missing), 3, absent("revoke.clients")),
        (
            issuer(&format!("jwks_file = {keys:?}\n")),
            4,
            format!("issuer[1].jwks_file: {keys}: the set has no usable key"),
        ),
        (
            issuer(&format!(
                "dialect = \"opaque\"\nintrospection = {{ url = \"https://b.test/i\", \
                 client_id = \"c\", secret_file = {empty:?} }}\n"
            )),
            5,
            format!("issuer[1].introspection.secret_file: {empty} is empty"),
        ),
        (
            issuer(&format!(
                "jwks = \"https://b.test/k\"\non_revoke = {{ webhook = {{ url = \"https://b.test/h\", \
                 secret_file = {pem:?} }} }}\n"
            )),
            5,
            "issuer[1].on_revoke.webhook: invalid configuration: a key of a webhook is whsec_".into(),
        ),
        (
            issuer(&format!(
                "jwks = \"https://b.test/k\"\non_revoke = {{ keycloak = {{ client_id = \"c\", \
                 secret_file = {pem:?} }} }}\n"
            )),
            5,
            "issuer[1].on_revoke.keycloak.url: invalid configuration: the URI is not that of a realm"
                .into(),
        ),
        (
            format!("[feed]\nlisten = \"127.0.0.1:0\"\ntokens_file = {missing:?}\n"),
            3,
            absent("feed.tokens_file"),
        ),
    ] {
        is_refused(&world, &lines, place, &expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_endpoint_of_an_authorization_server_is_checked_without_a_log() {
    let world = World::new().await;
    let sections = format!(
        "{}[links]\nupstream = \"https://id.example.com:99999/token\"\n",
        world.terminate()
    );
    let mut command = with(&world, &world.config(&sections));
    let line = refused(command.arg("--check"), 2);
    assert!(line.contains(": links.upstream: "), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_and_flags_are_named_too() {
    let world = World::new().await;
    let good = world.config("");
    let mut command = with(&world, &good);
    command.env("SIDECAR_GATEWAY_UPSTREAM", "x");
    let line = refused(&mut command, 2);
    assert!(
        line.starts_with("SIDECAR_GATEWAY_UPSTREAM: unknown variable"),
        "{line}"
    );

    let mut command = with(&world, &good);
    command.env("SIDECAR_GATEWAY__UPSTREAM", "ftp://h");
    let line = refused(&mut command, 2);
    assert!(
        line.starts_with("SIDECAR_GATEWAY__UPSTREAM: gateway.upstream: expected"),
        "{line}"
    );

    let mut command = with(&world, &good);
    command.args(["--set", "gateway.listen=localhost"]);
    let line = refused(&mut command, 2);
    assert!(
        line.starts_with("--set gateway.listen: gateway.listen: expected an address"),
        "{line}"
    );

    let mut command = with(&world, &good);
    command.args(["--check", "--set", "gateway.preflight=pass"]);
    command.env("SIDECAR_GATEWAY__PREFLIGHT", "check");
    let checked = output(&mut command, "");
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    assert_eq!(checked.stdout, b"the configuration is valid\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn printed_default_passes_the_check() {
    let world = World::new().await;
    let printed = output(program().arg("--print-default"), "");
    assert!(printed.status.success());
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(text.contains("[gateway]"), "{text}");
    // Those of the default are not for every user.
    let text = text.replace("/var/lib/sidecar", &world.path(""));
    let checked = output(with(&world, &text).arg("--check"), "");
    assert!(checked.status.success(), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_tells_why_the_start_would_fail_here() {
    let world = World::new().await;
    let plain = world.write("plain", "");
    let good = world.config("");
    let check = |text: &str| {
        let checked = output(with(&world, text).arg("--check"), "");
        (
            checked.status.code(),
            String::from_utf8(checked.stderr).unwrap(),
        )
    };
    assert_eq!(check(&good).0, Some(0));
    let text = good
        .replace(&world.path("log.redb"), &format!("{plain}/log.redb"))
        .replace(&world.path("admin.sock"), &world.path("no/folder/a.sock"));
    let (code, lines) = check(&text);
    assert_eq!(code, Some(1), "{lines}");
    let fails = "the configuration is valid, but the start would fail here: ";
    assert_eq!(lines.matches(fails).count(), 2, "{lines}");
    assert!(lines.contains(&format!(": log.path: there is no folder {plain}")));
    assert!(lines.contains(&format!(
        ": admin.socket: there is no folder {}",
        world.path("no")
    )));
    // Nothing was made.
    assert!(!Path::new(&world.path("no")).exists());

    // A log that must exist does not.
    let text = good.replace("longest_lifetime", "create = false\nlongest_lifetime");
    let (code, lines) = check(&text);
    assert_eq!(code, Some(1), "{lines}");
    assert!(lines.contains("log.redb: there is no such file"), "{lines}");
    let (code, _) = check(&format!("{good}[gatway]\n"));
    assert_eq!(code, Some(2));
    // The process that runs has its own socket and its own log.
    let sidecar = world.start("");
    assert_eq!(check(&good).0, Some(0));
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_configuration_the_line_says_what_to_do() {
    let mut command = program();
    command.env_remove("SIDECAR_RUN__ALLOW_ROOT");
    if !Path::new("/etc/sidecar/config.toml").exists() {
        let line = refused(&mut command, 2);
        assert!(
            line.starts_with("there is no configuration: name one with --config"),
            "{line}"
        );
    }
    let mut command = program();
    let line = refused(command.args(["--config", "/no/such/file"]), 2);
    assert!(line.starts_with("/no/such/file: No such file"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn environment_alone_is_a_configuration() {
    let world = World::new().await;
    let mut command = program();
    command
        .arg("--check")
        .env("SIDECAR_LOG__PATH", world.path("log.redb"))
        .env("SIDECAR_ISSUER__0__URL", "https://id.example.com")
        .env("SIDECAR_ISSUER__0__AUDIENCE", "https://api.example.com")
        .env("SIDECAR_GATEWAY__LISTEN", "127.0.0.1:0")
        .env("SIDECAR_GATEWAY__UPSTREAM", "http://127.0.0.1:1");
    let checked = output(&mut command, "");
    assert!(checked.status.success(), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_of_the_log_that_is_open_elsewhere_is_1_and_a_damaged_one_is_2() {
    let world = World::new().await;
    let running = world.start("");
    let text = world.config("").replace("admin.sock", "other.sock");
    // The other process may end, so a supervisor tries again.
    let waited = output(&mut with(&world, &text), "");
    assert_eq!(waited.status.code(), Some(1), "{waited:?}");
    let lines = String::from_utf8(waited.stderr).unwrap();
    let (first, last) = lines.split_once('\n').unwrap();
    assert!(
        first.contains("another process has the file open"),
        "{lines}"
    );
    assert!(
        last.contains("log.path: ") && last.contains("log.redb: "),
        "{lines}"
    );
    running.end();

    world.write("log.redb", "not a log");
    let line = refused(&mut with(&world, &text), 2);
    assert!(line.contains(": log.path: "), "{line}");
    // A lost file is not replaced by an empty one.
    std::fs::remove_file(world.path("log.redb")).unwrap();
    let line = refused(&mut with(&world, &text), 2);
    assert!(line.contains("to begin again without it, remove"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn root_is_refused_unless_it_is_allowed() {
    let world = World::new().await;
    let is_root = output(Command::new("id").arg("-u"), "").stdout == b"0\n";
    if is_root {
        let mut command = with(&world, &world.config(""));
        command.env_remove("SIDECAR_RUN__ALLOW_ROOT");
        let checked = output(command.arg("--check"), "");
        assert_eq!(checked.status.code(), Some(1), "{checked:?}");
        let line = String::from_utf8(checked.stderr).unwrap();
        assert!(
            line.contains("run.allow_root: this process is root"),
            "{line}"
        );
        let mut command = with(&world, &world.config(""));
        let line = refused(command.env_remove("SIDECAR_RUN__ALLOW_ROOT"), 2);
        assert!(
            line.contains("run.allow_root: this process is root"),
            "{line}"
        );
    }
}

/// A supervisor tries again after 1, and not after 2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn address_that_is_taken_is_1() {
    let world = World::new().await;
    let (_taken, base) = super::world::bind().await;
    let listen = base.replace("http://", "listen = \"") + "\"\nupstream";
    let text = world.config("");
    let text = text.replace("listen = \"127.0.0.1:0\"\nupstream", &listen);
    let ended = output(&mut with(&world, &text), "");
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let line = String::from_utf8(ended.stderr).unwrap();
    assert!(line.contains("gateway.listen: 127.0.0.1:"), "{line}");
}

/// A secret may stand in the wrong place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_value_is_printed() {
    let world = World::new().await;
    let issuer = "[[issuer]]\nurl = \"https://b.test\"\naudience = \"a\"\n";
    for secret in [
        "secret_file = 918273645",
        "secret_file = 91827.3645",
        "method = \"hunter2\"",
        "method = \"hunter2, expected x\"",
        "knows_all_tokens = \"hunter2\"",
    ] {
        let lines = format!("{issuer}introspection = {{ url = \"https://b.test/i\", {secret} }}\n");
        let line = refused(
            &mut with(&world, &format!("{}{lines}", world.config(""))),
            2,
        );
        for part in ["91827", "hunter2"] {
            assert!(!line.contains(part), "{line}");
        }
        assert!(line.contains("does not fit here, expected"), "{line}");
    }
}
