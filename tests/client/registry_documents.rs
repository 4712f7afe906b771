//! JSON documents that register clients, and the errors for invalid ones.

use std::sync::Arc;

use tower_revocation::client::{
    AuthMethod, Identified,
    registry::{BasicDecoding, Client, Clients, Registry},
};

async fn client(clients: &Registry, client_id: &str) -> Arc<Client> {
    clients.client(client_id).await.unwrap().unwrap()
}

#[tokio::test]
async fn document_is_one_client_or_an_array_and_unknown_members_are_ignored() {
    let one = Registry::from_json(
        r#"{ "client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV", "client_secret_expires_at": 0,
             "client_id_issued_at": 2893256800, "client_name": "My Example", "client_name#ja-Jpan-JP": "x",
             "redirect_uris": ["https://client.example.org/callback"], "grant_types": ["refresh_token"],
             "scope": "read write", "policy": {"keys": [{"e": 1.5e3}]}, "logo_uri": null }"#,
    )
    .unwrap();
    let example = client(&one, "s6BhdRkqt3").await;
    assert_eq!(Identified::client_id(&*example), "s6BhdRkqt3");
    assert_eq!(example.client_name(), Some("My Example"));
    assert_eq!(
        example.redirect_uris(),
        ["https://client.example.org/callback"]
    );
    assert_eq!(example.grant_types(), ["refresh_token"]);
    assert_eq!(example.scope(), Some("read write"));

    let many = Registry::from_json(
        r#"[ { "client_id": "c2", "client_secret": "s3cr3t-two", "scope": null },
             { "client_id": "spa-1", "token_endpoint_auth_method": "none", "disabled": true } ]"#,
    )
    .unwrap();
    let c2 = client(&many, "c2").await;
    // The defaults of RFC 7591 §2.
    assert_eq!(
        c2.token_endpoint_auth_methods(),
        [AuthMethod::ClientSecretBasic]
    );
    assert_eq!(c2.grant_types(), ["authorization_code"]);
    assert_eq!(c2.basic_decoding(), BasicDecoding::Form);
    assert_eq!(
        (c2.scope(), c2.client_name(), c2.disabled()),
        (None, None, false)
    );
    let spa = client(&many, "spa-1").await;
    assert_eq!(spa.token_endpoint_auth_methods(), [AuthMethod::None]);
    assert!(spa.disabled());

    assert!(Registry::from_json("[]").is_ok());
}

#[tokio::test]
async fn document_sets_methods_and_basic_decoding() {
    let clients = Registry::from_json(
        r#"[ { "client_id": "a", "client_secret": "x", "basic_decoding": "raw",
               "token_endpoint_auth_methods": ["client_secret_basic", "client_secret_post", "foo"] },
             { "client_id": "b", "client_secret": "x", "basic_decoding": "form_then_raw",
               "token_endpoint_auth_method": "client_secret_post",
               "token_endpoint_auth_methods": ["client_secret_post"] } ]"#,
    )
    .unwrap();
    let a = client(&clients, "a").await;
    assert_eq!(a.basic_decoding(), BasicDecoding::Raw);
    assert_eq!(
        a.token_endpoint_auth_methods(),
        [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost]
    );
    let b = client(&clients, "b").await;
    assert_eq!(b.basic_decoding(), BasicDecoding::FormThenRaw);
    assert_eq!(
        b.token_endpoint_auth_methods(),
        [AuthMethod::ClientSecretPost]
    );
}

/// The error has this line and this reason, and no secret.
fn refused(document: &str, line: usize, reason: &str) {
    let error = Registry::from_json(document).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(reason), "{document}\n{text}");
    assert_eq!(error.line(), line, "{document}\n{text}");
    let place = format!("line {line}, column {}: ", error.column());
    assert!(text.starts_with(&place), "{text}");
    assert!(!text.contains(" at line "), "{text}");
    assert!(!text.contains("gX1fBat3bV"), "{text}");
}

#[test]
fn invalid_json_is_refused_with_its_line() {
    for (document, line, reason) in [
        ("", 1, "EOF while parsing a value"),
        (
            "[\n{ \"client_id\": \"c2\" \"client_secret\"",
            2,
            "expected `,` or `}`",
        ),
        ("[\n\n{ \"client_id\": \"c2\",\n", 4, "EOF while parsing"),
        ("[]\n[]", 2, "trailing characters"),
    ] {
        refused(document, line, reason);
    }
}

