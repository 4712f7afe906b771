//! Settings with which no example starts. The error is one line: the variable, its value, the
//! reason.

use std::{
    ffi::OsStr, fs, net::TcpListener, os::unix::ffi::OsStrExt as _, path::Path, process::Command,
};

use super::process::{Server, binary, command, error_line, folder};

const EXAMPLES: [&str; 4] = ["hyper", "tonic", "gateway", "authorization_server"];
/// The examples with a file and clients.
const WITH_SETTINGS: [&str; 2] = ["gateway", "authorization_server"];
const URLS: [(&str, &str); 3] = [
    ("authorization_server", "ISSUER"),
    ("gateway", "UPSTREAM"),
    ("gateway", "REVOCATION"),
];

/// The example, with no other settings than these.
fn example(name: &str, folder: &Path) -> Command {
    let mut example = Command::new(binary(name));
    example
        .env_clear()
        .env("LISTEN", "127.0.0.1:0")
        .env("DATA", folder.join("state.redb"));
    example
}

/// Asserts that the example refuses each of these settings for this reason.
fn refuses(name: &str, settings: &[(&str, &str, &str)]) {
    for (variable, value, reason) in settings {
        let (folder, _) = folder();
        let mut example = example(name, folder.path());
        let line = error_line({
            example.env(variable, value);
            example
        });
        let named = format!("{variable}={value}: ");
        assert!(line.starts_with(&named), "{name}: {line}");
        assert!(line[named.len()..].contains(reason), "{name}: {line}");
    }
}

#[test]
fn port_in_use_is_a_one_line_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for name in EXAMPLES {
        refuses(name, &[("LISTEN", &address, "in use")]);
    }
    refuses(
        "authorization_server",
        &[("TLS_LISTEN", &address, "in use")],
    );
}

#[test]
fn invalid_address_is_a_one_line_error() {
    for name in EXAMPLES {
        for address in ["127.0.0.1", "127.0.0.1:99999", "nowhere.invalid:80"] {
            refuses(name, &[("LISTEN", address, "")]);
        }
        // A value that is not UTF-8 must not fall back to the default.
        let (folder, _) = folder();
        let mut example = example(name, folder.path());
        example.env("LISTEN", OsStr::from_bytes(b"127.0.0.1:0\xff"));
        let line = error_line(example);
        assert!(line.starts_with("LISTEN=127.0.0.1:0\u{fffd}: "), "{line}");
    }
}

#[test]
fn error_about_an_incomplete_address_says_what_is_expected() {
    for (name, variable) in [
        ("authorization_server", "LISTEN"),
        ("authorization_server", "TLS_LISTEN"),
        ("gateway", "LISTEN"),
    ] {
        for address in ["8099", "127.0.0.1"] {
            refuses(name, &[(variable, address, "expected host:port")]);
        }
    }
}

#[test]
fn locked_file_is_a_one_line_error() {
    let (_folder, data) = folder();
    let _server = Server::start(&data);
    for name in WITH_SETTINGS {
        let mut second = example(name, Path::new("/nowhere"));
        second.env("DATA", &data);
        let line = error_line(second);
        let named = format!("DATA={}: ", data.display());
        assert!(line.starts_with(&named), "{name}: {line}");
        assert!(line.contains("open in another process"), "{name}: {line}");
    }
}

#[test]
fn folder_that_cannot_be_created_is_a_one_line_error() {
    let (folder, _) = folder();
    let file = folder.path().join("file");
    fs::write(&file, "precious").unwrap();
    let beneath = file.join("folder/state.redb");
    let beneath = beneath.to_str().unwrap();
    for name in WITH_SETTINGS {
        refuses(
            name,
            &[
                ("DATA", beneath, "Not a directory"),
                ("DATA", file.to_str().unwrap(), "what is there is not a log"),
                ("DATA", folder.path().to_str().unwrap(), ""),
            ],
        );
    }
    refuses(
        "authorization_server",
        &[("KEYS", beneath, "Not a directory")],
    );
    assert_eq!(fs::read(&file).unwrap(), b"precious");
}

