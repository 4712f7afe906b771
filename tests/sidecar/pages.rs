//! The pages on the listener of operators.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use sha2::{Digest as _, Sha256};

use super::{
    http::{Answer, Http},
    port::free_port,
    process::Sidecar,
    world::World,
};

fn operators(names: &[&str]) -> String {
    let line = |name: &&str| {
        let digest: [u8; 32] = Sha256::digest(format!("token-{name}")).into();
        let digest = digest.map(|byte| format!("{byte:02x}")).concat();
        format!("{name} operator {digest}\n")
    };
    names.iter().map(line).collect()
}

struct Browser {
    http: Http,
    cookie: String,
}

impl Browser {
    fn of(sidecar: &Sidecar, listener: &str) -> Self {
        Self {
            http: Http::to(sidecar.url(listener)),
            cookie: String::new(),
        }
    }

    async fn send(&mut self, request: hyper::http::request::Builder, body: String) -> Answer {
        let request = request.header("cookie", &self.cookie);
        let request: Request<Full<Bytes>> = request.body(body.into()).unwrap();
        let answer = self.http.try_send(request).await.unwrap();
        if answer.headers.contains_key("set-cookie") {
            let cookie = answer.header("set-cookie").split(';').next();
            cookie.unwrap().clone_into(&mut self.cookie);
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        let request = self.http.request(Method::GET, path);
        self.send(request, String::new()).await
    }

    async fn post(&mut self, path: &str, body: String) -> Answer {
        let request = self.http.request(Method::POST, path);
        let request = request.header("origin", self.http.base.clone());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request, body).await
    }

    async fn sign_in(&mut self, name: &str) -> Answer {
        let form = hidden(&self.get("/sign-in").await, "form_token");
        let body = format!("form_token={form}&token=token-{name}");
        self.post("/sign-in", body).await
    }
}

fn hidden(page: &Answer, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let rest = page.text.split(&mark).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("no {name}: {page:?}"));
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operator_revokes_by_the_pages_until_a_reload_removes_the_token() {
    let world = World::new().await;
    let sidecar = world.with_operators(&operators(&["ann", "bob"]), "pages = true\n");
    let token = world.issuer.token().subject("alice").sign();
    let api = Http::to(sidecar.url("gateway.listen"));
    assert_eq!(api.get_with("/", &token).await.status, 200);

    let mut ann = Browser::of(&sidecar, "admin.listen");
    assert_eq!(ann.get("/").await.header("location"), "/sign-in");
    assert_eq!(ann.sign_in("ann").await.status, 303);
    let form = hidden(&ann.get("/subjects?subject=alice").await, "form_token");
    let body = format!("form_token={form}&kind=subject&name=alice");
    let confirm = ann.post("/orders/confirm", body).await;
    let order = hidden(&confirm, "order");
    let body = format!("form_token={form}&order={order}&reason=test");
    let answer = ann.post("/orders", body).await;
    let receipt = ann.get(answer.header("location")).await;
    assert!(receipt.text.contains("alice"), "{receipt:?}");
    assert!(api.get_with("/", &token).await.is_refused());
    let status = ann.get("/status").await;
    assert!(status.text.contains("1 record, at most 1"), "{status:?}");

    // The calls of programs are as before.
    let call = ann.get("/v1/status").await;
    assert_eq!(call.status, 401);
    let mut bob = Browser::of(&sidecar, "admin.listen");
    assert_eq!(bob.sign_in("bob").await.status, 303);
    world.write("operators", &operators(&["bob"]));
    sidecar.wait_for("the configuration was read again");
    assert_eq!(ann.get("/").await.header("location"), "/sign-in");
    assert_eq!(bob.get("/").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_no_pages_unless_they_are_configured() {
    let world = World::new().await;
    let sidecar = world.with_operators(&operators(&["ann"]), "");
    let mut ann = Browser::of(&sidecar, "admin.listen");
    for path in ["/", "/sign-in"] {
        assert_eq!(ann.get(path).await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_ends_a_session_by_the_pages_of_the_gateway() {
    let world = World::new().await;
    let port = free_port();
    let text = world.config(&format!(
        "[sightings]\nenabled = true\n[me]\npages = \"/me\"\nhosts = [\"127.0.0.1:{port}\"]\n"
    ));
    let gateway = "[gateway]\nlisten = \"127.0.0.1:";
    let text = text.replace(&format!("{gateway}0"), &format!("{gateway}{port}"));
    let sidecar = Sidecar::start(&world.write("config.toml", &text));
    let api = Http::to(sidecar.url("gateway.listen"));
    let issued = |session| {
        world
            .issuer
            .token()
            .subject("alice")
            .session(session)
            .sign()
    };
    let [own, other] = ["s1", "s2"].map(issued);
    for token in [&own, &other] {
        assert_eq!(api.get_with("/", token).await.status, 200);
    }
    let mut alice = Browser::of(&sidecar, "gateway.listen");
    let form = hidden(&alice.get("/me/sign-in").await, "form_token");
    let body = format!("form_token={form}&token={own}");
    assert_eq!(alice.post("/me/sign-in", body).await.status, 303);
    let page = alice.get("/me").await;
    assert_eq!(page.text.matches("name=\"session\"").count(), 2, "{page:?}");
    let body = format!("form_token={}", hidden(&page, "form_token"));
    assert_eq!(alice.post("/me/end-others", body).await.status, 303);
    assert!(api.get_with("/", &other).await.is_refused());
    assert_eq!(api.get_with("/", &own).await.status, 200);
    // The upstream has every other path.
    assert_eq!(api.get_with("/mezzo", &own).await.status, 200);
}