#[test]
fn member_of_the_wrong_type_is_refused_with_its_line() {
    for (document, line, reason) in [
        ("[\n7]", 2, "invalid type: number, expected a client"),
        (
            "{\n\"client_secret\": \"gX1fBat3bV\" }",
            2,
            "missing field `client_id`",
        ),
        (
            "{\n\"client_id\": 5 }",
            2,
            "invalid type: integer `5`, expected a string",
        ),
        (
            "{\n\"client_id\": \"\", \"client_secret\": \"x\" }",
            2,
            "client \"\": client_id is empty",
        ),
        (
            "{\n\"client_id\": \"c2\", \"client_id\": \"c2\" }",
            2,
            "duplicate field `client_id`",
        ),
        (
            "{ \"client_id\": \"c2\",\n\"redirect_uris\": \"https://c.example\" }",
            2,
            "invalid type: string \"https://c.example\", expected a sequence",
        ),
        (
            "{ \"client_id\": \"c2\", \"client_secret\": \"x\",\n\"client_secret_expires_at\": -1 }",
            2,
            "expected u64",
        ),
        (
            "{ \"client_id\": \"c2\", \"client_secret\": \"x\",\n\
             \"client_secret_expires_at\": 18446744073709551615 }",
            2,
            "client \"c2\": client_secret_expires_at is too late",
        ),
        (
            "{ \"client_id\": \"c2\", \"client_secret\": \"x\",\n\"basic_decoding\": \"latin\"\n}",
            2,
            "unknown variant `latin`, expected one of `form`, `raw`, `form_then_raw`",
        ),
    ] {
        refused(document, line, reason);
    }
}

#[test]
fn contradictory_secrets_are_refused_with_their_line() {
    for (document, line, reason) in [
        (
            "{ \"client_id\": \"c2\",\n\"client_secret\": \"\"\n}",
            2,
            "a secret is empty",
        ),
        (
            "{ \"client_id\": \"c2\",\n\"client_secrets\": [\n{ \"client_secret_expires_at\": 0 }]\n}",
            3,
            "an object in client_secrets has no secret",
        ),
        (
            "{ \"client_id\": \"c2\", \"client_secret\": \"gX1fBat3bV\",\n\"client_secret_sha256\": \"x\" }",
            2,
            "client \"c2\": a secret is given in two ways",
        ),
        (
            "{ \"client_id\": \"c2\", \"client_secret\": \"gX1fBat3bV\", \"client_secrets\": [\n\
             { \"client_secret\": \"y\" }, { \"client_secret\": \"z\" }] }",
            2,
            "client \"c2\": a client has at most two secrets",
        ),
        (
            "{ \"client_id\": \"c2\", \"client_secret_expires_at\": 1,\n\
             \"client_secrets\": [{ \"client_secret\": \"y\" }] }",
            2,
            "client \"c2\": client_secret_expires_at needs a secret",
        ),
        (
            "{ \"client_id\": \"c2\",\n\"client_secret_sha256\": \"gX1fBat3bV\" }",
            2,
            "client \"c2\": a digest has 32 bytes, in hexadecimal or base64url",
        ),
    ] {
        refused(document, line, reason);
    }
}

#[test]
fn contradictory_methods_are_refused_with_their_line() {
    for (document, line, reason) in [
        (
            "{ \"client_id\": \"spa-1\", \"client_secret\": \"gX1fBat3bV\",\n\
             \"token_endpoint_auth_method\": \"none\" }",
            2,
            "client \"spa-1\": a public client (`none`) must not have a secret",
        ),
        (
            "{ \"client_id\": \"c2\", \"client_secret\": \"gX1fBat3bV\",\n\
             \"token_endpoint_auth_methods\": [\"none\", \"client_secret_basic\"] }",
            2,
            "client \"c2\": `none` must be the only authentication method",
        ),
        (
            "{ \"client_id\": \"c2\", \"client_secret\": \"gX1fBat3bV\",\n\
             \"token_endpoint_auth_methods\": [] }",
            2,
            "client \"c2\": token_endpoint_auth_methods is empty",
        ),
        (
            "{ \"client_id\": \"c2\", \"client_secret\": \"gX1fBat3bV\",\n\
             \"token_endpoint_auth_method\": \"private_key_jwt\",\
             \"token_endpoint_auth_methods\": [\"client_secret_basic\"] }",
            2,
            "client \"c2\": token_endpoint_auth_method is not among token_endpoint_auth_methods",
        ),
    ] {
        refused(document, line, reason);
    }
}