#[test]
fn unreadable_keys_are_a_one_line_error() {
    let (folder, data) = folder();
    let keys = data.with_extension("keys");
    Server::start(&data).kill();
    for (name, text) in [
        ("access-tokens.pem", "no key"),
        ("clients.json", "[{]"),
        ("attester.json", "\n\n"),
        ("server.pem", ""),
    ] {
        let path = keys.join(name);
        let kept = fs::read(&path).unwrap();
        fs::write(&path, text).unwrap();
        let mut server = example("authorization_server", folder.path());
        server.env("KEYS", &keys).env("TLS_LISTEN", "127.0.0.1:0");
        let line = error_line(server);
        let named = format!("KEYS={}: ", keys.display());
        assert!(line.starts_with(&named), "{name}: {line}");
        fs::write(&path, kept).unwrap();
    }
}

#[test]
fn invalid_setting_is_a_one_line_error() {
    let (folder, _) = folder();
    let clients = folder.path().join("clients.json");
    fs::write(&clients, "[\n  { \"client_id\": \"a\" }\n]").unwrap();
    let (clients, missing) = (clients.to_str().unwrap(), "/nowhere/clients.json");
    for name in WITH_SETTINGS {
        refuses(
            name,
            &[
                ("CLIENTS", clients, "line 2"),
                ("CLIENTS", missing, "No such file"),
            ],
        );
    }
    refuses(
        "authorization_server",
        &[
            ("ISSUER", "as.example.com", "expected an https URL"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, 10.0.0.1/8", "10.0.0.1/8: "),
            ("CORS_ORIGINS", "https://spa.example/", "scheme://host"),
            ("ACCESS_TOKENS", "saml", "expected opaque or jwt"),
        ],
    );
}

#[test]
fn error_about_a_value_of_several_lines_is_one_line() {
    let mut server = command();
    server.env("CLIENTS", "/nowhere\n/clients\r.json");
    let line = error_line(server);
    assert!(
        line.starts_with(r"CLIENTS=/nowhere\n/clients\r.json: "),
        "{line}"
    );
}

#[test]
fn password_in_a_url_is_not_repeated() {
    for (name, variable) in URLS {
        let (folder, _) = folder();
        let mut example = example(name, folder.path());
        example.env(variable, "http://user:passw0rd@127.0.0.1/api");
        let line = error_line(example);
        let named = format!("{variable}=http://***@127.0.0.1/api: ");
        assert!(line.starts_with(&named), "{line}");
    }
}

#[test]
fn gateway_refuses_settings_that_it_cannot_use() {
    let (folder, _) = folder();
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "no certificate").unwrap();
    let empty = empty.to_str().unwrap();
    refuses(
        "gateway",
        &[
            ("UPSTREAM", "https://api.example", "expected an http URL"),
            ("UPSTREAM", "api.example", "expected an http URL"),
            ("UPSTREAM", "/v1", "no host"),
            ("UPSTREAM", "http://api.example/v1?key=1", "query"),
            ("UPSTREAM", "http://api.example/v1#top", "fragment"),
            ("UPSTREAM", "http://api example", "not a URL"),
            ("UPSTREAM", "http://:80", "host"),
            ("UPSTREAM", "http://api.example:65536", "port"),
            ("ISSUER", "as.example.com", ""),
            ("JWKS", "http://as.example.com/jwks", "not https"),
            ("JWKS", "https://as.example.com/jwks#1", "fragment"),
            ("REVOCATION", "http://as.example.com/revoke", "not https"),
            ("REVOCATION", "/revoke", ""),
            ("SSL_CERT_FILE", "/nowhere/ca.pem", "No such file"),
            ("SSL_CERT_FILE", empty, ""),
            ("DIALECT", "saml", "expected rfc9068, keycloak,"),
            ("DATA_EXPECTED", "yes", "expected 1 or 0"),
        ],
    );
}
