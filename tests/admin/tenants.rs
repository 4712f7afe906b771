//! Whose names an order is about: two issuers with equal names, or one without a tenant.

use tower::service_fn;
use tower_revocation::introspect::{ByIssuer, Introspected, TokenKind};

use super::*;

const BANK: &str = "https://bank.test";

/// A gateway for the tokens of two issuers.
struct Two {
    world: World,
    bank: TestIssuer,
}

impl Two {
    async fn new() -> Self {
        Self {
            world: World::new().await,
            bank: TestIssuer::new(BANK),
        }
    }

    fn tokens(&self) -> ByIssuer<JwtTokens> {
        ByIssuer::new()
            .issuer(ISSUER, self.world.tokens())
            .issuer(BANK, self.bank.tokens().tenant(BANK))
    }

    /// A token of each issuer with the same names in it.
    fn namesakes(&self) -> [String; 2] {
        [&self.world.issuer, &self.bank].map(|issuer| {
            let token = issuer.token().subject("alice").client("web").id("1");
            token.session("s").grant("g").sign()
        })
    }

    async fn are_live(&self, tokens: &[String; 2]) -> [bool; 2] {
        let mut are_live = [false; 2];
        for (token, is_live) in tokens.iter().zip(&mut are_live) {
            let token = self.tokens().oneshot(Secret::new(&**token)).await.unwrap();
            let token = token.into_token().expect("it is genuine");
            *is_live = self.world.index.is_live(&token, NumericDate::now());
        }
        are_live
    }

    async fn order(&self, order: &Value) -> Answer {
        let tenants = Tenants::each_issuer([ISSUER, BANK]);
        let access = Access::owner("root");
        let service = self.world.service_of(self.tokens(), tenants, access);
        send(service, post("/v1/revocations", &order.to_string())).await
    }
}

#[tokio::test]
async fn order_reaches_only_the_names_of_its_issuer() {
    for target in [
        json!({ "subject": "alice" }),
        json!({ "client": "web" }),
        json!({ "subject": "alice", "client": "web" }),
        json!({ "session": "s" }),
        json!({ "grant": "g" }),
        json!({ "jti": "1" }),
    ] {
        let two = Two::new().await;
        let tokens = two.namesakes();
        let answer = two
            .order(&json!({ "target": target, "issuer": BANK }))
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json);
        assert_eq!(two.are_live(&tokens).await, [true, false], "{target}");
    }
    let two = Two::new().await;
    let tokens = two.namesakes();
    two.order(&json!({ "target": { "token": tokens[0] } }))
        .await;
    assert_eq!(two.are_live(&tokens).await, [false, true]);
    let two = Two::new().await;
    let tokens = two.namesakes();
    two.order(&json!({ "target": { "issuer": ISSUER } })).await;
    assert_eq!(two.are_live(&tokens).await, [false, true]);
}

#[tokio::test]
async fn order_names_the_issuer_if_there_are_several() {
    let two = Two::new().await;
    for target in [json!({ "subject": "alice" }), json!({ "jti": "1" })] {
        two.order(&json!({ "target": target }))
            .await
            .is_problem(400);
    }
    assert_eq!(two.world.records().await, 0);
}

#[tokio::test]
async fn order_about_an_issuer_of_another_server_is_refused() {
    let two = Two::new().await;
    let [token, _] = two.namesakes();
    for target in [
        json!({ "subject": "alice" }),
        json!({ "jti": "1" }),
        json!({ "token": token }),
        json!({ "issuer": "https://x.test" }),
    ] {
        let order = json!({ "target": target, "issuer": "https://x.test" });
        two.order(&order).await.is_problem(422);
        let order = post("/v1/revocations", &order.to_string());
        send(two.world.local(), order).await.is_problem(422);
    }
    two.order(&json!({ "target": { "issuer": "https://x.test" } }))
        .await
        .is_problem(422);
    assert_eq!(two.world.records().await, 0);
}