#[test]
fn invalid_client_in_an_array_is_refused_with_the_line_of_its_end() {
    let two_lines = "[\n{ \"client_id\": \"c2\", \"client_secret\": \"gX1fBat3bV\" },\n";
    for (document, line, reason) in [
        (
            &format!("{two_lines}{{ \"client_id\": \"c3\" }}]"),
            3,
            "client \"c3\": a confidential client needs a secret",
        ),
        (
            &format!("{two_lines}{{ \"client_id\": \"c3\", \"client_secrets\": [] }}\n,{{}}]"),
            3,
            "client \"c3\": a confidential client needs a secret",
        ),
        (
            &format!(
                "{two_lines}{{ \"client_id\": \"c2\", \"client_secret\": \"other\" }},\n{{}}]"
            ),
            3,
            "client \"c2\": the client_id is registered twice",
        ),
    ] {
        refused(document, line, reason);
    }
}

#[test]
fn misplaced_secret_is_not_repeated() {
    for document in [
        r#""hunter2""#,
        r#"["s6BhdRkqt3", "hunter2"]"#,
        r#"["hunter2"]"#,
        r#"[["hunter2"]]"#,
        r#"{ "client_id": "c2", "client_secret": ["hunter2"] }"#,
        r#"{ "client_id": "c2", "client_secret": {"hunter2": 1} }"#,
        r#"{ "client_id": "c2", "client_secrets": "hunter2" }"#,
        r#"{ "client_id": "c2", "client_secrets": ["hunter2"] }"#,
        r#"{ "client_id": "c2", "client_secrets": {"client_secret": "hunter2"} }"#,
        r#"{ "client_id": "c2", "client_secret_sha256": "hunter2" }"#,
        r#"{ "client_id": "c2", "client_secret_hmac_sha256": "hunter2" }"#,
        r#"{ "client_id": "c2", "client_secret": "hunter2", "client_secret": "hunter2" }"#,
        r#"{ "client_id": "c2", "client_secret": "hunter2" "#,
        r#"{ "client_id": "c2", "client_secret": "hunter2\x" }"#,
    ] {
        let error = Registry::from_json(document).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    for number in ["31337", "-31337", "31337.5"] {
        for member in ["client_secret", "client_secret_sha256", "client_secrets"] {
            let document = format!(r#"{{ "client_id": "c2", "{member}": {number} }}"#);
            let error = Registry::from_json(&document).unwrap_err();
            assert!(!error.to_string().contains("31337"), "{error}");
        }
    }
}

#[tokio::test]
async fn clients_of_several_issuers_name_their_own() {
    let issuers = ["https://a.example.com", "https://b.example.com"];
    let a = r#"{ "client_id": "a", "client_secret": "x", "issuers": ["https://a.example.com"] }"#;
    let clients = Registry::from_json_of_issuers(a, &issuers).unwrap();
    let client = client(&clients, "a").await;
    assert_eq!(client.issuers(), &issuers[..1]);
    assert!(client.is_client_of(Some(issuers[0])));
    for other in [Some(issuers[1]), Some("https://a.example.com/"), None] {
        assert!(!client.is_client_of(other), "{other:?}");
    }

    for (issuer, reason) in [
        (
            "",
            "there are several issuers: name those of the client in `issuers`",
        ),
        (
            r#", "issuers": ["https://c.example.com"]"#,
            r#""https://c.example.com" in `issuers` is not an issuer of this server"#,
        ),
    ] {
        let b = format!("{{ \"client_id\": \"b\", \"client_secret\": \"y\"{issuer} }}");
        let error = Registry::from_json_of_issuers(&format!("[{a},\n{b}]"), &issuers).unwrap_err();
        assert_eq!(error.line(), 2);
        assert!(
            error
                .to_string()
                .ends_with(&format!("client \"b\": {reason}")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn all_tokens_are_those_of_the_only_issuer() {
    let a = r#"{ "client_id": "a", "client_secret": "x", "issuers": ["https://a.example.com"] }"#;
    let clients = Registry::from_json_of_issuers(a, &["https://a.example.com"]).unwrap();
    assert!(client(&clients, "a").await.is_client_of(None));
    // Without a list of issuers, what the client names counts.
    let clients = Registry::from_json(a).unwrap();
    assert!(!client(&clients, "a").await.is_client_of(None));
}
