//! WSO2 Identity Server.

use tower::Layer as _;
use tower_revocation::{
    introspect::TokenKind::{AccessToken, RefreshToken},
    profiles::{ProfileLayer, Wso2},
};

use crate::{transcript, world::World};

#[tokio::test]
async fn transcript_of_wso2_runs() {
    let world = World::default()
        .client("shop", "shop-secret")
        .public("jwt-app")
        .access("at-7f3a", "shop", "ann@example.com")
        .of_grant("rt-jwt-1", RefreshToken, "jwt-app", "grant-1")
        .of_grant("at-jwt-1", AccessToken, "jwt-app", "grant-1");
    let profile = Wso2::new().echo_digests(true).foreign_tokens_as_wso2(true);
    let layer = ProfileLayer::new("/oauth2/revoke", profile, world.endpoint());
    let plain = ProfileLayer::new("/plain/oauth2/revoke", Wso2::new(), world.endpoint());
    let jsonp = Wso2::new().dangerously_allow_jsonp(true);
    let jsonp = ProfileLayer::new("/jsonp/oauth2/revoke", jsonp, world.endpoint());
    let server = world.serve(|resource| layer.layer(plain.layer(jsonp.layer(resource))));
    let page = include_str!("../../src/profiles/wso2.md");
    assert_eq!(transcript::run(page, server.await).await, 13);
}

/// The four lines of the documentation of WSO2, with other values.
#[tokio::test]
async fn lines_of_the_documentation_revoke() {
    let world = World::default()
        .client("shop", "shop-secret")
        .public("jwt-app")
        .access("a0d210c7", "shop", "ann")
        .access("1d18ec65", "shop", "ann")
        .access("eyJ0eXAi.eyJhdWQi.VD23nViK", "shop", "ann")
        .access("jwt-grant", "jwt-app", "ann");
    let layer = ProfileLayer::new("/oauth2/revoke", Wso2::new(), world.endpoint());
    let server = world.serve(|resource| layer.layer(resource)).await;
    let basic = "Authorization: Basic c2hvcDpzaG9wLXNlY3JldA==";
    let form = "Content-Type: application/x-www-form-urlencoded";
    let utf8 = "Content-Type: application/x-www-form-urlencoded;charset=UTF-8";
    let lines: [(&str, Vec<&str>); 4] = [
        (
            "a0d210c7",
            vec!["-d", "token=a0d210c7", "-H", basic, "-H", form],
        ),
        (
            "1d18ec65",
            vec![
                "-d",
                "token=1d18ec65&token_type_hint=access_token",
                "-H",
                basic,
                "-H",
                form,
            ],
        ),
        (
            "eyJ0eXAi.eyJhdWQi.VD23nViK",
            vec![
                "-d",
                "token=eyJ0eXAi.eyJhdWQi.VD23nViK",
                "-H",
                basic,
                "-H",
                form,
            ],
        ),
        (
            "jwt-grant",
            vec![
                "-X",
                "POST",
                "-H",
                utf8,
                "-d",
                "token=jwt-grant&token_type_hint=access_token&client_id=jwt-app",
            ],
        ),
    ];
    for (token, line) in lines {
        assert_eq!(
            curl(&line, &format!("http://{server}/oauth2/revoke")).await,
            "200"
        );
        let bearer = format!("Authorization: Bearer {token}");
        let resource = format!("http://{server}/resource");
        assert_eq!(curl(&["-H", &bearer], &resource).await, "401", "{token}");
    }
}

/// The status that curl gets.
async fn curl(arguments: &[&str], url: &str) -> String {
    let output = tokio::process::Command::new("curl")
        .args(["-k", "-s", "-o", "/dev/null", "-w", "%{http_code}"])
        .args(arguments)
        .arg(url)
        .output()
        .await
        .expect("curl is installed");
    String::from_utf8(output.stdout).unwrap()
}