#[tokio::test]
async fn issuer_that_does_not_name_the_target_is_refused() {
    let two = Two::new().await;
    let [token, _] = two.namesakes();
    let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    for (target, status) in [
        (json!({ "token": token }), 422),
        (json!({ "issuer": ISSUER }), 400),
        (json!({ "key": key }), 400),
    ] {
        let order = json!({ "target": target, "issuer": BANK });
        two.order(&order).await.is_problem(status);
    }
    assert_eq!(two.world.records().await, 0);
    let order = json!({ "target": { "token": token }, "issuer": ISSUER });
    assert_eq!(two.order(&order).await.status, StatusCode::CREATED);
}

/// An opaque token may name no issuer. Its tenant does.
#[tokio::test]
async fn token_without_an_issuer_is_one_of_its_tenant() {
    let world = World::new().await;
    let both = [ISSUER, BANK];
    for (tenant, tenants, status) in [
        (Some(BANK), Tenants::each_issuer(both), 422),
        (None, Tenants::none(both), 422),
        (Some(ISSUER), Tenants::each_issuer(both), 201),
        (None, Tenants::none([ISSUER]), 201),
    ] {
        let introspect = service_fn(move |_: Secret| {
            let mut known = Introspection::new(TokenKind::RefreshToken, "test-client");
            known.tenant = tenant.map(Into::into);
            known.grant = Some("g1".into());
            std::future::ready(Ok::<_, BoxError>(Introspected::Token(known)))
        });
        let service = world.service_of(introspect, tenants, Access::owner("root"));
        let order = json!({ "target": { "token": "opaque" }, "issuer": ISSUER }).to_string();
        let answer = send(service, post("/v1/revocations", &order)).await;
        assert_eq!(answer.status, status, "{tenant:?}");
    }
    assert_eq!(world.records().await, 2);
}

#[tokio::test]
async fn names_without_a_tenant_are_those_of_the_only_issuer() {
    let world = World::new().await;
    let order = async |tenants: Tenants, order: &Value| {
        let access = Access::owner("root");
        let service = world.service_of(world.issuer.tokens(), tenants, access);
        send(service, post("/v1/revocations", &order.to_string())).await
    };
    let alice = json!({ "target": { "subject": "alice" } });
    let of_issuer = json!({ "target": { "subject": "alice" }, "issuer": ISSUER });
    let elsewhere = json!({ "target": { "subject": "alice" }, "issuer": BANK });
    let one = || Tenants::none([ISSUER]);
    order(one(), &elsewhere).await.is_problem(422);
    // It would reach the other one too.
    let both = || Tenants::none([ISSUER, BANK]);
    order(both(), &of_issuer).await.is_problem(422);
    assert_eq!(world.records().await, 0);
    for (tenants, alice) in [(one(), &alice), (one(), &of_issuer), (both(), &alice)] {
        let answer = order(tenants, alice).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json);
    }
    let token = world.issuer.token().subject("alice").sign();
    let known = world.issuer.tokens().oneshot(Secret::new(token)).await;
    let known = known.unwrap().into_token().unwrap();
    assert!(world.index.covers(&known));
}

/// A record about it would cover no token, or those of another tenant.
#[tokio::test]
async fn token_of_a_tenant_of_another_server_is_refused() {
    let world = World::new().await;
    let token = world.issuer.token().sign();
    let order = json!({ "target": { "token": token } }).to_string();
    let tokens = || world.issuer.tokens();
    let access = || Access::owner("root");
    for (introspect, tenants) in [
        (tokens(), Tenants::each_issuer([ISSUER])),
        (tokens().tenant(ISSUER), Tenants::none([ISSUER])),
        (tokens().tenant(BANK), Tenants::each_issuer([ISSUER])),
    ] {
        let service = world.service_of(introspect, tenants, access());
        send(service, post("/v1/revocations", &order))
            .await
            .is_problem(422);
    }
    assert_eq!(world.records().await, 0);
}
