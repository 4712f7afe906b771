//! The clients of the revocation endpoint, if there are several issuers.

use http_body_util::Full;
use hyper::{Method, header};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use tower_revocation::{log::NumericDate, test_util::TestIssuer};

use super::{
    http::{Answer, Http},
    issuers::second_issuer,
    process::{output, program, refused},
    world::{SHOP, World},
};

/// The shop of the registry, which belongs to these issuers.
fn shop(issuers: &[&str]) -> Value {
    json!({ "client_id": SHOP.0, "client_secret": SHOP.1, "issuers": issuers })
}

/// A token of the client at this issuer whose identifier is that of the shop.
fn token(issuer: &TestIssuer) -> String {
    issuer.token().client(SHOP.0).subject("alice").sign()
}

fn error(answer: &Answer) -> (u16, Value) {
    (answer.status.as_u16(), answer.json()["error"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_revokes_no_token_of_its_name_at_another_issuer() {
    let world = World::new().await;
    let (second, section) = second_issuer(&world, "");
    let clients = world.register(&[shop(&[second.issuer()])]);
    let forward = format!("{}clients = {clients:?}\n", world.forward());
    for revoke in [world.terminate(), forward] {
        let sidecar = world.start(&format!("{revoke}{section}"));
        let http = Http::to(sidecar.url("gateway.listen"));
        let (foreign, own) = (token(&world.issuer), token(&second));
        let answer = http.revoke(SHOP, &foreign).await;
        assert_eq!(error(&answer), (400, "invalid_grant".into()), "{revoke}");
        assert_eq!(http.get_with("/", &foreign).await.status, 200, "{revoke}");
        assert_eq!(http.revoke(SHOP, &own).await.status, 200, "{revoke}");
        assert!(http.get_with("/", &own).await.is_refused(), "{revoke}");
        // Nothing of it was forwarded.
        let bodies = world.authority.bodies.lock().unwrap().clone();
        assert!(!bodies.contains(&format!("token={foreign}")), "{revoke}");
        sidecar.end();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_may_belong_to_several_issuers() {
    let world = World::new().await;
    let (second, section) = second_issuer(&world, "");
    world.register(&[shop(&[world.issuer.issuer(), second.issuer()])]);
    let sidecar = world.start(&format!("{}{section}", world.terminate()));
    let http = Http::to(sidecar.url("gateway.listen"));
    for token in [token(&world.issuer), token(&second)] {
        assert_eq!(http.revoke(SHOP, &token).await.status, 200);
        assert!(http.get_with("/", &token).await.is_refused());
    }
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_without_an_issuer_is_refused_with_its_line_if_there_are_several() {
    let world = World::new().await;
    let (second, section) = second_issuer(&world, "");
    let nobody = json!({ "client_id": "nobody", "client_secret": "s3cr3t-three" });
    let strange = json!({
        "client_id": "strange",
        "client_secret": "s3cr3t-four",
        "issuers": [second.issuer(), "https://third.test"],
    });
    let several = "there are several issuers: name those of the client in `issuers`";
    let unknown = "\"https://third.test\" in `issuers` is not an issuer of this server";
    let one = world.config(&world.terminate());
    let two = format!("{one}{section}");
    for (text, client, reason) in [
        (&two, &nobody, several),
        (&two, &strange, unknown),
        (
            &one,
            &strange,
            "in `issuers` is not an issuer of this server",
        ),
    ] {
        let first = if text == &one {
            shop(&[])
        } else {
            shop(&[second.issuer()])
        };
        let clients = world.register(&[first, client.clone()]);
        let config = world.write("c.toml", text);
        for check in [&["--check"][..], &[]] {
            let mut command = program();
            let line = refused(command.arg("--config").arg(&config).args(check), 2);
            let place = format!("revoke.clients: {clients}: line 3, column ");
            assert!(line.contains(&place) && line.contains(reason), "{line}");
            let name = client["client_id"].as_str().unwrap();
            assert!(line.contains(&format!("client {name:?}: ")), "{line}");
        }
    }
    // With one issuer, nobody needs to name it.
    world.register(&[nobody, shop(&[world.issuer.issuer()])]);
    let config = world.write("c.toml", &one);
    let mut command = program();
    let checked = output(command.arg("--config").arg(&config).arg("--check"), "");
    assert!(checked.status.success(), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assertion_is_for_the_issuer_of_its_client() {
    let world = World::new().await;
    let (second, section) = second_issuer(&world, "");
    let secret = "0123456789abcdef0123456789abcdef";
    world.register(&[json!({
        "client_id": SHOP.0,
        "client_secret": secret,
        "token_endpoint_auth_method": "client_secret_jwt",
        "issuers": [second.issuer()],
    })]);
    let sidecar = world.start(&format!("{}{section}", world.terminate()));
    let http = Http::to(sidecar.url("gateway.listen"));
    for (number, (audience, status)) in [(world.issuer.issuer(), 401), (second.issuer(), 200)]
        .into_iter()
        .enumerate()
    {
        let claims = json!({
            "iss": SHOP.0,
            "sub": SHOP.0,
            "aud": audience,
            "exp": NumericDate::now().seconds() + 60,
            "jti": number.to_string(),
        });
        let key = EncodingKey::from_secret(secret.as_bytes());
        let assertion = encode(&Header::default(), &claims, &key).unwrap();
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let token = token(&second);
        let form =
            format!("token={token}&client_assertion_type={kind}&client_assertion={assertion}");
        let request = http
            .request(Method::POST, "/oauth2/revoke")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(form))
            .unwrap();
        let answer = http.send(request).await;
        assert_eq!(answer.status, status, "{audience}: {answer:?}");
        assert_eq!(http.get_with("/", &token).await.is_refused(), status == 200);
    }
    sidecar.end();
}
