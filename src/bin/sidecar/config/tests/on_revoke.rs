//! `on_revoke` of an issuer.

use super::*;

/// The good file, whose issuer has these lines too.
fn issuer_with(lines: &str) -> String {
    let gateway = "\n[gateway]";
    assert!(GOOD.contains(gateway));
    GOOD.replace(gateway, &format!("{lines}\n{gateway}"))
}

fn told(lines: &str) -> OnRevoke {
    let (config, _) = read("s.toml", &issuer_with(lines), Vec::new()).unwrap();
    config.issuers[0].on_revoke.clone().unwrap()
}

#[test]
fn realm_is_the_issuer_unless_another_is_named() {
    let realm = |url: &str| {
        let told = told(&format!(
            "on_revoke = {{ keycloak = {{ {url}client_id = \"c\", secret_file = \"/s\" }} }}"
        ));
        let OnRevoke::Keycloak { url, client_id, .. } = told else {
            panic!("{told:?}");
        };
        assert_eq!(client_id, "c");
        url
    };
    assert_eq!(realm(""), "https://id.example.com");
    assert_eq!(
        realm("url = \"https://kc/realms/a\", "),
        "https://kc/realms/a"
    );
}

#[test]
fn webhook_has_a_url_and_keys() {
    let told = told("on_revoke = { webhook = { url = \"https://h/x\", secret_file = \"/s\" } }");
    let expected = OnRevoke::Webhook {
        url: "https://h/x".into(),
        secret_file: "/s".into(),
    };
    assert_eq!(told, expected);
}

#[test]
fn mistake_is_named() {
    for (lines, expected) in [
        (
            "on_revoke = {}",
            "issuer[0].on_revoke: set either `keycloak` or `webhook`",
        ),
        (
            "on_revoke = { keycloak = {}, webhook = {} }",
            "issuer[0].on_revoke: set either `keycloak` or `webhook`",
        ),
        (
            "on_revoke = { keycloak = { secret_file = \"/s\" } }",
            "issuer[0].on_revoke.keycloak.client_id: missing: ",
        ),
        (
            "on_revoke = { keycloak = { client_id = \"c\" } }",
            "issuer[0].on_revoke.keycloak.secret_file: missing: ",
        ),
        (
            "on_revoke = { webhook = { secret_file = \"/s\" } }",
            "issuer[0].on_revoke.webhook.url: missing: ",
        ),
        (
            "on_revoke = { webhook = { url = \"http://h/x\", secret_file = \"/s\" } }",
            "issuer[0].on_revoke.webhook.url: without TLS",
        ),
        (
            "on_revoke = { webhook = { url = \"https://h/x\" } }",
            "issuer[0].on_revoke.webhook.secret_file: missing: ",
        ),
        (
            "on_revoke = { mail = {} }",
            "issuer[0].on_revoke.mail: unknown field `mail`",
        ),
    ] {
        let line = refused(&issuer_with(lines));
        assert!(line.contains(expected), "{lines}: {line}");
    }
}

#[test]
fn feed_keeps_no_orders() {
    let lines = "on_revoke = { webhook = { url = \"https://h/x\", secret_file = \"/s\" } }";
    let feed = "url = \"https://other.example.com/feed\"";
    let text = issuer_with(lines).replacen("path = \"/var/lib/sidecar/log.redb\"", feed, 1);
    let line = refused(&text);
    assert!(
        line.contains("issuer[0].on_revoke: orders are not kept beside a feed"),
        "{line}"
    );
}
