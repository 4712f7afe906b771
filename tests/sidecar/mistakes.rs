//! A configuration with several mistakes is a line for each of them.

use super::{configuration::with, process::output, world::World};

/// Runs the program with this configuration, which is wrong. Returns its lines.
fn lines(world: &World, text: &str, check: bool) -> Vec<String> {
    let mut command = with(world, text);
    if check {
        command.arg("--check");
    }
    let output = output(&mut command, "");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let place = format!("revocation-sidecar: {}:", world.path("c.toml"));
    let lines = text.lines().map(|line| {
        let line = line.strip_prefix(&place);
        line.unwrap_or_else(|| panic!("{text}")).to_owned()
    });
    lines.collect()
}

fn begin_with(lines: &[String], expected: &[&str]) {
    let mut pairs = lines.iter().zip(expected);
    let is_each = pairs.all(|(line, expected)| line.starts_with(expected));
    assert!(is_each && lines.len() == expected.len(), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mistake_is_a_line_from_the_first_to_the_last() {
    let world = World::new().await;
    let text = "\
[log]
path = \"log.redb\"
longest_lifetime = \"0s\"
[[issuer]]
url = \"ftp://id.example.com\"
[[issuer]]
url = \"https://b.example.com\"
audience = \"a\"
discovery = false
[revoke]
path = \"revoke\"
mode = \"forward\"
cors = [\"https://app.example.com\", \"app.example.com\"]
[gateway]
listen = \"localhost:8080\"
upstream = \"127.0.0.1:3000\"
routes = [
    { path = \"/a/../b\" },
    { path = \"/health\" },
    { path = \"health\" },
]
identity_headers = { subject = \"host\", client = \"cookie\" }
[limits]
connections = 0
head_timeout = \"0s\"
[admin]
hosts = [\"sidecar.example\"]
";
    let expected = [
        "3: log.longest_lifetime: ",
        "4: issuer[0].audience: ",
        "5: issuer[0].url: ",
        "9: issuer[1].discovery: ",
        "10: revoke.upstream: ",
        "11: revoke.path: ",
        "13: revoke.cors[1]: ",
        "15: gateway.listen: ",
        "16: gateway.upstream: ",
        "18: gateway.routes[0].path: ",
        "20: gateway.routes[2].path: ",
        "22: gateway.identity_headers.subject: ",
        "22: gateway.identity_headers.client: ",
        "24: limits.connections: ",
        "25: limits.head_timeout: ",
        "27: admin.hosts: ",
    ];
    for check in [true, false] {
        begin_with(&lines(&world, text, check), &expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_file_with_a_mistake_is_a_line() {
    let world = World::new().await;
    let missing = world.path("missing");
    let text = format!(
        "\
[log]
url = \"postgres://app@localhost/app?leese=5s\"
[[issuer]]
url = \"https://a.example.com\"
audience = \"a\"
jwks_file = {missing:?}
[[issuer]]
url = \"https://b.example.com\"
audience = \"a\"
jwks_file = {missing:?}
[revoke]
mode = \"terminate\"
clients = {missing:?}
[gateway]
listen = \"127.0.0.1:0\"
tls = {{ cert = {missing:?}, key = {missing:?} }}
[feed]
listen = \"127.0.0.1:0\"
tokens_file = {missing:?}
[admin]
listen = \"127.0.0.1:0\"
tokens_file = {missing:?}
[logging]
level = \"loud\"
"
    );
    let expected = [
        "2: log.url: ",
        "6: issuer[0].jwks_file: ",
        "10: issuer[1].jwks_file: ",
        "13: revoke.clients: ",
        "16: gateway.tls.cert: ",
        "19: feed.tokens_file: ",
        "22: admin.tokens_file: ",
        "24: logging.level: ",
    ];
    for check in [true, false] {
        begin_with(&lines(&world, &text, check), &expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sections_that_do_not_fit_together_are_a_line_each() {
    let world = World::new().await;
    let text = "\
[log]
path = \"log.redb\"
tenants = false
[[issuer]]
url = \"https://a.example.com\"
audience = \"a\"
[[issuer]]
url = \"https://b.example.com\"
audience = \"a\"
[gateway]
listen = \"127.0.0.1:8080\"
[verify]
listen = \"127.0.0.1:8080\"
[admin]
listen = \"127.0.0.1:8080\"
[links]
upstream = \"https://a.example.com/token\"
";
    let expected = [
        "3: log.tenants: ",
        "10: gateway.upstream: ",
        "13: verify.listen: ",
        "15: admin.listen: ",
        "16: links: ",
    ];
    begin_with(&lines(&world, text, true), &expected);
}
